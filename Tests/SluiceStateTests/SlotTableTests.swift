import SluiceCore
import SluiceLSTM
import SluiceTestKit
import Testing

@testable import SluiceState

@Suite struct SlotTableTests {
    private let specification = FoldSpecification(model: model(hidden: 3, layers: 2, learned: true))

    private func table() -> SlotTable {
        SlotTable(specification)
    }

    @Test func aFreshSlotIsTheInitialState() {
        let table = table()
        let slot = table.intern("a")
        let state = UnsafeBufferPointer(start: table[slot].state, count: specification.shape.stateFloats)
        #expect(Array(state) == specification.initialStates.mean)
        #expect(specification.initialStates.mean.contains { $0 != 0 })
        let scalars = SlotScalars(base: table[slot].scalars, layout: table.layout)
        #expect(scalars.header.pointee.fence == -1 && !scalars.header.pointee.isUsed)
        for input in 0..<2 {
            #expect(scalars.carried(input).isNaN)
            #expect(scalars.statistics(input) == StreamStatistics())
        }
        #expect((0..<table.layout.ringBytes / 4).allSatisfy { table[slot].ring[$0].isNaN })
    }

    /// Of streams that are there, freed, unknown, and without a key.
    @Test func whatIsFetchedIsNotChanged() {
        let table = table()
        func name(_ stream: Int) -> String { "stream-\(10_000 + stream)" }
        let (streams, length) = (8_000, name(0).utf8.count)
        let slots = (0..<streams).map { table.intern(name($0)) }
        let isThere = (0..<streams + 100).map { $0 < streams && $0 % 3 != 0 }
        for stream in 0..<streams where isThere[stream] { table.apply(slots[stream], fence: Offset(stream)) }
        for slot in slots { table.endBatch(slot) }
        #expect(Int(table.used) * table.layout.stride > 1 << 20, "smaller ones are not fetched")
        func image() -> [UInt8] {
            (0..<table.used).flatMap { slot in
                Array(UnsafeRawBufferPointer(start: table[slot].base, count: table.layout.stride))
            }
        }
        let (before, count) = (image(), table.count)
        let keys = isThere.indices.flatMap { Array(name($0).utf8) }
        var asked = 0
        keys.withUnsafeBytes { keys in
            for first in stride(from: 0, to: isThere.count, by: SlotTable.fetched) {
                table.fetch(min(SlotTable.fetched, isThere.count - first)) { place in
                    asked += 1
                    if place == 7 { return UnsafeRawBufferPointer(start: nil, count: 0) }
                    let start = (first + place) * length
                    return UnsafeRawBufferPointer(rebasing: keys[start..<start + length])
                }
            }
        }
        #expect(asked == isThere.count)
        #expect(image() == before && table.count == count && count == isThere.count(where: { $0 }))
        #expect(isThere.indices.allSatisfy { table.find(name($0)) == (isThere[$0] ? slots[$0] : nil) })
    }

    @Test func manyStreamsKeepTheirOwnSlots() {
        let table = table()
        for round in 0..<2 {
            for index in 0..<5_000 {
                let slot = table.intern("stream-\(index)")
                if round == 0 { table.apply(slot, fence: Offset(index)) }
                #expect(table[slot].header.pointee.fence == Offset(index))
            }
        }
        #expect(table.count == 5_000)
        var seen = Set<String>()
        table.forEach { seen.insert(table.text($0)) }
        #expect(seen.count == 5_000)
        #expect(table.find("stream-5000") == nil)
    }

    @Test func anEndedStreamStartsAnew() {
        let table = table()
        let slot = table.intern("a")
        table.apply(slot, fence: 4)
        withText("run-1") { table.replaceSequence(table[slot].header, $0) }
        table[slot].state[0] = 9
        table.end(slot)
        #expect(table.find("a") == slot)
        #expect(!table[slot].header.pointee.isUsed)
        #expect(table[slot].header.pointee.sequence == .none)
        #expect(table[slot].state[0] == specification.initialStates.mean[0])
        #expect(table.dropped == [Array("a".utf8)])
        table.endBatch(slot)
        #expect(table.find("a") == nil)
        #expect(table.count == 0)
        table.endBatch(slot)
        #expect(table.intern("b") == slot)
        #expect(table.intern("c") != slot, "a slot is freed once")
    }

    @Test func anUnusedStreamEndsWithoutATrace() {
        let table = table()
        let slot = table.intern("a")
        table.end(slot)
        #expect(table.dropped.isEmpty)
        table.endBatch(slot)
        var visited = 0
        table.forEach { _ in visited += 1 }
        #expect(table.count == 0 && visited == 0)
    }

    @Test func aSlotIsDirtyOnceAlsoWhenItChangesHands() {
        let table = table()
        let slot = table.intern("a")
        table.apply(slot, fence: 3)
        table.markDirty(slot, at: 5)
        table.end(slot)
        table.endBatch(slot)
        #expect(table.intern("b") == slot)
        table.apply(slot, fence: 9)
        #expect(table.dirty.count == 1 && table.dirty.oldest == 3, "replay begins where either needs it to")
        #expect(table.takeDirty() == slot && table.takeDirty() == nil)
        table.markDirty(slot, at: 11)
        #expect(table.dirty.oldest == 11)
    }

    @Test func aSlotOfNobodyIsNotTaken() {
        let table = table()
        let slot = table.intern("a")
        table.apply(slot, fence: 3)
        table.end(slot)
        table.endBatch(slot)
        #expect(table.takeDirty() == nil)
        #expect(table.intern("b") == slot)
        table.apply(slot, fence: 4)
        #expect(table.takeDirty() == slot)
    }

    @Test func theOldestChangeIsTakenFirst() {
        let table = table()
        let slots = (0..<3_000).map { index in
            let slot = table.intern("stream-\(index)")
            table.apply(slot, fence: Offset(index))
            return slot
        }
        for (index, slot) in slots.enumerated() {
            #expect(table.dirty.oldest == Offset(index) && table.dirty.count == slots.count - index)
            #expect(table.takeDirty() == slot)
        }
        #expect(table.dirty.isEmpty && table.dirty.oldest == nil)
    }

    @Test func aSlotTakenOutOfTurnIsNotTakenAgain() {
        let table = table()
        let (first, second) = (table.intern("a"), table.intern("b"))
        table.apply(first, fence: 0)
        table.apply(second, fence: 1)
        #expect(table.takeChange(second) && !table.takeChange(second))
        #expect(table.takeDirty() == first && table.takeDirty() == nil)
    }

    @Test func whatIsDirtyIsNotStaleToo() {
        let table = table()
        let (first, second) = (table.intern("a"), table.intern("b"))
        table.apply(first, fence: 0)
        table.apply(second, fence: 1)
        #expect(table.takeDirty() == first)
        for slot in [first, second] { table.markStale(slot) }
        #expect(table.staleCount == 1)
        table.markDirty(first, at: 2)
        #expect(table.takeStale() == nil && table.staleCount == 1, "until it is stored")
        #expect(table.takeDirty() == second && table.takeDirty() == first)
        #expect(table.staleCount == 0 && table.takeStale() == nil)
    }

    @Test func anEvictedStreamIsForgottenAndItsPlaceUsedAgain() {
        let table = table()
        let slot = table.intern("a")
        table.apply(slot, fence: 0)
        withText("run-1") { table.replaceSequence(table[slot].header, $0) }
        #expect(table.takeDirty() == slot)
        table.markStale(slot)
        table.evict(slot)
        #expect(table.find("a") == nil && table.count == 0 && table.staleCount == 0)
        #expect(table.dropped.isEmpty, "it has not ended")
        #expect(table.intern("b") == slot && table[slot].header.pointee.sequence == .none)
        #expect(table.takeStale() == nil)
    }

    @Test func aUsedSlotIsNotReleased() {
        let table = table()
        let slot = table.intern("a")
        table.apply(slot, fence: 0)
        table.endBatch(slot)
        #expect(table.find("a") == slot)
    }

    @Test func sequencesAreReplacedOnlyByOthers() {
        let table = table()
        let header = table[table.intern("a")].header
        withText(nil) { table.replaceSequence(header, $0) }
        #expect(header.pointee.sequence == .none)
        withText("x") { table.replaceSequence(header, $0) }
        let first = header.pointee.sequence
        withText("x") { table.replaceSequence(header, $0) }
        #expect(header.pointee.sequence == first)
        withText("") { table.replaceSequence(header, $0) }
        #expect(table.texts.bytes(header.pointee.sequence).baseAddress != nil)
        #expect(table.texts.bytes(header.pointee.sequence).count == 0)
        withText(nil) { table.replaceSequence(header, $0) }
        #expect(header.pointee.sequence == .none)
    }

    /// However far apart changes are, and in whatever order: what is short of them is not what they are.
    @Test func changesFarApartAreTakenOldestFirst() {
        let table = table()
        var generator = Generator(seed: 12)
        var sinces: [Offset] = []
        for index in 0..<6_000 {
            let last = sinces.last ?? 1 << 40
            sinces.append(index % 1_000 == 999 ? last - 70_000 : last + Offset(generator.next() % 3 * 40_000))
            table.apply(table.intern("s\(index)"), fence: sinces[index])
        }
        var taken: [Offset] = []
        while let oldest = table.dirty.oldest, let slot = table.takeDirty() {
            #expect(table[slot].header.pointee.fence == oldest)
            taken.append(oldest)
        }
        #expect(taken == sinces.sorted())
    }

    /// A batch changes slots in the order of its waves: replay must begin at the oldest change all the same.
    @Test func theOldestChangeCountsInWhateverOrderTheyCame() {
        let table = table()
        let sinces: [Offset] = [3, 7, 2900, 2950, 150, 160, 2800, 155]
        for (index, since) in sinces.enumerated() { table.apply(table.intern("s\(index)"), fence: since) }
        var taken: [Offset] = []
        while let oldest = table.dirty.oldest, let slot = table.takeDirty() {
            #expect(table[slot].header.pointee.fence == oldest)
            taken.append(oldest)
        }
        #expect(taken == sinces.sorted())
        table.apply(table.intern("s0"), fence: 3_000)
        table.apply(table.intern("s1"), fence: 2_990)
        #expect(table.takeDirty(before: 2_991) == table.find("s1") && table.takeDirty(before: 3_000) == nil)
    }
}
