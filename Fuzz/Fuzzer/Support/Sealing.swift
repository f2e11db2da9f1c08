import SluiceCore

/// Sets right what no mutation hits by chance: lengths and checksums, so that what they protect is reached.
enum Sealing {
    /// Length and checksum of a snapshot.
    static func seal(snapshot: inout ArraySlice<UInt8>) {
        guard snapshot.count >= 20 else { return }
        put(UInt32(snapshot.count), at: 8, in: &snapshot)
        put(snapshot.dropFirst(20).withUnsafeBytes { xxHash64($0) }, at: 12, in: &snapshot)
    }

    /// Checksum of a stored position, its last eight bytes.
    static func seal(position: inout [UInt8]) {
        guard position.count >= 8 else { return }
        let sum = position.dropLast(8).withUnsafeBytes { xxHash64($0) }
        put(sum, at: position.count - 8, in: &position[...])
    }

    private static func put<T: FixedWidthInteger>(_ value: T, at offset: Int, in bytes: inout ArraySlice<UInt8>) {
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self) }
    }
}
