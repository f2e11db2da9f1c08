internal import Hummingbird
internal import NIOCore

/// What travels with a request.
struct AdminRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who asks, for the audit record: the peer's address, as long as there is nothing better.
    let caller: String
    /// The connection itself.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        caller = source.channel.remoteAddress?.ipAddress ?? "unknown"
        channel = source.channel
    }
}
