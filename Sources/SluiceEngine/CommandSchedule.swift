package import SluiceCore
package import SluiceSchema

/// Recorded commands of one partition in the order in which they take effect.
package struct CommandSchedule: Sendable {
    /// Commands behind the newest whose ids are kept for certain, to know one that was written twice.
    static let idsKept: Offset = 1_024

    /// From `next` on: not yet in effect, ordered by offset, then by place in the control partition.
    private var events: [Event] = []
    private var next = 0
    /// Where each known command stands in the control partition.
    private var ids: [String: Offset] = [:]
    /// Offset before which the next command takes effect; `.max` when there is none.
    package private(set) var nextOffset: Offset = .max

    package init() {}

    /// Adds a command; one whose id is known already is the same command.
    package mutating func add(_ event: Event) {
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

    package func contains(id: String) -> Bool { ids[id] != nil }

    /// Where the first command that has not taken effect stands in the control partition; `.max` when there is none.
    package var pendingControlOffset: Offset { events[next...].compactMap(\.control).min() ?? .max }

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

    /// Ids that are kept.
    var idCount: Int { ids.count }
}
