internal import Hummingbird
internal import NIOCore

/// What travels with a request.
struct AdminRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The peer's.
    let address: String
    /// Who asks, for the audit record: the name of the access token, where there is none the address.
    var caller: String
    /// The connection itself.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        address = source.channel.remoteAddress?.ipAddress ?? "unknown"
        caller = address
        channel = source.channel
    }
}
