internal import NIOCore

/// Sees the other side of a connection go: it closes its direction, or all of it.
private final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let onLeave: @Sendable () -> Void

    init(onLeave: @escaping @Sendable () -> Void) { self.onLeave = onLeave }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { onLeave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        onLeave()
        context.fireChannelInactive()
    }
}

extension Channel {
    /// Does work for the client of this connection, and cancels it when that goes: the server waits for its handlers
    /// whether or not anybody waits for their answers. One at a time.
    func whileOpen<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let name = "client-watch"
        let work = Task { try await body() }
        return try await withTaskCancellationHandler {
            defer { work.cancel() }
            try await eventLoop.submit {
                try self.pipeline.syncOperations.addHandler(
                    ClientWatch { work.cancel() }, name: name, position: .first)
            }.get()
            defer { pipeline.removeHandler(name: name, promise: nil) }
            return try await work.value
        } onCancel: {
            work.cancel()
        }
    }
}
