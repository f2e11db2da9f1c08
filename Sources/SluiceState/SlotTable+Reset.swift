public import SluiceCore
import SluiceLSTM

/// A reset of all streams whose key begins alike, on its way through the table: a slot comes through when it is heard
/// of, or in its turn, so that a million of them keep no observation waiting.
struct PassingReset {
    let prefix: [UInt8]
    /// The first input behind it.
    let offset: Offset
    /// Its place in the control partition, where it has one.
    let control: Offset?
    /// Slots before it are through, and those from `end` on came later.
    var next: UInt32 = 0
    let end: UInt32
    /// A bit for each slot that is through out of its turn.
    var isThrough: [UInt64]
    /// Streams set back.
    var matched = 0

    init(prefix: [UInt8], offset: Offset, control: Offset?, end: UInt32) {
        self.prefix = prefix
        self.offset = offset
        self.control = control
        self.end = end
        isThrough = [UInt64](repeating: 0, count: Int(end) / 64 + 1)
    }

    /// Whether the slot has yet to come through, which it has from now on.
    mutating func take(_ slot: UInt32) -> Bool {
        let (word, bit) = (Int(slot / 64), UInt64(1) << UInt64(slot % 64))
        guard slot >= next, slot < end, isThrough[word] & bit == 0 else { return false }
        isThrough[word] |= bit
        return true
    }
}

extension SlotTable {
    /// Sets a stream's state back before the input at `offset`; statistics and fence go on.
    public func reset(_ index: UInt32, at offset: Offset, cause: BoundaryCause = .command) {
        let slot = self[index]
        let header = unsafe slot.header
        // The same reset again, behind a crash, is the same reset.
        if unsafe header.pointee.step == 0 && header.pointee.boundaryCause == cause
            && header.pointee.boundaryOffset == offset
        {
            return
        }
        ScalarPass.reset(
            unsafe SlotScalars(base: slot.scalars, layout: layout), cause: cause, time: unsafe header.pointee.time,
            offset: offset, inputs: layout.shape.inputs)
        unsafe begin(slot.state, header)
    }

    /// Sets back all streams whose key begins so. What was stored is stale: it comes to this by the command's marker.
    ///
    /// - Parameter control: the command's place in the control partition: slots stored behind it hold it.
    public func reset(prefix: [UInt8], at offset: Offset, control: Offset?) {
        settle()
        unsafe passing = PassingReset(prefix: prefix, offset: offset, control: control, end: used)
    }

    /// Lets a slot come through the reset that is on its way.
    func pass(_ slot: UInt32) {
        guard unsafe passing?.take(slot) == true, let reset = unsafe passing else { return }
        let header = unsafe self[slot].header.pointee
        guard header.key != .none, header.isUsed, !holds(slot, reset.control) else { return }
        guard unsafe key(slot).starts(with: reset.prefix) else { return }
        self.reset(slot, at: reset.offset)
        markStale(slot)
        unsafe passing?.matched += 1
    }

    /// Every slot is what the last command to the whole partition makes of it.
    public var isSettled: Bool { unsafe former == nil && passing == nil }

    /// Brings slots up to the last command to the whole partition.
    ///
    /// - Parameter limit: slots looked at.
    /// - Returns: the streams that a reset has set back, when it is through.
    @discardableResult
    public func settle(limit: Int = .max) -> Int? {
        bringOver(limit: limit)
        guard let (first, last) = unsafe passing.map({ ($0.next, $0.end) }) else { return nil }
        let end = first + UInt32(min(limit, Int(last - first)))
        for slot in first..<end { pass(slot) }
        unsafe passing?.next = end
        guard end == last else { return nil }
        defer { unsafe passing = nil }
        return unsafe passing?.matched
    }
}
