public import SluiceCore

/// What is not stored yet, or not as it is.
extension SlotTable {
    /// Slots with changes that are not stored, some perhaps twice.
    public var dirtyCount: Int { unsafe dirty.count + (former?.table.dirtyCount ?? 0) }
    /// Where replay must begin, at the latest, for nothing to be missing; nil when nothing is dirty.
    public var oldestChange: Offset? { unsafe former?.table.oldestChange ?? dirty.oldest }
    /// Whether stored slots need markers to be what they are here.
    public var hasStale: Bool { unsafe staleCount > 0 || !isSettled }

    /// The input or command at `offset` has changed a slot.
    @inline(__always)
    public func markDirty(_ slot: UInt32, at offset: Offset) {
        guard unsafe !self[slot].header.pointee.isDirty else { return }
        unsafe self[slot].header.pointee.isDirty = true
        unsafe dirty.append(slot, since: offset)
    }

    /// A command to the whole partition has changed a slot that was stored: what is stored and the command's marker
    /// come to the same.
    public func markStale(_ slot: UInt32) {
        let header = unsafe self[slot].header
        guard unsafe !header.pointee.isDirty && !header.pointee.isStale else { return }
        unsafe header.pointee.isStale = true
        unsafe stale.append(slot)
        unsafe staleCount += 1
    }

    /// The slot whose change is oldest, which counts as stored from now on; nil when nothing is dirty since before
    /// `offset`.
    public func takeDirty(before offset: Offset = .max) -> UInt32? {
        if unsafe former != nil, let slot = takeFormerDirty(before: offset) { return slot }
        while let entry = unsafe dirty.removeFirst(before: offset) {
            if takeChange(entry.slot) { return entry.slot }
        }
        return nil
    }

    /// A slot that is only stale, which counts as stored from now on.
    public func takeStale() -> UInt32? {
        while let slot = unsafe stale.popLast() {
            let header = unsafe self[slot].header
            // A dirty one is stored in its turn, and stale until then: what is stored of it needs the markers.
            guard unsafe header.pointee.isStale && !header.pointee.isDirty else { continue }
            if unsafe passing != nil { pass(slot) }
            unsafe header.pointee.isStale = false
            unsafe staleCount -= 1
            return slot
        }
        return nil
    }

    /// Takes a slot out of its turn; false for one without changes, or without a stream.
    public func takeChange(_ slot: UInt32) -> Bool {
        if unsafe passing != nil { pass(slot) }
        let header = unsafe self[slot].header
        guard unsafe header.pointee.isDirty else { return false }
        unsafe header.pointee.isDirty = false
        guard unsafe header.pointee.key != .none && header.pointee.isUsed else { return false }
        if unsafe header.pointee.isStale {
            unsafe header.pointee.isStale = false
            unsafe staleCount -= 1
        }
        return true
    }

    public func clearDropped() { unsafe dropped.removeAll(keepingCapacity: true) }

    /// Whether a stream's slot is stored as it is, without the help of markers.
    public func isStored(_ slot: UInt32) -> Bool {
        if unsafe passing != nil { pass(slot) }
        let header = unsafe self[slot].header.pointee
        return header.key != .none && header.isUsed && !header.isDirty && !header.isStale
    }

    /// Forgets a slot that is stored as it is, or with the markers.
    public func evict(_ slot: UInt32) {
        let header = unsafe self[slot].header
        precondition(unsafe !header.pointee.isDirty, "what is not stored must stay")
        if unsafe header.pointee.isStale {
            unsafe header.pointee.isStale = false
            unsafe staleCount -= 1
        }
        unsafe texts.remove(header.pointee.sequence)
        unsafe header.pointee.sequence = .none
        free(slot)
    }
}
