internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle
package import SluiceCore

/// The HTTP API as a service: listens from `run()` until it is told to shut down.
package final class AdminServer: Service {
    private let host: String
    private let port: Int
    private let router: AdminRouter
    private let hub: EventHub
    private let logger: Logger
    private let listening = ListeningPort()

    /// - Parameter port: 0 lets the system choose one, which `listeningPort` then tells.
    package init(
        host: String, port: Int, backend: any AdminBackend, metrics: PrometheusRegistry, logger: Logger
    ) {
        self.host = host
        self.port = port
        hub = EventHub(backend: backend)
        router = AdminRouter(backend: backend, metrics: metrics, hub: hub)
        self.logger = logger
    }

    /// The port it listens on, as soon as it does; throws what `run()` throws if it never will. `run()` must be called
    /// for this to return.
    package var listeningPort: Int {
        get async throws { try await listening.value }
    }

    /// Serves until graceful shutdown.
    ///
    /// Throws a `SluiceError` if the address is refused (not loopback), taken or not this machine's.
    package func run() async throws {
        do {
            try refuseOpenAddress()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.hub.run() }
                defer { group.cancelAll() }
                try await application.run()
            }
            listening.settle(.failure(CancellationError()))
        } catch {
            let error = describe(error)
            listening.settle(.failure(error))
            throw error
        }
    }

    var application: Application<RouterResponder<AdminRequestContext>> {
        Application(
            router: router.build(),
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Limits.connections)),
            onServerRunning: { [listening, port] channel in
                listening.settle(.success(channel.localAddress?.port ?? port))
            },
            logger: logger)
    }

    private func refuseOpenAddress() throws {
        // Parsed, because 127.example.org is a name like any other.
        let address = try? SocketAddress(ipAddress: host, port: port)
        guard host == "localhost" || address != nil && (host == "::1" || host.hasPrefix("127.")) else {
            throw SluiceError(
                .invalidConfiguration, "admin.listen \(host):\(port) is open to others and there are no access tokens",
                remedy: "listen on 127.0.0.1 and put a proxy in front")
        }
    }

    private func describe(_ error: any Error) -> any Error {
        guard let failure = error as? IOError else { return error }
        let taken = failure.errnoCode == EADDRINUSE
        return SluiceError(
            .address, taken ? "\(host):\(port) is already in use" : "cannot listen on \(host):\(port)",
            remedy: taken
                ? "stop the program that listens there, or choose another port in admin.listen"
                : "choose an address of this machine and a port above 1023 in admin.listen",
            cause: taken ? nil : error)
    }
}

extension SluiceError.Code {
    package static let address = SluiceError.Code("address")
}
