package import SluiceCore
import SluiceLSTM

extension SlotTable {
    /// The streams of another model's table, as they are when this model takes over before the input at `offset`: h, c,
    /// step, carried values and pending forecasts are the initial ones, as at a boundary; statistics of the inputs that
    /// both models have, anomaly bins, times and fences go on.
    ///
    /// What was dirty stays so. What was stored is stale: it comes to this by the swap's marker.
    package convenience init(
        swapping old: SlotTable, of former: FoldSpecification, to specification: FoldSpecification, at offset: Offset
    ) {
        self.init(layout: specification.layout, initialState: specification.initialState)
        let names = former.model.manifest.inputs
        let sources = specification.model.manifest.inputs.map { names.firstIndex(of: $0) }
        var places = unsafe [UInt32](repeating: .max, count: Int(old.used))
        old.forEach { places[Int($0)] = take($0, of: old, sources, offset) }
        unsafe old.dirty.forEach { entry in
            let slot = places[Int(entry.slot)]
            if slot != .max { markDirty(slot, at: entry.since) }
        }
        for slot in places where slot != .max { markStale(slot) }
        unsafe dropped = unsafe old.dropped
    }

    /// - Parameter sources: for each input its place in the other table; nil for one that is new.
    private func take(_ source: UInt32, of old: SlotTable, _ sources: [Int?], _ offset: Offset) -> UInt32 {
        let slot = unsafe intern(old.key(source))
        let from = unsafe SlotScalars(base: old[source].scalars, layout: old.layout)
        let to = unsafe SlotScalars(base: self[slot].scalars, layout: layout)
        var header = unsafe from.header.pointee
        header.key = unsafe to.header.pointee.key
        header.sequence = .none
        header.batch = 0
        header.batchRows = 0
        header.isDirty = false
        header.isStale = false
        unsafe to.header.pointee = header
        unsafe replaceSequence(to.header, old.texts.bytes(from.header.pointee.sequence))
        for (input, source) in sources.enumerated() {
            if let source { to.store(from.statistics(source), input) }
        }
        ScalarPass.reset(to, cause: .swap, time: header.time, offset: offset, inputs: layout.shape.inputs)
        return slot
    }
}
