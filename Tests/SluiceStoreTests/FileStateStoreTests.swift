import Foundation
import SluiceCore
import SluiceState
import Testing

@testable import SluiceStore

@Suite struct FileStateStoreTests {
    private func position(_ offset: Offset, control: Offset = 0) -> StorePosition {
        StorePosition(offset: offset, controlOffset: control, modelHash: modelHash)
    }

    /// Three frames: everything, a change with a dropped stream, another change.
    private func threeFrames(_ folder: TemporaryFolder) throws -> [(end: Int, fences: [String: Offset])] {
        let store = try folder.open().makeStore()
        let slots = try Slots()
        var frames: [(end: Int, fences: [String: Offset])] = []
        slots.set("a", fence: 0)
        slots.set("b", fence: 1)
        try slots.save(to: store, at: 10)
        frames.append((try folder.read().count, slots.fences))
        slots.end("a")
        slots.set("b", fence: 11)
        try slots.save(to: store, at: 20, control: 3)
        frames.append((try folder.read().count, slots.fences))
        slots.set("a", fence: 21)
        slots.set("c", fence: 22)
        try slots.save(to: store, at: 30)
        frames.append((try folder.read().count, slots.fences))
        return frames
    }

    @Test func whatWasSavedIsLoaded() throws {
        let folder = try TemporaryFolder()
        #expect(try Slots.load(try folder.open().makeStore()) == nil)
        let frames = try threeFrames(folder)
        let store = try folder.open().makeStore()
        let (position, fences) = try #require(try Slots.load(store))
        #expect(position == self.position(30))
        #expect(fences == frames[2].fences)
        #expect(fences == ["a": 21, "b": 11, "c": 22])
        #expect(try Slots.load(store, 1) == nil, "each partition has its own file")
    }

    @Test func aTornLastFrameFallsBackToTheOneBefore() throws {
        let folder = try TemporaryFolder()
        let frames = try threeFrames(folder)
        let whole = try folder.read()
        let store = try folder.open().makeStore()
        for length in 0..<whole.count {
            try folder.write(whole[..<length])
            let loaded = try Slots.load(store)
            let good = frames.lastIndex { $0.end <= length }
            #expect(loaded?.0.offset == good.map { Offset(10 * ($0 + 1)) }, "\(length)")
            #expect(loaded?.1 == good.map { frames[$0].fences })
            #expect(store.wantsEverything(0) == (good == nil))
        }
    }

    @Test func afterATornFrameTheNextOneFollowsTheLastGoodOne() throws {
        let folder = try TemporaryFolder()
        let frames = try threeFrames(folder)
        try folder.write(try folder.read().dropLast(5))
        let store = try folder.open().makeStore()
        #expect(try Slots.load(store)?.0.offset == 20)
        let slots = try Slots()
        slots.set("d", fence: 29)
        try slots.save(to: store, at: 35)
        let (position, fences) = try #require(try Slots.load(store))
        #expect(position.offset == 35)
        #expect(fences == frames[1].fences.merging(["d": 29]) { $1 })
    }

    @Test func everyBitFlipIsNoticed() throws {
        let folder = try TemporaryFolder()
        let frames = try threeFrames(folder)
        var bytes = try folder.read()
        let store = try folder.open().makeStore()
        for bit in stride(from: 0, to: bytes.count * 8, by: 5) {
            bytes[bit / 8] ^= 1 << (bit % 8)
            try folder.write(bytes)
            let broken = frames.firstIndex { bit / 8 < $0.end } ?? 0
            let loaded = try Slots.load(store)
            #expect(loaded?.0.offset == (broken == 0 ? nil : Offset(10 * broken)), "bit \(bit)")
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
    }

    @Test func aLengthBeyondAllMeasureIsATornFrame() throws {
        let folder = try TemporaryFolder()
        _ = try threeFrames(folder)
        var bytes = try folder.read()
        for index in 8..<16 { bytes[index] = 0xFF }
        try folder.write(bytes)
        #expect(try Slots.load(try folder.open().makeStore()) == nil)
    }

    @Test func changesAloneAreNoBeginning() throws {
        let folder = try TemporaryFolder()
        let frames = try threeFrames(folder)
        try folder.write(try folder.read()[frames[0].end...])
        let store = try folder.open().makeStore()
        #expect(try Slots.load(store) == nil)
        #expect(store.wantsEverything(0))
        let slots = try Slots()
        #expect(throws: SluiceError.self) {
            try store.save(0, position(1), StoreChanges(), isEverything: false)
        }
        slots.set("x", fence: 1)
        try slots.save(to: store, at: 2)
        #expect(try Slots.load(store)?.1 == ["x": 1])
    }

    @Test func changesAreAppendedUntilEverythingIsAskedFor() throws {
        let folder = try TemporaryFolder()
        let store = try folder.open().makeStore()
        let slots = try Slots()
        slots.set("a", fence: 0)
        #expect(store.wantsEverything(0))
        try slots.save(to: store, at: 1)
        let first = try folder.read()
        slots.set("b", fence: 1)
        #expect(!store.wantsEverything(0))
        try slots.save(to: store, at: 2)
        #expect(try folder.read().starts(with: first))
        store.discard(0)
        #expect(store.wantsEverything(0))
        try slots.save(to: store, at: 2)
        #expect(try Slots.load(store)?.1 == ["a": 0, "b": 1])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state").sorted()
                == ["identity", "lock", "observations-0.slots"])
    }

    @Test func aFileThatOutgrewItsSlotsIsWrittenAnew() throws {
        let folder = try TemporaryFolder()
        let store = FileStateStore(directory: try folder.open(), appendedMinimum: 1_000)
        let slots = try Slots()
        slots.set("a", fence: 0)
        var largest = 0
        for offset in 1..<100 {
            slots.set("a", fence: Offset(offset))
            try slots.save(to: store, at: Offset(offset + 1))
            largest = max(largest, try folder.read().count)
        }
        #expect(largest < 2_000)
        #expect(try Slots.load(store)?.1 == ["a": 99])
    }

    @Test func anEmptyStateIsAStateToo() throws {
        let folder = try TemporaryFolder()
        let store = try folder.open().makeStore()
        try Slots().save(to: store, at: 7, control: 2)
        let (position, fences) = try #require(try Slots.load(store))
        #expect(position == self.position(7, control: 2) && fences.isEmpty)
    }

    @Test func recordsOfAnotherModelAreTheReadersToRefuse() throws {
        let folder = try TemporaryFolder()
        _ = try threeFrames(folder)
        let store = try folder.open().makeStore()
        let other = try SlotSnapshot(layout: Slots.specification.layout, modelHash: String(repeating: "b", count: 64))
        let table = try Slots().table
        #expect(throws: SluiceError.self) {
            try store.load(0) { kind, bytes in
                if kind == .snapshot { _ = try other.restore(bytes, into: table) }
            }
        }
        #expect(store.wantsEverything(0))
    }

    /// Holds a written frame against the bytes that `schemas/snapshot.md` states, read here by hand.
    @Test func aFrameIsAsTheSpecificationSays() throws {
        let folder = try TemporaryFolder()
        let store = try folder.open().makeStore()
        let slots = try Slots()
        slots.set("a", fence: 0)
        try slots.save(to: store, at: 0x0102, control: 5)
        let first = try folder.read()
        slots.end("a")
        try slots.save(to: store, at: 0x0103, control: 6)
        let second = Array(try folder.read()[first.count...])
        func integer(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
            (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
        }
        for (frame, flags, offset, control) in [(first, 1, 0x0102, 5), (second, 0, 0x0103, 6)]
            as [([UInt8], UInt8, UInt64, UInt64)]
        {
            #expect(Array(frame[..<8]) == Array("SLST".utf8) + [1, 0, flags, 0])
            #expect(integer(frame, 8, 8) == UInt64(frame.count - 24))
            let seed = frame[24..<104].withUnsafeBytes { xxHash64($0) }
            #expect(integer(frame, 16, 8) == frame[104...].withUnsafeBytes { xxHash64($0, seed: seed) })
            #expect(integer(frame, 24, 8) == offset && integer(frame, 32, 8) == control)
            #expect(Array(frame[40..<104]) == Array(modelHash.utf8))
        }
        var snapshot = ByteArena()
        let fresh = try Slots()
        fresh.set("a", fence: 0)
        fresh.table.forEach { fresh.format.write($0, of: fresh.table, to: &snapshot) }
        let length = UInt8(snapshot.count)
        #expect(Array(first[104..<109]) == [0, length, 0, 0, 0])
        #expect(first[109...].elementsEqual(snapshot.bytes))
        #expect(Array(second[104...]) == [1, 1, 0, 0, 0] + Array("a".utf8))
    }
}
