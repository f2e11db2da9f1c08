import SluiceCore
import SluiceLSTM
import SluiceTestKit
import Testing

@testable import SluiceState

/// Commands to all streams of a table: slots that have not come through yet must not be told from those that have.
@Suite struct LazyCommandTests {
    private static let first = FoldSpecification(model: model(hidden: 3, layers: 2, learned: true))
    private static let second = FoldSpecification(model: model(hidden: 5, layers: 1, learned: true))

    /// 3,000 streams in three pages, with a state of their own, every seventh stored already and every eleventh ended.
    private func table() -> SlotTable {
        let table = SlotTable(Self.first)
        for index in 0..<3_000 {
            let slot = table.intern("\(index % 2 == 0 ? "even" : "odd")-\(index)")
            table.apply(slot, fence: Offset(index))
            table[slot].header.pointee.step = 5
            table[slot].state[0] = Float(index)
            withText("run-\(index)") { table.replaceSequence(table[slot].header, $0) }
            if index % 7 == 0 { _ = table.takeChange(slot) }
            if index % 11 == 0 {
                table.end(slot)
                table.endBatch(slot)
            }
        }
        return table
    }

    private func swapped() -> SlotTable {
        SlotTable(swapping: table(), of: Self.first, to: Self.second, at: 5_000)
    }

    /// All that is known of a stream.
    private func facts(_ table: SlotTable, _ key: String) -> String {
        guard let slot = table.find(key) else { return "none" }
        let header = table[slot].header.pointee
        let state = UnsafeBufferPointer(start: table[slot].state, count: table.layout.shape.stateFloats)
        let sequence = String(decoding: table.texts.bytes(header.sequence), as: UTF8.self)
        return "\(header.fence) \(header.step) \(header.resets) \(header.boundaryCause) \(header.boundaryOffset) "
            + "\(header.isDirty) \(header.isStale) \(sequence) \(Array(state))"
    }

    private func keys() -> [String] { (0..<3_001).map { "\($0 % 2 == 0 ? "even" : "odd")-\($0)" } }

    private func expectTheSame(_ lazy: SlotTable, as settled: SlotTable) {
        #expect(lazy.count == settled.count)
        let keys = keys()
        #expect(keys.map { facts(lazy, $0) } == keys.map { facts(settled, $0) })
        #expect(lazy.dropped == settled.dropped)
    }

    @Test(arguments: [0, 1, 1_500])
    func aSwapIsTheSameForWhoeverIsHeardOfFirst(looked: Int) {
        let (lazy, settled) = (swapped(), swapped())
        #expect(settled.settle() == nil && settled.isSettled)
        lazy.settle(limit: looked)
        #expect(!lazy.isSettled && lazy.hasStale && lazy.count == settled.count)
        for index in stride(from: 0, to: 3_000, by: 13) { _ = lazy.find(keys()[index]) }
        expectTheSame(lazy, as: settled)
        lazy.settle()
        #expect(lazy.isSettled)
        expectTheSame(lazy, as: settled)
    }

    @Test(arguments: [0, 700, 1_500])
    func whatWasDirtyBeforeASwapIsTakenOldestFirst(looked: Int) {
        let (lazy, settled) = (swapped(), swapped())
        settled.settle()
        lazy.settle(limit: looked)
        _ = lazy.find("even-2000")
        for table in [lazy, settled] {
            table.apply(table.intern("new"), fence: 5_001)
            table.markDirty(table.intern("odd-7"), at: 5_002)
        }
        lazy.settle(limit: looked)
        var order: [String] = []
        while let oldest = settled.oldestChange {
            #expect(lazy.oldestChange == oldest)
            let (slot, expected) = (lazy.takeDirty(before: oldest + 1), settled.takeDirty(before: oldest + 1))
            #expect(slot.map(lazy.text) == expected.map(settled.text))
            if let expected { order.append(settled.text(expected)) }
        }
        #expect(lazy.oldestChange == nil && lazy.takeDirty() == nil)
        #expect(order.count == 2_339)
        #expect(order.last == "new")
    }

    @Test func pagesOfTheFormerModelGoAsTheirStreamsCome() {
        let lazy = swapped()
        let before = lazy.memoryBytes
        lazy.settle(limit: 1_024)
        #expect(lazy.memoryBytes < before + 1_024 * lazy.layout.stride, "a page came, and a page went")
        lazy.settle()
        #expect(slotBytes(lazy) == slotBytes(swapped(andSettled: ())))
    }

    /// Without the lists: what an array of so many elements takes is malloc's affair, and differs from one to the next.
    private func slotBytes(_ table: SlotTable) -> Int {
        table.memoryBytes - table.dirty.memoryBytes - (table.held?.capacity ?? 0) * MemoryLayout<Held>.stride
    }

    private func swapped(andSettled: Void) -> SlotTable {
        let table = swapped()
        table.settle()
        return table
    }

    @Test(arguments: [0, 1, 1_500])
    func aResetOfManyIsTheSameForWhoeverIsHeardOfFirst(looked: Int) {
        let (lazy, settled) = (table(), table())
        for table in [lazy, settled] { table.reset(prefix: Array("even-".utf8), at: 5_000, control: 3) }
        let matched = settled.settle()
        #expect(matched == 1_364 - 1 && settled.isSettled, "all that are even and have not ended")
        #expect(lazy.settle(limit: looked) == nil && lazy.hasStale)
        for index in stride(from: 0, to: 3_000, by: 13) { _ = lazy.find(keys()[index]) }
        lazy.reset(lazy.intern("even-4"), at: 5_000)
        #expect(lazy.settle() == matched, "each is counted once")
        expectTheSame(lazy, as: settled)
    }

    @Test func whoeverComesBehindAResetOfManyIsNotSetBack() {
        let table = table()
        table.reset(prefix: [], at: 5_000, control: 3)
        for index in 0..<400 {
            let slot = table.intern("fresh-\(index)")
            table.apply(slot, fence: 5_000 + Offset(index))
            table[slot].header.pointee.step = 9
        }
        table.settle()
        for index in 0..<400 {
            #expect(table.find("fresh-\(index)").map { table[$0].header.pointee.step } == 9)
        }
    }

    @Test func aSlotIsNotStoredBeforeItHasComeThrough() {
        let table = table()
        table.reset(prefix: [], at: 5_000, control: 3)
        while let slot = table.takeDirty() { #expect(table[slot].header.pointee.boundaryOffset == 5_000) }
        #expect(table.hasStale)
        while let slot = table.takeStale() { #expect(table[slot].header.pointee.boundaryOffset == 5_000) }
        table.settle()
        while let slot = table.takeStale() { #expect(table[slot].header.pointee.boundaryOffset == 5_000) }
        #expect(!table.hasStale)
    }

    /// Its marker could be gone before it is heard of again.
    @Test func aSlotThatHasNotComeThroughDoesNotCountAsStored() throws {
        let table = table()
        let slot = try #require(table.find("odd-7"))
        #expect(table.isStored(slot))
        table.reset(prefix: [], at: 5_000, control: 3)
        #expect(!table.isStored(slot))
    }
}
