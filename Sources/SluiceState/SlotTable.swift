import SluiceCore
public import SluiceLSTM

/// The slots of one partition: each stream's whole state in one contiguous block, in pages that never move.
///
/// Confined to the worker that owns the partition. Memory per stream is `layout.stride`, its key's length, 5 to 11
/// bytes of index and 6 while it is dirty; growing allocates a page and, at powers of two, a larger index.
@safe public final class SlotTable {
    /// With slots of a multiple of 4 bytes they are whole pages of memory.
    private static let pageSlots = 1024

    public let layout: SlotLayout
    public let initialStates: InitialStates
    /// What h and c are at a boundary where that is the same for all, `[L][h, c][Hp]`.
    public let initialState: UnsafePointer<Float>
    private let initialStateStorage: UnsafeMutablePointer<Float>
    private let freshScalars: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var pages: [UnsafeMutableRawPointer] = unsafe []
    /// Pages at the beginning that are gone.
    @exclusivity(unchecked) private var releasedPages = 0
    @exclusivity(unchecked) private var freeSlots: [UInt32] = []
    @exclusivity(unchecked) public private(set) var used: UInt32 = 0
    @exclusivity(unchecked) var index: StreamIndex
    @exclusivity(unchecked) public var texts = TextPool()
    @exclusivity(unchecked) public internal(set) var dirty = DirtySlots()
    /// Slots that were stale when they were added, and how many of them still are.
    @exclusivity(unchecked) var stale: [UInt32] = []
    @exclusivity(unchecked) public internal(set) var staleCount = 0
    /// What has not come through the last swap; nil when all has.
    @exclusivity(unchecked) var former: FormerTable?
    /// What has not come through the last reset of many; nil when all has.
    @exclusivity(unchecked) var passing: PassingReset?
    /// By slot, perhaps not for the last ones; nil once nothing is folded again.
    @exclusivity(unchecked) var held: [Held]? = []
    /// Keys of streams dropped since `clearDropped`.
    @exclusivity(unchecked) public internal(set) var dropped: [[UInt8]] = []

    /// - Parameter streams: for which there is room without a larger index.
    public init(layout: SlotLayout, initialStates: InitialStates, expecting streams: Int = 0) {
        let mean = initialStates.mean
        precondition(mean.count == layout.shape.stateFloats)
        self.layout = layout
        self.initialStates = initialStates
        unsafe index = StreamIndex(expecting: streams)
        unsafe initialStateStorage = .allocate(capacity: mean.count)
        unsafe initialStateStorage.initialize(from: mean, count: mean.count)
        unsafe self.initialState = UnsafePointer(initialStateStorage)
        unsafe freshScalars = .allocate(byteCount: layout.scalarBytes, alignment: 64)
        unsafe freshScalars.initializeMemory(as: UInt8.self, repeating: 0, count: layout.scalarBytes)
        unsafe freshScalars.storeBytes(of: SlotHeader(), as: SlotHeader.self)
        let fresh = unsafe SlotScalars(base: freshScalars, layout: layout)
        for input in 0..<layout.shape.inputs { fresh.carry(.nan, input) }
    }

    public convenience init(_ specification: FoldSpecification, expecting streams: Int = 0) {
        self.init(
            layout: specification.layout, initialStates: specification.initialStates, expecting: streams)
    }

    deinit {
        unsafe pages[releasedPages...].forEach { unsafe unmapMemory($0, pageBytes) }
        unsafe initialStateStorage.deallocate()
        unsafe freshScalars.deallocate()
    }

    private var pageBytes: Int { Self.pageSlots * layout.stride }
    /// Streams with a slot.
    public var count: Int { unsafe index.count + (former?.table.count ?? 0) }
    /// Bytes of slots, index, keys and the list of dirty slots.
    public var memoryBytes: Int {
        let slots = unsafe (pages.count - releasedPages) * pageBytes
        let lists = unsafe dirty.memoryBytes + (held?.capacity ?? 0) * MemoryLayout<Held>.stride
        let own = unsafe slots + index.memoryBytes + texts.memoryBytes + lists
        return unsafe own + (former?.table.memoryBytes ?? 0)
    }

    @inline(__always)
    public subscript(slot: UInt32) -> Slot {
        unsafe Slot(
            base: pages[Int(slot) / Self.pageSlots] + Int(slot) % Self.pageSlots * layout.stride, layout: layout)
    }

    @inline(__always)
    public func key(_ slot: UInt32) -> UnsafeRawBufferPointer { unsafe texts.bytes(self[slot].header.pointee.key) }

    /// XXH64 of the stream's key.
    public func hash(_ slot: UInt32) -> UInt64 { unsafe xxHash64(key(slot)) }

    @inline(__always)
    public func find(_ key: UnsafeRawBufferPointer) -> UInt32? {
        if let slot = unsafe index.find(xxHash64(key), { self.hash($0) }, { unsafe self.key($0).equals(key) }) {
            if unsafe passing != nil { pass(slot) }
            return slot
        }
        return unsafe former == nil ? nil : bringOver(key)
    }

    /// The stream's slot, a fresh one if it has none.
    @inline(__always)
    public func intern(_ key: UnsafeRawBufferPointer) -> UInt32 {
        let hash = unsafe xxHash64(key)
        if let slot = unsafe index.find(hash, { self.hash($0) }, { unsafe self.key($0).equals(key) }) {
            if unsafe passing != nil { pass(slot) }
            return slot
        }
        if let slot = unsafe former == nil ? nil : bringOver(key) { return slot }
        return unsafe insert(key, hash)
    }

    /// A fresh slot for a stream that has none.
    func insert(_ key: UnsafeRawBufferPointer, _ hash: UInt64) -> UInt32 {
        let reused = unsafe freeSlots.popLast()
        let slot = reused ?? newSlot()
        _ = unsafe passing?.take(slot)
        // A slot freed since the last save is still in the dirty list.
        let isDirty = unsafe reused != nil && self[slot].header.pointee.isDirty
        clear(slot)
        unsafe self[slot].header.pointee.isDirty = isDirty
        unsafe self[slot].header.pointee.key = texts.insert(key)
        release(slot)
        if initialStates.isDrawn { unsafe begin(self[slot].state, self[slot].header) }
        unsafe index.insert(hash, slot: slot) { self.hash($0) }
        return slot
    }

    private func newSlot() -> UInt32 {
        let slot = unsafe used
        if Int(slot) % Self.pageSlots == 0 {
            unsafe pages.append(mapMemory(pageBytes))
        }
        unsafe used += 1
        return slot
    }

    /// Makes `state`, `[L][h, c][Hp]`, what it is at the boundary that the header names last.
    @inline(__always)
    public func begin(_ state: UnsafeMutablePointer<Float>, _ header: UnsafePointer<SlotHeader>) {
        if initialStates.isDrawn {
            let stream = unsafe xxHash64(texts.bytes(header.pointee.key))
            unsafe initialStates.draw(
                state, InitialDraws.Key(stream: stream, ordinal: UInt64(header.pointee.resets)))
        } else {
            unsafe state.update(from: initialState, count: layout.shape.stateFloats)
        }
    }

    /// As if the stream had never been seen, its key apart, and what is drawn from that.
    private func clear(_ slot: UInt32) {
        let block = self[slot]
        unsafe block.base.copyMemory(from: initialState, byteCount: layout.stateBytes)
        unsafe block.scalars.copyMemory(from: freshScalars, byteCount: layout.scalarBytes)
        unsafe block.ring.initialize(repeating: .nan, count: layout.ringBytes / 4)
    }

    /// The stream has ended: as never seen, but still interned until `endBatch`. Its key is remembered as
    /// dropped.
    public func end(_ slot: UInt32) {
        let header = unsafe self[slot].header.pointee
        guard header.isUsed else { return }
        unsafe dropped.append([UInt8](texts.bytes(header.key)))
        if header.isStale { unsafe staleCount -= 1 }
        unsafe texts.remove(header.sequence)
        clear(slot)
        let fresh = unsafe self[slot].header
        unsafe fresh.pointee.key = header.key
        unsafe fresh.pointee.isDirty = header.isDirty
        if initialStates.isDrawn { unsafe begin(self[slot].state, fresh) }
    }

    /// The batch at hand is through with the slot, which is freed if nothing was ever applied to it.
    @inline(__always)
    public func endBatch(_ slot: UInt32) {
        let header = unsafe self[slot].header
        unsafe header.pointee.batchRows = 0
        if unsafe !header.pointee.isUsed && header.pointee.key != .none { free(slot) }
    }

    func free(_ slot: UInt32) {
        unsafe index.remove(hash(slot), slot: slot) { self.hash($0) }
        unsafe texts.remove(self[slot].header.pointee.key)
        unsafe self[slot].header.pointee.key = .none
        unsafe freeSlots.append(slot)
    }

    /// Makes `sequence` the header's sequence id, if it is another.
    public func replaceSequence(_ header: UnsafeMutablePointer<SlotHeader>, _ sequence: UnsafeRawBufferPointer) {
        let current = unsafe texts.bytes(header.pointee.sequence)
        if unsafe (current.baseAddress == nil) == (sequence.baseAddress == nil) && current.equals(sequence) { return }
        unsafe texts.remove(header.pointee.sequence)
        unsafe header.pointee.sequence = sequence.baseAddress == nil ? .none : texts.insert(sequence)
    }

    /// Slots before `end` are not used any more: whole pages of them go.
    func releasePages(before end: UInt32) {
        while unsafe releasedPages < Int(end) / Self.pageSlots {
            unsafe unmapMemory(pages[releasedPages], pageBytes)
            unsafe releasedPages += 1
        }
    }

    /// Every slot in use, in no particular order, settled.
    public func forEach(_ body: (UInt32) throws -> Void) rethrows {
        settle()
        for slot in unsafe 0..<used {
            let header = unsafe self[slot].header.pointee
            if header.key != .none && header.isUsed { try body(slot) }
        }
    }
}
