import Foundation
import FoundationNetworking
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SluiceAdminTestKit
import SluiceCore
import Testing

@testable import SluiceAdmin

@Suite struct AdminServerTests {
    private static func server(
        host: String = "127.0.0.1", port: Int = 0, backend: FakeBackend = FakeBackend()
    ) -> AdminServer {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return AdminServer(
            host: host, port: port, backend: backend, metrics: PrometheusRegistry(), logger: logger)
    }

    @Test func listensOnAFreePortAndRefusesATakenOne() async throws {
        let server = Self.server()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try await server.listeningPort
            let url = try #require(URL(string: "http://127.0.0.1:\(port)/v1/streams/a%2Fb"))
            let (data, response) = try await URLSession.shared.data(from: url)
            #expect((response as? HTTPURLResponse)?.statusCode == 200)
            #expect(try JSONDecoder().decode(StreamSlot.self, from: data).summary.stream == "a/b")

            let second = Self.server(port: port)
            let error = await #expect(throws: SluiceError.self) { try await second.run() }
            #expect(error?.code == .address)
            #expect(error?.message == "127.0.0.1:\(port) is already in use")
            #expect(error?.remedy?.contains("admin.listen") == true)
            await #expect(throws: SluiceError.self) { _ = try await second.listeningPort }

            await group.triggerGracefulShutdown()
            try await tasks.next()
        }
    }

    /// Reads until `text` has come, or to the end of the connection.
    private static func read(
        _ inbound: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, to text: String?
    ) async throws -> String {
        var seen = ""
        while text.map({ !seen.contains($0) }) ?? true, let chunk = try await inbound.next(isolation: #isolation) {
            seen += String(buffer: chunk)
        }
        return seen
    }

    @Test(.timeLimit(.minutes(2))) func openEventsDoNotHoldAShutdown() async throws {
        let server = Self.server()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try await server.listeningPort
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            try await channel.executeThenClose { inbound, outbound in
                let request = "GET /v1/events?stream=pump-17 HTTP/1.1\r\nHost: x\r\n\r\n"
                try await outbound.write(ByteBuffer(string: request))
                var chunks = inbound.makeAsyncIterator()
                let seen = try await Self.read(&chunks, to: "event: stream\n")
                #expect(seen.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(seen.contains("retry: 2000\n\n") && seen.contains("event: overview\n"))
                await group.triggerGracefulShutdown()
                #expect(try await Self.read(&chunks, to: nil).hasSuffix("0\r\n\r\n"), "ended in order")
            }
            try await tasks.next()
        }
    }

    /// Half of the connection, as a client that ends closes it at first.
    @Test(.timeLimit(.minutes(2)), arguments: [CloseMode.output, .all])
    func anExportEndsWithItsClient(mode: CloseMode) async throws {
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let (ended, end) = AsyncStream.makeStream(of: Bool.self)
        let backend = FakeBackend()
        backend.change {
            $0.exporting = {
                begin.yield()
                do { try await Task.sleep(for: .seconds(600)) } catch { end.yield(Task.isCancelled) }
                throw Problem(notReady: "given up")
            }
        }
        let server = Self.server(backend: backend)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try await server.listeningPort
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelOption(.allowRemoteHalfClosure, value: true).connect(host: "127.0.0.1", port: port).get()
            let request = "GET /v1/streams/pump-17/export?offset=100 HTTP/1.1\r\nHost: x\r\n\r\n"
            try await channel.writeAndFlush(ByteBuffer(string: request))
            for await _ in begun { break }
            try await channel.close(mode: mode)
            var endings = ended.makeAsyncIterator()
            #expect(await endings.next() == true)
            if mode == .output { try? await channel.close() }
            await group.triggerGracefulShutdown()
            try await tasks.next()
        }
    }

    @Test(arguments: ["0.0.0.0", "::", "192.0.2.1", "127.example.org"])
    func addressesOpenToOthersAreRefusedWithoutTokens(host: String) async throws {
        let error = await #expect(throws: SluiceError.self) { try await Self.server(host: host).run() }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains(host) == true)
        #expect(error?.remedy?.contains("sluice tokens add") == true)
    }
}
