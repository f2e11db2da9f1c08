import SluiceCore

/// Little-endian fields of a snapshot, written at the end of an arena.
extension ByteArena {
    mutating func put<T: FixedWidthInteger>(_ value: T) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe append($0) }
    }

    /// Plain numbers as they lie in memory; the hosts are little-endian.
    mutating func put(_ start: UnsafeRawPointer, _ count: Int) {
        unsafe append(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Fills in length and checksum of the snapshot written since `start`; returns the length.
    mutating func seal(from start: Int) -> Int {
        let length = count - start
        let snapshot = unsafe base + start
        unsafe snapshot.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 8, as: UInt32.self)
        let checksum = unsafe xxHash64(bytes(start + SlotSnapshot.checksumOffset + 8..<count))
        unsafe snapshot.storeBytes(
            of: checksum.littleEndian, toByteOffset: SlotSnapshot.checksumOffset, as: UInt64.self)
        return length
    }
}

/// Reads little-endian fields, never beyond the end.
@safe struct SnapshotReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    var remaining: Int { unsafe bytes.count - position }

    mutating func get<T: FixedWidthInteger>(_: T.Type) throws(SluiceError) -> T {
        let field = unsafe try take(MemoryLayout<T>.size)
        return unsafe T(littleEndian: field.loadUnaligned(as: T.self))
    }

    mutating func take(_ count: Int) throws(SluiceError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw SlotSnapshot.broken("it is cut short") }
        defer { position += count }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func skip(_ count: Int) throws(SluiceError) { _ = unsafe try take(count) }

    mutating func copy(_ count: Int, to target: UnsafeMutableRawPointer) throws(SluiceError) {
        let source = unsafe try take(count)
        if let start = source.baseAddress { unsafe target.copyMemory(from: start, byteCount: count) }
    }
}
