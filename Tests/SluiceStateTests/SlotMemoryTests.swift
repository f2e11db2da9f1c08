import SluiceCore
import SluiceLSTM
import SluiceTestKit
import Testing

@testable import SluiceState

/// What a stream takes.
@Suite struct SlotMemoryTests {
    /// 1.3 × h and c, and 100 MB, for a million streams of 64 units with keys of 13 bytes, all of them dirty: five
    /// features fit, and eight are above it by a thirteenth; their means and variances are Doubles.
    @Test(arguments: [(5, 0), (8, 13)]) func aSlotFitsTheMemoryTarget(features: Int, above: Int) {
        let layout = SlotLayout(
            shape: LSTMShape(inputs: features, hidden: 64, layers: 1, outputs: 1), targets: 1, ringLength: 1)
        let streams = 1_000_000
        #expect(layout.stride == 512 + 92 + (features * 22 + 3) / 4 * 4 + 8)
        // Entries of the index, at most three quarters of which are in use; text; slot and change in the dirty list.
        let bytes = streams * (layout.stride + 13 + 4 + 2) + (1 << 21) * 4
        let target = streams * 512 * 13 / 10 + 100_000_000
        #expect(bytes + 5 * streams <= target + (above == 0 ? 0 : target / above))
    }

    /// The formula above is what the table says of itself.
    @Test func aTableTakesWhatItsPartsTake() {
        let specification = FoldSpecification(model: model(inputs: 8, hidden: 64))
        let table = SlotTable(specification)
        let streams = 40_960
        for index in 0..<streams {
            let digits = String(1_000_000 + index)
            table.apply(table.intern("stream" + digits), fence: Offset(index))
        }
        let parts = streams * (table.layout.stride + 13) + 65_536 * 4 + table.dirty.memoryBytes
        #expect(table.memoryBytes == parts)
        // The dirty list has room for what comes next.
        #expect(table.dirty.memoryBytes < 2 * 6 * streams + 4_096)
    }

    @Test func theListOfChangesGoesWithTheLastOfMany() {
        let table = SlotTable(FoldSpecification(model: model(inputs: 8, hidden: 64)))
        for index in 0..<100_000 { table.apply(table.intern("stream-\(index)"), fence: Offset(index)) }
        #expect(table.dirty.memoryBytes >= 600_000)
        while table.takeDirty() != nil {}
        #expect(table.dirty.memoryBytes < 1_000)
    }

    @Test(arguments: [Timestamp.range.lowerBound, -1, 0, 1 << 40, Timestamp.range.upperBound - 1])
    func headersHoldEveryTime(time: EpochMilliseconds) {
        var header = SlotHeader()
        #expect(header.time == .absent && header.boundaryTime == .absent && !header.isUsed)
        (header.time, header.boundaryTime) = (time, time)
        #expect(header.time == time && header.boundaryTime == time && header.isUsed)
    }

    @Test func headersHoldEveryOffset() {
        var generator = Generator(seed: 3)
        var header = SlotHeader()
        #expect(header.fence == -1 && header.boundaryOffset == -1 && header.step == 0)
        for _ in 0..<1_000 {
            let numbers = (0..<3).map { _ in Int64(generator.next() >> (17 + generator.next() % 40)) }
            (header.fence, header.step, header.boundaryOffset) = (numbers[0], numbers[1], numbers[2])
            #expect([header.fence, header.step, header.boundaryOffset] == numbers)
        }
        header.fence = -1
        #expect(header.fence == -1)
    }

    @Test func flagsCauseAndCountDoNotTouchEachOther() {
        var header = SlotHeader()
        for cause in BoundaryCause.allCases {
            for count: UInt16 in [0, 255, 256] {
                for flags in 0..<4 {
                    (header.isDirty, header.isStale) = (flags & 1 != 0, flags & 2 != 0)
                    (header.errorCount, header.boundaryCause) = (count, cause)
                    #expect(header.errorCount == count && header.boundaryCause == cause)
                    #expect(header.isDirty == (flags & 1 != 0) && header.isStale == (flags & 2 != 0))
                }
            }
        }
    }

    /// What restored slots hold is remembered by slot, for no other stream that comes in its place, and not for good.
    @Test func whatASlotHoldsGoesWithItsStream() {
        let table = SlotTable(FoldSpecification(model: model()))
        let slots = ["a", "b", "c"].map { table.intern($0) }
        table.hold(slots[1], position: 10, control: 3)
        #expect(table.holds(slots[1], input: 9) && !table.holds(slots[1], input: 10))
        #expect(table.holds(slots[1], 2) && !table.holds(slots[1], 3))
        #expect(!table.holds(slots[0], input: 0) && !table.holds(slots[2], 0))
        table.endBatch(slots[1])
        #expect(table.intern("d") == slots[1] && !table.holds(slots[1], input: 9))
        table.hold(slots[0], position: 10, control: 3)
        table.forgetHeld()
        table.hold(slots[2], position: 10, control: 3)
        #expect(!table.holds(slots[0], input: 9) && !table.holds(slots[2], input: 9))
    }
}
