package import SluiceCore
import SluiceLSTM

extension SlotTable {
    /// The streams of another model's table, as they are when this model takes over before the input at `offset`: h, c,
    /// step, carried values and pending forecasts are the initial ones, as at a boundary; statistics of the inputs that
    /// both models have, anomaly bins, times and fences go on.
    ///
    /// Every slot must be saved anew: what was saved before is another model's.
    package convenience init(
        swapping old: SlotTable, of former: FoldSpecification, to specification: FoldSpecification, at offset: Offset
    ) {
        self.init(layout: specification.layout, initialState: specification.initialState)
        let names = former.model.manifest.inputs
        let sources = specification.model.manifest.inputs.map { names.firstIndex(of: $0) }
        old.forEach { take($0, of: old, sources, offset) }
    }

    /// - Parameter sources: for each input its place in the other table; nil for one that is new.
    private func take(_ source: UInt32, of old: SlotTable, _ sources: [Int?], _ offset: Offset) {
        let slot = unsafe intern(old.key(source))
        let from = unsafe SlotScalars(base: old[source].scalars, layout: old.layout)
        let to = unsafe SlotScalars(base: self[slot].scalars, layout: layout)
        var header = unsafe from.header.pointee
        header.key = unsafe to.header.pointee.key
        header.sequence = .none
        header.batch = 0
        header.batchRows = 0
        header.isDirty = false
        unsafe to.header.pointee = header
        unsafe replaceSequence(to.header, old.texts.bytes(from.header.pointee.sequence))
        for (input, source) in sources.enumerated() {
            if let source { to.store(from.statistics(source), input) }
        }
        ScalarPass.reset(to, cause: .swap, time: header.time, offset: offset, inputs: layout.shape.inputs)
        markDirty(slot)
    }
}
