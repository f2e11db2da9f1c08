internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SluiceCore
internal import Synchronization

/// Makes the embedded broker reachable at a port that was chosen: the mock cluster binds one of its own choosing.
///
/// Listens on 127.0.0.1, connects each client to the broker, and changes what would lead a client past it
/// (`ForwardedFrames`), so that all of a client's traffic comes this way and topics first mentioned here get the wanted
/// number of partitions. Back-pressure: one side is read only while the other can be written.
final class BrokerForwarder: Sendable {
    /// Connections at a time; more are closed at once.
    static let connectionsMax = 256

    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel

    /// - Parameter create: creates a topic that was mentioned; called on the forwarder's thread, once for each name.
    init(port: Int, to bootstrap: String, logger: Logger, create: @escaping @Sendable (String) -> Void) throws {
        guard let colon = bootstrap.lastIndex(of: ":"), let target = Int(bootstrap[bootstrap.index(after: colon)...])
        else {
            throw SluiceError(.broker, "the embedded broker has an unreadable address \(bootstrap)")
        }
        let host = String(bootstrap[..<colon])
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let open = Mutex(0)
        let mentioned = Mentioned(create)
        let server = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { client in
                guard
                    open.withLock({
                        $0 += 1
                        return $0 <= Self.connectionsMax
                    })
                else {
                    open.withLock { $0 -= 1 }
                    logger.warning(
                        "too many connections to the embedded broker", metadata: ["limit": "\(Self.connectionsMax)"])
                    return client.close()
                }
                client.closeFuture.whenComplete { _ in open.withLock { $0 -= 1 } }
                return Self.join(client, host, target, mentioned)
            }
        do {
            listener = try server.bind(host: "127.0.0.1", port: port).wait()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            try? group.syncShutdownGracefully()
            throw SluiceError(
                .portTaken, "port \(port) of 127.0.0.1 is taken",
                remedy: "stop what listens there, or choose another with --port")
        } catch {
            try? group.syncShutdownGracefully()
            throw SluiceError(
                .broker, "listening on 127.0.0.1:\(port)", remedy: "choose another port with --port", cause: error)
        }
        self.group = group
        self.port = listener.localAddress?.port ?? port
    }

    func close() {
        try? listener.close().wait()
        try? group.syncShutdownGracefully()
    }

    /// Connects a client's channel to the broker, on the same event loop.
    private static func join(_ client: any Channel, _ host: String, _ target: Int, _ mentioned: Mentioned)
        -> EventLoopFuture<Void>
    {
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: host, port: target)
            .flatMapThrowing { broker in
                let advertised = client.parent?.localAddress?.port ?? client.localAddress?.port ?? 0
                let conversation = Conversation(port: advertised, mentioned)
                let toBroker = Relay(.request, conversation)
                let toClient = Relay(.answer, conversation)
                toBroker.peer = toClient
                toClient.peer = toBroker
                try client.pipeline.syncOperations.addHandler(toBroker)
                try broker.pipeline.syncOperations.addHandler(toClient)
                // The client starts reading when it becomes active; the broker's side has been active already.
                broker.read()
            }
    }
}

/// Topics that were mentioned: each is created once. Bounded; beyond the bound the broker creates them its own way.
private final class Mentioned: Sendable {
    private static let namesMax = 10_000
    private let create: @Sendable (String) -> Void
    private let names = Mutex<Set<String>>([])

    init(_ create: @escaping @Sendable (String) -> Void) { self.create = create }

    func mention(_ topic: String) {
        let isNew = names.withLock { $0.count < Self.namesMax && $0.insert(topic).inserted }
        if isNew { create(topic) }
    }
}

/// The two directions of one connection. Confined to its event loop.
private final class Conversation {
    var frames: ForwardedFrames
    let mentioned: Mentioned

    init(port: Int, _ mentioned: Mentioned) {
        frames = ForwardedFrames(port: port)
        self.mentioned = mentioned
    }
}

/// One direction: what is read here is written to the peer. Confined to its event loop.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Direction { case request, answer }

    private let direction: Direction
    private let conversation: Conversation
    private var context: ChannelHandlerContext?
    /// Cut when either side is gone.
    var peer: Relay?
    private var wantsRead = false

    init(_ direction: Direction, _ conversation: Conversation) {
        self.direction = direction
        self.conversation = conversation
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        do {
            let output =
                switch direction {
                case .request: try conversation.frames.request(bytes) { conversation.mentioned.mention($0) }
                case .answer: try conversation.frames.answer(bytes)
                }
            if output.readableBytes > 0, let target = peer?.context {
                target.write(wrapOutboundOut(output), promise: nil)
            }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard let target = peer?.context else { return }
        target.flush()
        if target.channel.isWritable { context.read() } else { wantsRead = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, let peer, peer.wantsRead else { return }
        peer.wantsRead = false
        peer.context?.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        let other = peer
        peer = nil
        other?.peer = nil
        other?.context?.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
