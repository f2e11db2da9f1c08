package import SluiceCore
import SluiceLSTM
package import SluiceState

/// One stream in a list.
package struct StreamRow: Sendable {
    package var key: String
    package var partition: Int32
    package var step: Int64
    package var sequence: String?
    package var time: EpochMilliseconds
    /// NaN for none, like the two behind it.
    package var forecast: Float
    package var anomaly: Float
    package var error: Float
    /// Latest values of the first target, oldest first; only where asked for.
    package var values: [RecentRing.Point] = []
}

/// A whole slot, for people.
package struct SlotView: Sendable {
    package var row: StreamRow
    /// Last input applied.
    package var fence: Offset
    package var model: String
    package var boundaryCause: BoundaryCause
    package var boundaryTime: EpochMilliseconds
    package var boundaryOffset: Offset
    package var resets: UInt32
    /// Euclidean norm of h and c, `[L]`.
    package var hiddenNorms: [Float]
    package var cellNorms: [Float]
    /// Share of the units of all layers with |h| above 0.95.
    package var saturation: Float
    package var means: [Double]
    package var scales: [Double]
    package var counts: [UInt16]
    package var recent: [RecentRing.Entry]
    /// Observations ahead that the forecasts shown look; 0 for heads without any.
    package var horizon: Int
    /// `[L][H]`, only where asked for.
    package var hidden: [[Float]]?
    package var cell: [[Float]]?
}

/// How far a partition has come.
package struct PartitionView: Sendable {
    package var partition: Int32
    /// The next input to be folded; nil until the state is there that says which that is.
    package var position: Offset?
    /// The first input ever folded; 0 where nothing is known of another one.
    package var origin: Offset
    /// The audit tells of every command that took effect before this input.
    package var committed: Offset
    package var isLive: Bool
    /// Share of the restoring that is done, 0 to 1.
    package var progress: Double
    /// Since something of its state was stored last, with which a restart has less to fold again.
    package var checkpointAgeNanoseconds: Int64?
    package var streams: Int
    package var stateBytes: Int
    /// The version of the model that folds it; nil while there is none yet.
    package var model: String?
}

extension Worker {
    /// Streams in byte order of their keys, the first `limit` behind `after`.
    ///
    /// - Parameter values: how many of each stream's latest values come with it, where they are still remembered.
    /// - Throws: what is wrong with a store.
    package func list(prefix: String, after: String?, limit: Int, values: Int = 0) throws -> [StreamRow] {
        var found: [StreamRow] = []
        for state in partitions.values {
            var nearest = NearestKeys(
                state.table, prefix: Array(prefix.utf8), after: after.map { Array($0.utf8) }, limit: limit)
            state.table.forEach { nearest.consider($0) }
            found += nearest.slots.map { row($0, state) }
            found += try spilled(state, prefix: Array(prefix.utf8), after: after.map { Array($0.utf8) }, limit: limit)
        }
        var rows = Array(found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.prefix(limit))
        if values > 0 { addValues(values, to: &rows) }
        return rows
    }

    /// The first streams that are in the store alone.
    private func spilled(
        _ state: PartitionState, prefix: [UInt8], after: [UInt8]?, limit: Int
    ) throws -> [StreamRow] {
        guard state.spilled > 0 else { return [] }
        var found: [StreamRow] = []
        var last = after
        repeat {
            last = try state.scanSpilled(prefix: prefix, after: last, limit: Limits.pageStreams) { key, value in
                guard found.count < limit else { return }
                let summary = try SlotSnapshot.summary(value)
                let header = summary.header
                let sequence = summary.sequence
                found.append(
                    StreamRow(
                        key: String(decoding: key, as: UTF8.self), partition: state.partition, step: header.step,
                        sequence: sequence.baseAddress == nil ? nil : String(decoding: sequence, as: UTF8.self),
                        time: header.time, forecast: header.forecast, anomaly: header.anomaly, error: header.error))
            }
        } while found.count < limit && last != nil
        return found
    }

    private func addValues(_ limit: Int, to rows: inout [StreamRow]) {
        for (partition, indices) in Dictionary(grouping: rows.indices, by: { rows[$0].partition }) {
            guard let state = partitions[partition] else { continue }
            let hashes = indices.map { index in
                state.inMemory(rows[index].key).map { state.table.hash($0) }
            }
            let found = state.recent.values(of: Set(hashes.compactMap(\.self)), limit: limit)
            for (index, hash) in zip(indices, hashes) { rows[index].values = hash.flatMap { found[$0] } ?? [] }
        }
    }

    /// Streams whose key begins so, by partition.
    ///
    /// - Throws: what is wrong with a store.
    package func count(prefix: String) throws -> [Int32: Int] {
        try partitions.mapValues { state in
            var count = 0
            state.table.forEach { if state.table.key($0).starts(with: prefix.utf8) { count += 1 } }
            return try count + state.spilled(prefix: prefix)
        }
    }

    /// All that is its is here: what it does not know, it does not have.
    package var isWhole: Bool { hasJoined && gated.isEmpty && partitions.values.allSatisfy(\.isLive) }

    /// What the one partition says that knows a stream; nil when none does.
    ///
    /// - Throws: what kept one from looking, where no other knows it.
    private func first<Found>(_ body: (PartitionState) throws -> Found?) throws -> Found? {
        var failure: (any Error)?
        for state in partitions.values {
            do { if let found = try body(state) { return found } } catch { failure = error }
        }
        if let failure { throw failure }
        return nil
    }

    /// The partition on which a stream's slot lives.
    ///
    /// - Throws: as `PartitionState.find`.
    package func partition(of key: String) throws -> Int32? {
        try first { try $0.find(key) == nil ? nil : $0.partition }
    }

    /// A stream's state on its way out; nil when it is not here, or is still on its way back: a slot may be ahead of
    /// its partition until that is live.
    ///
    /// - Throws: as `PartitionState.export`.
    package func export(_ key: String) throws -> SlotExport? {
        try first { $0.isLive ? try $0.export(key) : nil }
    }

    /// Whether a snapshot can be given to a stream on a partition; nil when the partition is not here.
    ///
    /// - Throws: as `PartitionState.check`, why it cannot.
    package func check(_ snapshot: [UInt8], for key: String, on partition: Int32) throws -> Bool? {
        guard let state = partitions[partition] else { return nil }
        try state.check(snapshot, for: key)
        return true
    }

    /// A stream's slot; nil when it is not here.
    ///
    /// - Throws: as `PartitionState.find`.
    package func slot(_ key: String, withState: Bool, recent limit: Int) throws -> SlotView? {
        try first { state in try state.find(key).map { view($0, state, withState, limit) } }
    }

    /// How much of the restoring counts as done before inputs are folded again.
    private static let loadingShare = 0.5

    package func partitionViews() -> [PartitionView] {
        let now = resources.clock.monotonicNanoseconds()
        let waiting = gated.values.map {
            PartitionView(
                partition: $0.partition, position: nil, origin: 0, committed: 0, isLive: false,
                progress: $0.progress * Self.loadingShare, checkpointAgeNanoseconds: nil, streams: 0, stateBytes: 0,
                model: nil)
        }
        let restored = partitions.values.map { state in
            let todo = state.liveFrom - state.replayFrom
            let replayed = todo <= 0 ? 1 : min(1, Double(state.position - state.replayFrom) / Double(todo))
            let progress = Self.loadingShare + (1 - Self.loadingShare) * replayed
            return PartitionView(
                partition: state.partition, position: state.position, origin: state.origin ?? 0,
                committed: committed(state), isLive: state.isLive, progress: progress,
                checkpointAgeNanoseconds: state.savedNanoseconds.map { now - $0 }, streams: state.streams,
                stateBytes: state.table.memoryBytes, model: state.model)
        }
        return (waiting + restored).sorted { $0.partition < $1.partition }
    }

    /// At least once, a command's record is delivered before anything behind it is folded; in a transaction it is there
    /// when that is committed, as the store then knows.
    private func committed(_ state: PartitionState) -> Offset {
        switch resources.delivery {
        case .atLeastOnce: max(state.position, state.liveFrom)
        case .exactlyOnce: max(state.store?.position?.offset ?? 0, state.liveFrom)
        }
    }

    private func row(_ slot: UInt32, _ state: PartitionState) -> StreamRow {
        let header = state.table[slot].header.pointee
        let sequence = state.table.texts.bytes(header.sequence)
        return StreamRow(
            key: String(decoding: state.table.key(slot), as: UTF8.self), partition: state.partition, step: header.step,
            sequence: sequence.baseAddress == nil ? nil : String(decoding: sequence, as: UTF8.self), time: header.time,
            forecast: header.forecast, anomaly: header.anomaly, error: header.error)
    }

    private func view(_ index: UInt32, _ state: PartitionState, _ withState: Bool, _ limit: Int) -> SlotView {
        let slot = state.table[index]
        let header = slot.header.pointee
        let scalars = SlotScalars(base: slot.scalars, layout: state.fold.layout)
        let shape = state.fold.layout.shape
        func part(_ which: Int) -> [[Float]] {
            (0..<shape.layers).map { layer in
                let start = slot.state + (2 * layer + which) * shape.paddedHidden
                return Array(UnsafeBufferPointer(start: start, count: shape.hidden))
            }
        }
        func norm(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        let (hidden, cell) = (part(0), part(1))
        let statistics = (0..<shape.inputs).map(scalars.statistics)
        let saturated = hidden.joined().count { $0.magnitude > 0.95 }
        return SlotView(
            row: row(index, state), fence: header.fence, model: state.model, boundaryCause: header.boundaryCause,
            boundaryTime: header.boundaryTime, boundaryOffset: header.boundaryOffset, resets: header.resets,
            hiddenNorms: hidden.map(norm), cellNorms: cell.map(norm),
            saturation: Float(saturated) / Float(shape.layers * shape.hidden),
            means: statistics.map(\.mean), scales: statistics.map { $0.variance.squareRoot() },
            counts: statistics.map(\.count), recent: state.recent.entries(of: state.table.hash(index), limit: limit),
            horizon: state.fold.specification.ringLength, hidden: withState ? hidden : nil,
            cell: withState ? cell : nil)
    }
}

/// The first keys in byte order behind a given one, without sorting a million of them.
private struct NearestKeys {
    private let table: SlotTable
    private let prefix: [UInt8]
    private let after: [UInt8]?
    private let limit: Int
    private(set) var slots: [UInt32] = []

    init(_ table: SlotTable, prefix: [UInt8], after: [UInt8]?, limit: Int) {
        self.table = table
        self.prefix = prefix
        self.after = after
        self.limit = limit
    }

    mutating func consider(_ slot: UInt32) {
        let key = table.key(slot)
        guard key.starts(with: prefix) else { return }
        if let after, !after.lexicographicallyPrecedes(key) { return }
        if slots.count == limit {
            guard let last = slots.last, key.lexicographicallyPrecedes(table.key(last)) else { return }
            slots.removeLast()
        }
        var (low, high) = (0, slots.count)
        while low < high {
            let middle = (low + high) / 2
            if table.key(slots[middle]).lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
        }
        slots.insert(slot, at: low)
    }
}
