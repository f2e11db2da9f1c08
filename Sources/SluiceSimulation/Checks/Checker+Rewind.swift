import SluiceCore
import SluiceEngine

extension Checker {
    /// Earlier states looked at in each partition.
    private static let rewinds = 4

    /// Some states of streams at earlier offsets, rebuilt from what the log still holds.
    ///
    /// - Parameter rewind: as the service makes it.
    func checkRewinds(_ rewind: SlotRewind) throws {
        var random = SimulationRandom(seed: scenario.workloadSeed ^ 2)
        for (index, reference) in references.enumerated() {
            let partition = Int32(index)
            let log = try cluster.log(TopicPartition(topic: Topics.input, partition: partition))
            for _ in 0..<Self.rewinds {
                let (stream, offset) = ("stream-\(random.below(scenario.streams))", random.within(0...log.high))
                do {
                    let found = try rewind.export(
                        stream, partition: partition, before: offset, origin: reference.origin)
                    try check(found.map { SnapshotText.normalised($0.snapshot) }, stream, partition, offset, reference)
                } catch let error as SluiceError where error.code == .lostInput && log.low > 0 {
                    continue
                } catch let error as SluiceError {
                    throw Violation(.earlierState, "\(stream) of \(partition) before \(offset): \(error)")
                }
            }
        }
    }

    /// What was given while the service was at work.
    func checkRewinds(_ states: [EarlierState]) throws {
        for state in states {
            try check(
                state.snapshot, state.stream, state.partition, state.offset, references[Int(state.partition)])
        }
    }

    private func check(
        _ found: [UInt8]?, _ stream: String, _ partition: Int32, _ offset: Offset, _ reference: Reference
    ) throws {
        let stages = reference.stages(of: Array(stream.utf8), at: offset)
        // Nothing before the first thing that was done to it, and that may have been a command at this very offset.
        let isUnseen = stages.allSatisfy { $0.from == offset } && !reference.isKnown(Array(stream.utf8), before: offset)
        if isUnseen && found == nil || stages.contains(where: { $0.bytes == found }) { return }
        throw Violation(
            .earlierState,
            "\(stream) of \(partition) before \(offset) is \(found == nil ? "none" : "another slot") when it is rebuilt"
        )
    }
}
