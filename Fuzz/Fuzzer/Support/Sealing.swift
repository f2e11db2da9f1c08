import SluiceCore

/// Sets right what no mutation hits by chance: lengths and checksums, so that what they protect is reached.
enum Sealing {
    /// Length and checksum of a snapshot.
    static func seal(snapshot: inout ArraySlice<UInt8>) {
        guard snapshot.count >= 20 else { return }
        put(UInt32(snapshot.count), at: 8, in: &snapshot)
        put(snapshot.dropFirst(20).withUnsafeBytes { xxHash64($0) }, at: 12, in: &snapshot)
    }

    /// Every frame of a state file, down to the snapshots in it. What is longer than the file ends with it.
    static func seal(frames file: inout [UInt8]) {
        var start = 0
        while file.count - start >= 104 {
            let room = file.count - start - 24
            let length = min(room, max(80, Int(clamping: get(UInt64.self, at: 8, in: file[start...]))))
            var frame = file[start..<start + 24 + length]
            put(UInt64(length), at: 8, in: &frame)
            seal(records: &frame[(start + 104)...])
            let stamp = frame[(start + 24)..<(start + 104)].withUnsafeBytes { xxHash64($0) }
            let checksum = frame[(start + 104)...].withUnsafeBytes { xxHash64($0, seed: stamp) }
            put(checksum, at: 16, in: &frame)
            file.replaceSubrange(frame.indices, with: frame)
            start += 24 + length
        }
    }

    private static func seal(records: inout ArraySlice<UInt8>) {
        var start = records.startIndex
        while records.endIndex - start >= 5 {
            let room = records.endIndex - start - 5
            let length = min(room, Int(get(UInt32.self, at: 1, in: records[start...])))
            put(UInt32(length), at: 1, in: &records[start...])
            if records[start] == 0 { seal(snapshot: &records[(start + 5)..<(start + 5 + length)]) }
            start += 5 + length
        }
    }

    private static func get<T: FixedWidthInteger>(_: T.Type, at offset: Int, in bytes: ArraySlice<UInt8>) -> T {
        bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }

    private static func put<T: FixedWidthInteger>(_ value: T, at offset: Int, in bytes: inout ArraySlice<UInt8>) {
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self) }
    }
}
