internal import CLibrdkafka
internal import SluiceCore

/// Owner of an `rd_kafka_conf_t` until a handle takes it.
@safe
final class Settings {
    private(set) var pointer: OpaquePointer?

    init() { unsafe pointer = rd_kafka_conf_new() }

    deinit {
        if let pointer = unsafe pointer { unsafe rd_kafka_conf_destroy(pointer) }
    }

    /// - Throws: `configuration-invalid`, naming the property.
    func set(_ name: String, _ value: String) throws {
        if let refusal = refusal(name, value) {
            throw SluiceError(.invalidConfiguration, "kafka: \(name): \(refusal)")
        }
    }

    /// Sets it; what is wrong if that is refused, with librdkafka's own reason.
    func refusal(_ name: String, _ value: String) -> String? {
        let (result, reason) = unsafe withErrorText { text, size in
            unsafe rd_kafka_conf_set(pointer, name, value, text, size)
        }
        switch result {
        case RD_KAFKA_CONF_OK:
            return nil
        case RD_KAFKA_CONF_UNKNOWN:
            let suggestion = Suggestion.text(for: name, among: PropertyTable.shared.scopes.keys)
            return "is no property of librdkafka" + (suggestion.isEmpty ? "; see its CONFIGURATION.md" : suggestion)
        default:
            return KafkaConfiguration.isSecret(name) ? "its value is refused" : reason
        }
    }

    func value(_ name: String) -> String? {
        var size = 0
        guard unsafe rd_kafka_conf_get(pointer, name, nil, &size) == RD_KAFKA_CONF_OK, size > 0 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
            unsafe rd_kafka_conf_get(pointer, name, buffer.baseAddress, &size) == RD_KAFKA_CONF_OK
                ? String(cString: buffer.baseAddress!) : nil
        }
    }

    func number(_ name: String) -> Int? { value(name).flatMap { Int($0) } }

    /// A handle has taken the pointer.
    func release() { unsafe pointer = nil }
}

/// Calls a function of librdkafka that writes its reason into a text buffer.
func withErrorText<Result>(_ body: (UnsafeMutablePointer<CChar>, Int) -> Result) -> (Result, String) {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
        let start = buffer.baseAddress!
        unsafe start.pointee = 0
        let result = unsafe body(start, buffer.count)
        return unsafe (result, String(cString: start))
    }
}
