import SluiceCore

/// What the checkers read in messages without the engine's own decoders.
enum SnapshotText {
    private static let checksum = 12..<20
    /// Position and control: where it was written, not what the slot is.
    private static let place = 72..<88
    private static let positionOffset = 72
    private static let fenceOffset = 88

    /// A snapshot without what depends on when it was written.
    static func normalised(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for index in checksum where index < bytes.count { bytes[index] = 0 }
        for index in place where index < bytes.count { bytes[index] = 0 }
        return bytes
    }

    static func position(_ bytes: [UInt8]) -> Offset { number(bytes, positionOffset) }
    static func fence(_ bytes: [UInt8]) -> Offset { number(bytes, fenceOffset) }

    private static func number(_ bytes: [UInt8], _ offset: Int) -> Offset {
        guard bytes.count >= offset + 8 else { return -1 }
        return (0..<8).reduce(0) { $0 | Int64(bytes[offset + $1]) << (8 * Int64($1)) }
    }

    /// The digits behind a member's name in a JSON text.
    static func member(_ name: String, of text: [UInt8]) -> Offset? {
        let mark = Array("\"\(name)\":".utf8)
        guard text.count >= mark.count else { return nil }
        for start in 0...text.count - mark.count where text[start..<start + mark.count].elementsEqual(mark) {
            let digits = text[(start + mark.count)...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return Offset(String(decoding: digits, as: UTF8.self))
        }
        return nil
    }

    /// The input that a reject's header `sluice-source` names.
    static func source(_ record: SimulatedRecord) -> (partition: Int32, offset: Offset)? {
        let parts = String(decoding: record.header("sluice-source") ?? [], as: UTF8.self).split(separator: "/")
        guard parts.count >= 3, let partition = Int32(parts[parts.count - 2]), let offset = Offset(parts.last ?? "")
        else { return nil }
        return (partition, offset)
    }
}
