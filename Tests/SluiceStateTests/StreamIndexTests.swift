import SluiceTestKit
import Testing

@testable import SluiceState

@Suite struct StreamIndexTests {
    /// Few distinct hashes, so that probes collide and wrap.
    @Test(arguments: [UInt64(7), 1_000, .max]) func holdsWhatADictionaryHolds(distinctHashes: UInt64) {
        var generator = Generator(seed: distinctHashes)
        var index = StreamIndex()
        /// Slot to hash; the slot stands for its key.
        var held: [UInt32: UInt64] = [:]
        var free: [UInt32] = []
        var nextSlot: UInt32 = 0
        func hashOf(_ held: [UInt32: UInt64]) -> (UInt32) -> UInt64 { { held[$0] ?? 0 } }
        for turn in 0..<6_000 {
            if held.isEmpty || generator.next() % 5 < (turn < 4_000 ? 4 : 1) {
                let slot = free.popLast() ?? nextSlot
                if slot == nextSlot { nextSlot += 1 }
                // High bits set: homes at the table's end, probes around it.
                let hash = generator.next() % distinctHashes &* 0x9E37_79B9_7F4A_7C15 | 0x3F8
                index.insert(hash, slot: slot, hashOf: hashOf(held))
                held[slot] = hash
            } else if let slot = held.keys.min(by: { ($0 &* 2_654_435_761) < ($1 &* 2_654_435_761) }),
                let hash = held[slot]
            {
                index.remove(hash, slot: slot, hashOf: hashOf(held))
                held[slot] = nil
                free.append(slot)
            }
            guard turn % 500 == 499 else { continue }
            #expect(index.count == held.count)
            for (slot, hash) in held { #expect(index.find(hash) { $0 == slot } == slot) }
            for slot in free { #expect(index.find(generator.next()) { $0 == slot } == nil) }
        }
    }
}
