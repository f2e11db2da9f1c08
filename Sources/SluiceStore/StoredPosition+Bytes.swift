internal import SluiceCore
internal import SluiceState

/// The position as it is stored; `schemas/snapshot.md` is the specification.
extension StoredPosition {
    /// Where it is stored, among the keys that no stream has. Neither read nor scanned.
    static let key: [UInt8] = [ChangelogKey.reserved, UInt8(ascii: "p")]
    /// Version 1 does not say how many partitions the input had.
    private static let version: UInt16 = 2

    func write(to arena: inout ByteArena) {
        func put<T: FixedWidthInteger>(_ value: T) {
            unsafe withUnsafeBytes(of: value.littleEndian) { unsafe arena.append($0) }
        }
        precondition(identity.utf8.count <= UInt16.max && modelHash.utf8.count <= UInt16.max)
        arena.removeAll()
        put(Self.version)
        put(UInt16(identity.utf8.count))
        put(UInt16(modelHash.utf8.count))
        for field in [offset, replayFrom, controlOffset, changelogOffset, latest, storedAt] { put(field) }
        put(UInt32(clamping: partitions ?? 0))
        arena.append(identity)
        arena.append(modelHash)
        put(unsafe xxHash64(arena.bytes))
    }

    /// Nil where the bytes are not a position.
    init?(_ bytes: UnsafeRawBufferPointer) {
        func field<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
            unsafe T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
        func text(_ start: Int, _ count: Int) -> String {
            unsafe String(decoding: bytes[start..<start + count], as: UTF8.self)
        }
        guard bytes.count >= 62 else { return nil }
        let version = field(0, UInt16.self)
        guard (1...Self.version).contains(version) else { return nil }
        let texts = version == 1 ? 54 : 58
        let (identityCount, hashCount) = (Int(field(2, UInt16.self)), Int(field(4, UInt16.self)))
        let end = texts + identityCount + hashCount
        guard bytes.count == end + 8,
            unsafe xxHash64(UnsafeRawBufferPointer(rebasing: bytes[..<end])) == field(end, UInt64.self)
        else { return nil }
        let partitions = version == 1 ? 0 : field(54, UInt32.self)
        self.init(
            identity: text(texts, identityCount), offset: field(6, Int64.self), replayFrom: field(14, Int64.self),
            controlOffset: field(22, Int64.self), changelogOffset: field(30, Int64.self),
            modelHash: text(texts + identityCount, hashCount), latest: field(38, Int64.self),
            storedAt: field(46, Int64.self), partitions: partitions == 0 ? nil : Int(partitions))
    }
}
