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
    private let access: AccessControl
    private let logger: Logger
    private let listening = ListeningPort()

    /// - Parameters:
    ///   - port: 0 lets the system choose one, which `listeningPort` then tells.
    ///   - tokens: the file of access tokens, which need not exist on loopback.
    package init(
        host: String, port: Int, tokens: String? = nil, backend: any AdminBackend, metrics: PrometheusRegistry,
        logger: Logger
    ) {
        self.host = host
        self.port = port
        access = AccessControl(tokens: tokens, host: host, logger: logger)
        hub = EventHub(backend: backend)
        router = AdminRouter(backend: backend, metrics: metrics, hub: hub, access: access)
        self.logger = logger
    }

    /// The port it listens on, as soon as it does; throws what `run()` throws if it never will. `run()` must be called
    /// for this to return.
    package var listeningPort: Int {
        get async throws { try await listening.value }
    }

    /// Serves until graceful shutdown.
    ///
    /// Throws a `SluiceError` if the address is taken, not this machine's, or open to others without access tokens, and
    /// if the tokens' file is broken.
    package func run() async throws {
        do {
            try access.check()
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
