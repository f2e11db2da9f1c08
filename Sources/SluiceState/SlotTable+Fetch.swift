import SluiceCore
import SluiceNumerics

/// With many streams a look-up finds nothing in the cache: the index, the slot and the key are waited for one after the
/// other. Those of many streams are waited for side by side.
extension SlotTable {
    /// Streams that are fetched at a time.
    public static let fetched = 32
    /// A table that is smaller stays in the cache by itself.
    private static let cachedBytes = 1 << 20

    /// Has what `intern` and the fold need of some streams brought into the cache. Nothing is changed by it.
    ///
    /// - Parameters:
    ///   - count: of streams, `fetched` at most.
    ///   - key: of each.
    @inline(__always)
    public func fetch(_ count: Int, _ key: (Int) -> UnsafeRawBufferPointer) {
        guard unsafe Int(used) * layout.stride > Self.cachedBytes else { return }
        var hashes = InlineArray<32, UInt64>(repeating: 0)
        for stream in 0..<count {
            hashes[stream] = unsafe xxHash64(key(stream))
            unsafe index.fetch(hashes[stream])
        }
        var slots = InlineArray<32, UInt32>(repeating: .max)
        for stream in 0..<count {
            guard let slot = unsafe index.candidate(hashes[stream]) else { continue }
            slots[stream] = slot
            unsafe prefetch(self[slot].base, count: layout.stride)
        }
        for stream in 0..<count where slots[stream] != .max {
            if let text = unsafe self.key(slots[stream]).baseAddress { unsafe prefetch(text, count: 1) }
        }
    }
}
