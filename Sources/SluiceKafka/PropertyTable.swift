internal import CLibrdkafka
internal import Glibc

/// librdkafka's own table of its properties: names, and which of consumer and producer know each.
///
/// Read from `rd_kafka_conf_properties_show`, the only place where the library tells the scope; setting a consumer's
/// property on a producer would make it warn at every start.
struct PropertyTable: Sendable {
    enum Scope { case both, consumer, producer }

    let scopes: [String: Scope]

    static let shared = PropertyTable()

    private init() {
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        if let stream = unsafe open_memstream(&text, &size) {
            unsafe rd_kafka_conf_properties_show(stream)
            unsafe fclose(stream)
        }
        defer { unsafe free(text) }
        scopes = unsafe text.map { Self.parse(unsafe String(cString: $0)) } ?? [:]
    }

    /// Lines such as `fetch.min.bytes  |  C  | 1 .. 100000000 | 1 | low | …`.
    static func parse(_ text: String) -> [String: Scope] {
        var scopes: [String: Scope] = [:]
        for line in text.split(separator: "\n") {
            let columns = line.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
            guard columns.count == 3 else { continue }
            let name = columns[0].filter { $0 != " " }
            let scope: Scope? =
                switch columns[1].filter({ $0 != " " }) {
                case "*": .both
                case "C": .consumer
                case "P": .producer
                default: nil
                }
            guard let scope else { continue }
            // A name in both the global and the topic table belongs to whoever either says.
            scopes[name] = scopes[name].map { $0 == scope ? scope : .both } ?? scope
        }
        return scopes
    }

    func applies(_ name: String, to role: HandleRole) -> Bool {
        switch scopes[name] ?? .both {
        case .both: true
        case .consumer: role.isConsumer
        case .producer: role.isProducer
        }
    }
}
