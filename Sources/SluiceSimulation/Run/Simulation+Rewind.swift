import SluiceCore
import SluiceEngine
import SluiceLog

/// A state as of an earlier offset that somebody was given while the service was at work.
struct EarlierState {
    var stream: String
    var partition: Int32
    var offset: Offset
    /// Normalised; nil: there was none.
    var snapshot: [UInt8]?
}

extension Simulation {
    /// Somebody asks for the state of a stream as of an offset that has been answered. Workers go on meanwhile, and
    /// what befalls a process at its calls befalls this one too. What it is given is checked when the run is over.
    ///
    /// - Returns: whether it was given one, or none for there was none.
    /// - Throws: a `Violation` for a refusal that is not clean.
    func rewind(_ fault: Fault) throws -> Bool {
        let partition = Int32(fault.process % scenario.partitions)
        guard let committed = cluster.group.committed[partition]?.offset else { return false }
        let offset = cluster.random.within(0...committed)
        let number = Int(fault.amount) / scenario.partitions * scenario.partitions + Int(partition)
        let (stream, origin) = ("stream-\(number)", Checker.origin(self, partition))
        do {
            let found = try makeRewind(as: cluster.random.below(processes.count)).export(
                stream, partition: partition, before: offset, origin: origin
            ) { _ in goOn() }
            let snapshot = found.map { SnapshotText.normalised($0.snapshot) }
            earlierStates.append(
                EarlierState(stream: stream, partition: partition, offset: offset, snapshot: snapshot))
            return true
        } catch is Crash {
            return false
        } catch let error as SluiceError where error.code == .lostInput || error.retry != .never {
            observer.say("\(stream) of \(partition) before \(offset) is refused: \(error)")
            return false
        } catch {
            throw Violation(.earlierState, "\(stream) of \(partition) before \(offset): \(error)")
        }
    }
}
