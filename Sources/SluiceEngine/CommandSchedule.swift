package import SluiceCore
package import SluiceSchema

/// Recorded commands of one partition in the order in which they take effect.
package struct CommandSchedule: Sendable {
    /// Commands behind the newest whose ids are kept for certain, to know one that was written twice.
    static let idsKept: Offset = 256

    /// From `next` on: not yet in effect, ordered by offset, then by place in the control partition.
    private var events: [Event] = []
    private var next = 0
    /// Where each known command stands in the control partition.
    private var ids: [String: Offset] = [:]
    /// Offset before which the next command takes effect; `.max` when there is none.
    package private(set) var nextOffset: Offset = .max

    package init() {}

    /// Adds a command; one whose id is known already is the same command. A refused one is known from now on.
    package mutating func add(_ event: Event) {
        guard event.type != .refused else { return remember(event) }
        guard ids.updateValue(event.control ?? 0, forKey: event.id) == nil else { return }
        var (low, high) = (next, events.count)
        while low < high {
            let middle = (low + high) / 2
            if Self.order(events[middle]) <= Self.order(event) { low = middle + 1 } else { high = middle }
        }
        events.insert(event, at: low)
        nextOffset = events[next].offset
    }

    private static func order(_ event: Event) -> (Offset, Offset) { (event.offset, event.control ?? 0) }

    /// A command that has taken effect or was refused: it is known, and takes effect no more.
    package mutating func remember(_ event: Event) { ids[event.id] = event.control ?? 0 }

    package func contains(id: String) -> Bool { ids[id] != nil }

    /// Where the first command that has not taken effect stands in the control partition; `.max` when there is none.
    package var pendingControlOffset: Offset { events[next...].compactMap(\.control).min() ?? .max }

    /// The last swap that has not taken effect of those before a place in the control partition.
    func lastSwap(before control: Offset) -> Offset? {
        guard nextOffset < .max else { return nil }
        return events[next...].filter { $0.type == .swap }.compactMap(\.control).filter { $0 < control }.max()
    }

    /// The model of the last swap that has not taken effect.
    package var pendingModel: String? { events[next...].last { $0.type == .swap }?.model }

    /// The next command due before the input at `offset`.
    package mutating func take(before offset: Offset) -> Event? {
        guard nextOffset <= offset, next < events.count else { return nil }
        let event = events[next]
        next += 1
        if next == events.count {
            events.removeAll(keepingCapacity: true)
            next = 0
        }
        nextOffset = next < events.count ? events[next].offset : .max
        return event
    }

    /// Lets go of the ids of commands in effect that lie far behind the place `control` in the control partition.
    package mutating func forget(behind control: Offset) {
        guard ids.count > 2 * Int(Self.idsKept) else { return }
        let horizon = min(control - Self.idsKept, pendingControlOffset)
        ids = ids.filter { $0.value >= horizon }
    }

    /// Appends the ids of the last commands known, as the changelog keeps them: for each its place in the control
    /// partition Int64, its length UInt32, its UTF-8; little-endian.
    func encodeIDs(into arena: inout ByteArena) -> Range<Int> {
        let start = arena.count
        for (id, control) in ids.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }).suffix(Int(Self.idsKept)) {
            withUnsafeBytes(of: control.littleEndian) { arena.append($0) }
            withUnsafeBytes(of: UInt32(id.utf8.count).littleEndian) { arena.append($0) }
            arena.append(id)
        }
        return start..<arena.count
    }

    /// - Throws: `state-invalid` for what is cut short.
    mutating func decodeIDs(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let head = UnsafeRawBufferPointer(rebasing: rest)
            guard head.count >= 12 else { throw SluiceError(.invalidState, "the ids of commands are cut short") }
            let control = Int64(littleEndian: head.loadUnaligned(as: Int64.self))
            let length = Int(UInt32(littleEndian: head.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
            guard head.count - 12 >= length else {
                throw SluiceError(.invalidState, "the ids of commands are cut short")
            }
            ids[String(decoding: head[12..<12 + length], as: UTF8.self)] = control
            rest = rest.dropFirst(12 + length)
        }
    }

    /// Ids that are kept.
    var idCount: Int { ids.count }
}
