import SluiceCore
import SluiceLog
import SluiceState
import Testing

@testable import SluiceEngine

/// States are stored some at a time, so that a million new ones are not encoded beside themselves.
@Suite struct StoringTests {
    private static let records = numbered(
        (0..<160).map { Record("stream-\($0 * 7 % 40)", Int64($0) * 1_000, Float($0 % 11)) })

    private func slots(_ log: SimulatedLog) -> Int {
        log.saved[0]?.entries.keys.count { key in key.withUnsafeBytes { ChangelogKey.isStream($0) } } ?? 0
    }

    @Test func noWriteHoldsMoreThanItsBytes() throws {
        let log = SimulatedLog()
        log.append(Self.records)
        let stride = WorkerRig.specification.layout.stride
        let rig = try WorkerRig(log, checkpointPolls: 10_000, changesBytes: 3 * stride)
        try rig.run()
        #expect(slots(log) == 40)
        #expect(log.trace.count { $0 == "save" } >= 14)
        #expect(log.saved[0]?.position.offset == 160 && log.saved[0]?.position.replayFrom == 160)
    }

    /// Behind a crash between two of the writes the rest is folded again, and no answer is another.
    @Test(arguments: [false, true]) func aCrashBetweenTwoWritesLosesNothing(crashesAfter: Bool) throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        var (crashAt, behind) = (1, 0)
        var crashed = true
        while crashed {
            let log = SimulatedLog()
            log.append(Array(Self.records[..<120]))
            (log.crashAt, log.crashesAfter, crashed) = (crashAt, crashesAfter, false)
            do {
                try WorkerRig(log, seed: UInt64(crashAt), changesBytes: 0).run()
            } catch is Crash { crashed = true }
            if let position = log.saved[0]?.position, position.replayFrom < position.offset { behind += 1 }
            log.revive()
            log.append(Array(Self.records[120...]))
            try WorkerRig(log, changesBytes: 0).run()
            #expect(log.repeats(reference), "crash at \(crashAt)")
            #expect(slots(log) == 40 && log.saved[0]?.position.replayFrom == 160)
            crashAt += 1
        }
        #expect(behind > 20, "crashes that left some of the states behind")
    }

    @Test func memoryThatOneLargeUseTookIsGivenBack() {
        var arena = ByteArena()
        let block = [UInt8](repeating: 7, count: 1 << 20)
        func use(_ blocks: Int) {
            for _ in 0..<blocks { block.withUnsafeBytes { arena.append($0) } }
            #expect(arena.bytes.allSatisfy { $0 == 7 } && arena.count == blocks << 20)
            arena.removeAll()
        }
        use(32)
        #expect(arena.capacity >= 32 << 20, "at once it is kept")
        for _ in 0..<10 { use(32) }
        #expect(arena.capacity >= 32 << 20)
        for _ in 0..<100 { use(1) }
        #expect(arena.capacity <= 8 << 20)
        let kept = arena.capacity
        for _ in 0..<100 { use(1) }
        #expect(arena.capacity == kept, "it settles")
    }

    /// What is under way stays, so that it may be asked at any time.
    @Test func memoryMayBeGivenBackBetweenAnyTwoPolls() throws {
        let reference = try SimulatedLog.uninterrupted(Self.records)
        let log = SimulatedLog()
        log.append(Self.records)
        let rig = try WorkerRig(log, openBytes: 4 << 20)
        var stored: [Bool] = []
        try rig.run { [worker = rig.worker] _ in
            worker.releaseMemory()
            stored.append(worker.isAllStored)
        }
        #expect(log.outputs == reference.outputs)
        #expect(stored.contains(false) && stored.last == true)
    }

    @Test func aBatchGivesBackWhatABurstTookAndWhatItIsAskedFor() {
        var batch = OutputBatch()
        func use(_ entries: Int) {
            let value = batch.arena.count..<batch.arena.count + 256
            for _ in 0..<entries {
                _ = batch.arena.reserve(256)
                batch.arena.advance(by: 256)
                batch.entries.append(OutputBatch.Entry(topic: .predictions, partition: 0, key: nil, value: value))
            }
        }
        use(1 << 17)
        batch.releaseMemory()
        #expect(batch.entries.count == 1 << 17, "it is not empty")
        batch.removeAll()
        #expect(batch.entries.capacity >= 1 << 17, "at once it is kept")
        for _ in 0..<100 {
            use(1 << 10)
            batch.removeAll()
        }
        #expect(batch.entries.capacity < 1 << 13)
        batch.releaseMemory()
        #expect(batch.entries.capacity == 0 && batch.arena.capacity < 1 << 18)
    }
}
