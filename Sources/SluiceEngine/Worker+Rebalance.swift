import SluiceCore
import SluiceLog

extension Worker: RebalanceListener {
    /// Takes partitions in, gated; restoring them is the loop's work.
    package func partitionsAssigned(_ assigned: [Int32]) {
        hasJoined = true
        for partition in assigned where partitions[partition] == nil { gated.insert(partition) }
    }

    /// Finishes what these partitions have folded, then lets them go.
    package func partitionsRevoked(_ revoked: [Int32]) {
        let leaving = revoked.compactMap { partitions[$0] }
        if failure == nil && !leaving.isEmpty {
            do { try settle(leaving, attempts: 5) } catch { failure = error }
        }
        release(revoked)
    }

    package func partitionsLost(_ lost: [Int32]) {
        // Someone else folds them already: neither save nor commit.
        release(lost)
    }

    private func release(_ gone: [Int32]) {
        for partition in gone { partitions[partition] = nil }
        gated.subtract(gone)
        isControlStale = true
    }
}
