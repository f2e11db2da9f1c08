public import SluiceCore
import SluiceLSTM

/// Streams of the model before that have not been heard of since another took over: they come when they are, or in
/// their turn, so that a million of them keep no observation waiting.
struct FormerTable {
    let table: SlotTable
    /// For each input its place in the former table; nil for one that is new.
    let sources: [Int?]
    /// The first input of the new model.
    let offset: Offset
    /// Where each slot went; `vacant` for one that is still there.
    var places: [UInt32]
    /// Slots before it are through.
    var next: UInt32 = 0

    static let vacant = UInt32.max
}

extension SlotTable {
    /// The streams of another model's table, as they are when this model takes over before the input at `offset`: h, c,
    /// step, carried values and pending forecasts are the initial ones, as at a boundary; statistics of the inputs that
    /// both models have, anomaly bins, times and fences go on.
    ///
    /// What was dirty stays so. What was stored is stale: it comes to this by the swap's marker. The other table is
    /// this one's from now on.
    public convenience init(
        swapping old: SlotTable, of former: FoldSpecification, to specification: FoldSpecification, at offset: Offset
    ) {
        self.init(specification, expecting: old.count)
        old.settle()
        unsafe dropped = unsafe old.dropped
        if unsafe old.held == nil { forgetHeld() }
        guard old.count > 0 else { return }
        let names = former.model.manifest.inputs
        unsafe self.former = FormerTable(
            table: old, sources: specification.model.manifest.inputs.map { names.firstIndex(of: $0) }, offset: offset,
            places: unsafe [UInt32](repeating: FormerTable.vacant, count: Int(old.used)))
    }

    /// Takes over streams of the model before.
    ///
    /// - Parameter limit: slots looked at.
    func bringOver(limit: Int) {
        guard let (old, first) = unsafe former.map({ ($0.table, $0.next) }) else { return }
        let end = unsafe first + UInt32(min(limit, Int(old.used - first)))
        for slot in first..<end {
            let header = unsafe old[slot].header.pointee
            if header.key != .none && header.isUsed { bring(slot) }
        }
        unsafe former?.next = end
        old.releasePages(before: end)
        guard unsafe end == old.used, let places = unsafe former?.places else { return }
        unsafe dirty.prepend(old.dirty, at: places)
        unsafe former = nil
    }

    /// The stream's slot, if it is among those of the model before.
    func bringOver(_ key: UnsafeRawBufferPointer) -> UInt32? {
        guard let old = unsafe former?.table, let slot = unsafe old.find(key) else { return nil }
        return bring(slot)
    }

    /// The slot whose change is oldest of those that were dirty when this model took over.
    func takeFormerDirty(before offset: Offset) -> UInt32? {
        while let old = unsafe former?.table, let entry = unsafe old.dirty.removeFirst(before: offset) {
            if let place = unsafe former?.places[Int(entry.slot)], place != FormerTable.vacant {
                if takeChange(place) { return place }
                continue
            }
            // It was none when its turn came, and its page may be gone.
            if unsafe entry.slot < former?.next ?? 0 { continue }
            let header = unsafe old[entry.slot].header.pointee
            guard header.key != .none && header.isUsed else { continue }
            let slot = bring(entry.slot)
            if takeChange(slot) { return slot }
        }
        return nil
    }

    /// What was dirty is, and stands in the former's list until that is taken over.
    @discardableResult
    private func bring(_ source: UInt32) -> UInt32 {
        guard let (old, sources, offset) = unsafe former.map({ ($0.table, $0.sources, $0.offset) }) else {
            preconditionFailure("there is a table to bring it from")
        }
        let slot = unsafe insert(old.key(source), old.hash(source))
        let from = unsafe SlotScalars(base: old[source].scalars, layout: old.layout)
        let to = unsafe SlotScalars(base: self[slot].scalars, layout: layout)
        var header = unsafe from.header.pointee
        let fresh = unsafe to.header.pointee
        header.key = fresh.key
        header.sequence = .none
        header.isDirty = fresh.isDirty || header.isDirty
        header.isStale = false
        unsafe to.header.pointee = header
        unsafe replaceSequence(to.header, old.texts.bytes(from.header.pointee.sequence))
        for (input, source) in sources.enumerated() {
            if let source { to.store(from.statistics(source), input) }
        }
        ScalarPass.reset(to, cause: .swap, time: header.time, offset: offset, inputs: layout.shape.inputs)
        if initialStates.isDrawn { unsafe begin(self[slot].state, to.header) }
        if let held = old.held(source) { hold(slot, position: held.position, control: held.control) }
        markStale(slot)
        old.free(source)
        unsafe former?.places[Int(source)] = slot
        return slot
    }
}
