import SluiceCore
import SluiceLog
import SluiceState

extension Worker: RebalanceListener {
    /// How long a revocation may hold the group up: well within the time that a rebalance waits for its members
    /// (`max.poll.interval.ms`, 5 minutes) and the session time-out.
    private static let settleSeconds = 5

    /// Takes partitions in, gated; restoring them is the loop's work.
    package func partitionsAssigned(_ assigned: [Int32]) {
        hasJoined = true
        for partition in assigned where partitions[partition] == nil { gate(partition) }
    }

    /// Finishes what these partitions have folded, then lets them go.
    ///
    /// Within the callback, which keeps the worker from polling for up to `settleSeconds`: with its return the
    /// partitions are another member's, who begins where the group's position stands. What is not committed by then
    /// cannot be any more (the generation is over), and is folded a second time there; at-least-once it also comes
    /// twice. Nothing else of this worker goes on meanwhile, for outputs of all its partitions share one producer and,
    /// exactly-once, one transaction.
    package func partitionsRevoked(_ revoked: [Int32]) {
        if failure == nil && revoked.contains(where: { partitions[$0] != nil }) {
            do { try delivery.settle(self, seconds: Self.settleSeconds) } catch { failure = error }
        }
        release(revoked)
    }

    package func partitionsLost(_ lost: [Int32]) {
        // Someone else folds them already: neither save nor commit.
        if lost.contains(where: { partitions[$0] != nil }) { delivery.lost(self) }
        release(lost)
    }

    private func release(_ gone: [Int32]) {
        for partition in gone {
            partitions.removeValue(forKey: partition)?.store?.close()
            gated.removeValue(forKey: partition)?.cancel()
        }
        isControlStale = true
    }

    func releaseAll() { release(Array(partitions.keys) + Array(gated.keys)) }

    /// Gives up what is folded of every partition and restores it.
    func restoreAll() {
        let owned = Array(partitions.keys) + Array(gated.keys)
        release(owned)
        for partition in owned { gate(partition) }
    }

    private func gate(_ partition: Int32) {
        gated[partition] = Restoration(partition, began: resources.clock.monotonicNanoseconds())
    }

    /// Stops and restarts the input.
    func setPaused(_ isPaused: Bool) throws {
        let owned = Array(partitions.keys)
        if isPaused { try resources.consumer.pause(owned) } else { try resources.consumer.resume(owned) }
        resources.observer.outputBlocked(isPaused)
    }
}
