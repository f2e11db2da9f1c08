internal import CSimdJSON
internal import SluiceCore

extension ObservationDecoder {
    /// What was wrong with the record that `append` just refused, for people: names the field and its pointer. Made
    /// on request, before the next `append`. For codes of the engine (`late`, `non-finite`) the general sentence.
    public func message(for code: RejectCode) -> String {
        switch code {
        case .keyMissing where slots.stream < 0: return "the record has no key, or an empty one, to name its stream"
        case .keyInvalid where slots.stream < 0: return "the record's key is not UTF-8"
        case .keyMissing: return "\(field) is missing or empty: it names the stream"
        case .keyInvalid: return "\(field) is \(found), not a text: it names the stream"
        case .keyTooLong: return "the stream's name is longer than \(Limits.keyBytes) bytes"
        case .tooLarge: return "the value is larger than \(Limits.observationBytes) bytes"
        case .jsonInvalid: return "the value is not JSON: \(reason)"
        case .csvInvalid: return "the value is not a CSV record of the columns agreed: \(reason)"
        case .typeMismatch: return "\(field) is \(found)"
        case .numberOutOfRange: return "\(field) is not a finite 32-bit number"
        case .featureMissing: return "\(field) is missing, which input.missing: reject refuses"
        case .timeMissing:
            return slots.stream < 0 ? "\(field) is missing, and the record has no timestamp" : "\(field) is missing"
        case .timeInvalid:
            return "\(field) is neither an RFC 3339 time nor whole milliseconds since 1970, from 1900 to 9998"
        case .boundaryInvalid: return "the boundary is neither \"start\" nor \"end\""
        case .sequenceTooLong: return "\(field) is longer than \(Limits.sequenceBytes) bytes"
        case .labelInvalid: return "\(field) is not a finite number, a boolean or null"
        case .sourceInvalid: return "source needs a topic, a partition and an offset, or is left out"
        case .late: return "the observation is older than the last of its stream, which input.late: reject refuses"
        case .nonFinite: return "the step would have given a state or an output that is not finite"
        }
    }

    /// The field's name and, in JSON, its pointer.
    private var field: String {
        guard slots.names.indices.contains(failedSlot) else { return "a field" }
        if case .csv = specification.format { return slots.names[failedSlot] }
        return "\(slots.names[failedSlot]) (\(slots.pointers[failedSlot]))"
    }

    private var found: String {
        slots.names.indices.contains(failedSlot) ? values[failedSlot].noun : "of another kind"
    }

    private var reason: String { failure.map { String(cString: $0) } ?? "" }
}
