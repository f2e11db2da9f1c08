import Foundation
import Synchronization

/// Lets the workers of a service leave their group together. The first that leaves makes the group rebalance, and until
/// that is over a broker may refuse the commits of the others.
package final class Departure: Sendable {
    /// A worker that cannot deliver takes longer; the others do not wait for it.
    private static let waitSeconds = 10.0

    /// Workers that have not settled what they folded.
    private let unsettled: Mutex<Set<Int>>

    package init(workers: Int) { unsettled = Mutex(Set(0..<workers)) }

    /// A worker has settled, or is gone.
    package func settled(_ worker: Int) { unsettled.withLock { _ = $0.remove(worker) } }

    /// Returns when all have settled, or after ten seconds.
    package func wait() {
        let end = Date(timeIntervalSinceNow: Self.waitSeconds)
        while !unsettled.withLock(\.isEmpty) && Date() < end { Thread.sleep(forTimeInterval: 0.01) }
    }
}
