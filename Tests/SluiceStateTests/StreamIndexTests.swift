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
        for turn in 0..<6_000 {
            if held.isEmpty || generator.next() % 5 < (turn < 4_000 ? 4 : 1) {
                let slot = free.popLast() ?? nextSlot
                if slot == nextSlot { nextSlot += 1 }
                // High bits set: homes at the table's end, probes around it.
                let hash = generator.next() % distinctHashes &* 0x9E37_79B9_7F4A_7C15 | 0x3F8
                held[slot] = hash
                index.insert(hash, slot: slot) { held[$0] ?? 0 }
            } else if let slot = held.keys.min(by: { ($0 &* 2_654_435_761) < ($1 &* 2_654_435_761) }),
                let hash = held[slot]
            {
                index.remove(hash, slot: slot) { held[$0] ?? 0 }
                held[slot] = nil
                free.append(slot)
            }
            guard turn % 500 == 499 else { continue }
            #expect(index.count == held.count)
            for (slot, hash) in held { #expect(index.find(hash, { held[$0] ?? 0 }) { $0 == slot } == slot) }
            for slot in free { #expect(index.find(generator.next(), { held[$0] ?? 0 }) { $0 == slot } == nil) }
        }
    }

    /// However many it holds, one insertion looks at a few places of the old table, and that is through before the next
    /// is begun.
    @Test func theIndexGrowsWithoutAPause() {
        var generator = Generator(seed: 5)
        var index = StreamIndex()
        let hashes = (0..<200_000).map { _ in generator.next() }
        var growths = 0
        for (slot, hash) in hashes.enumerated() {
            let before = index.unmoved
            index.insert(hash, slot: UInt32(slot)) { hashes[Int($0)] }
            if index.unmoved > before {
                #expect(before == 0)
                growths += 1
            } else {
                #expect(before - index.unmoved <= StreamIndex.step)
            }
        }
        // 1,024 places for the first 768.
        #expect(growths == 9)
        for (slot, hash) in hashes.enumerated() {
            #expect(index.find(hash, { hashes[Int($0)] }) { $0 == slot } == UInt32(slot))
        }
    }

    /// Where no stream is new, those that are heard of bring it to its end.
    @Test func lookUpsMoveWhatIsInTheOldTable() {
        var index = StreamIndex()
        for slot in 0..<769 { index.insert(xxHash(slot), slot: UInt32(slot)) { xxHash(Int($0)) } }
        #expect(index.unmoved == 1_024 - StreamIndex.step)
        for _ in 0..<2 {
            for slot in 0..<769 {
                #expect(index.find(xxHash(slot), { xxHash(Int($0)) }) { $0 == slot } == UInt32(slot))
            }
        }
        #expect(index.unmoved == 0 && index.memoryBytes == 2_048 * 4)
    }

    private func xxHash(_ number: Int) -> UInt64 {
        var generator = Generator(seed: UInt64(number))
        return generator.next()
    }
}
