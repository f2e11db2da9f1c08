/// Why an input was refused: the header `sluice-error` of a reject. The texts are stable.
public enum RejectCode: UInt8, Sendable, CaseIterable {
    case keyMissing, keyInvalid, keyTooLong
    case jsonInvalid, csvInvalid, tooLarge
    case typeMismatch, numberOutOfRange, featureMissing
    case timeMissing, timeInvalid
    case boundaryInvalid, sequenceTooLong, labelInvalid, sourceInvalid
    /// Refused by `late: reject`.
    case late
    /// The step would have given a non-finite state or output.
    case nonFinite

    public var text: String {
        switch self {
        case .keyMissing: "key-missing"
        case .keyInvalid: "key-invalid"
        case .keyTooLong: "key-too-long"
        case .jsonInvalid: "json-invalid"
        case .csvInvalid: "csv-invalid"
        case .tooLarge: "too-large"
        case .typeMismatch: "type-mismatch"
        case .numberOutOfRange: "number-out-of-range"
        case .featureMissing: "feature-missing"
        case .timeMissing: "time-missing"
        case .timeInvalid: "time-invalid"
        case .boundaryInvalid: "boundary-invalid"
        case .sequenceTooLong: "sequence-too-long"
        case .labelInvalid: "label-invalid"
        case .sourceInvalid: "source-invalid"
        case .late: "late"
        case .nonFinite: "non-finite"
        }
    }
}
