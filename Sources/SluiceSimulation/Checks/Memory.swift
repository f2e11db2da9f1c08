import SluiceEngine
import SluiceState

extension Simulation {
    /// A partition was restored: streams in memory are no more than may be there, besides those that a commit must
    /// bring to the changelog or to the store first.
    func checkMemory(_ state: PartitionState) {
        guard let resident = scenario.residentSlots else { return }
        let most = max(1, resident) + state.table.dirtyCount
        guard state.table.count > most else { return }
        fail(
            Violation(
                .boundedMemory,
                "partition \(state.partition) is restored with \(state.table.count) streams in memory, where at most "
                    + "\(most) may be, \(state.table.dirtyCount) of them changed"))
    }
}
