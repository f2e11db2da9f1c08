package import SluiceCore
package import SluiceState

/// What was lately predicted in a partition, for people; bounded, overwritten in turn.
package struct RecentRing {
    package struct Entry: Sendable {
        package var keyHash: UInt64
        package var offset: Offset
        package var time: EpochMilliseconds
        package var step: Int64
        /// First target's value (or the label), NaN where missing.
        package var value: Float
        package var forecast: Float
        /// The forecast's interval: the outer quantiles, or two deviations to either side; NaN for other heads.
        package var low: Float
        package var high: Float
        package var anomaly: Float
        /// The cause of the boundary it begins behind; nil within a run.
        package var boundary: BoundaryCause?
    }

    /// An observation's value, NaN where missing.
    package struct Point: Sendable, Equatable {
        package var offset: Offset
        package var value: Float
    }

    private var entries: [Entry] = []
    private let capacity: Int
    private var next = 0

    package init(capacity: Int) {
        self.capacity = capacity
    }

    @inline(__always)
    package mutating func add(_ entry: @autoclosure () -> Entry) {
        guard capacity > 0 else { return }
        if entries.count < capacity {
            entries.append(entry())
        } else {
            entries[next] = entry()
            next = next + 1 == capacity ? 0 : next + 1
        }
    }

    /// A stream's entries, oldest first, at most `limit` of the latest.
    package func entries(of keyHash: UInt64, limit: Int) -> [Entry] {
        let ordered = entries[next...] + entries[..<next]
        return ordered.filter { $0.keyHash == keyHash }.suffix(limit)
    }

    /// The latest values of several streams by the hash of their keys, each oldest first and at most `limit` of them.
    package func values(of keyHashes: Set<UInt64>, limit: Int) -> [UInt64: [Point]] {
        var found: [UInt64: [Point]] = [:]
        for entry in (entries[next...] + entries[..<next]).reversed() where keyHashes.contains(entry.keyHash) {
            if found[entry.keyHash, default: []].count == limit { continue }
            found[entry.keyHash, default: []].append(Point(offset: entry.offset, value: entry.value))
        }
        return found.mapValues { $0.reversed() }
    }
}
