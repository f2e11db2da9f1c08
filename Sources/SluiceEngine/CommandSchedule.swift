package import SluiceCore
package import SluiceSchema

/// Recorded commands of one partition in the order in which they took effect.
package struct CommandSchedule: Sendable {
    private var events: [Event] = []
    private var next = 0
    private var ids: Set<String> = []

    package init() {}

    /// Adds a command; one whose id is known already is the same command.
    package mutating func add(_ event: Event) {
        guard ids.insert(event.id).inserted else { return }
        let position = events[next...].firstIndex { Self.order($0) > Self.order(event) }
        events.insert(event, at: position ?? events.endIndex)
    }

    private static func order(_ event: Event) -> (Offset, Offset) { (event.offset, event.control ?? 0) }

    package func contains(id: String) -> Bool { ids.contains(id) }

    /// Offset before which the next command takes effect; `.max` when there is none.
    package var nextOffset: Offset { next < events.count ? events[next].offset : .max }

    /// Where the first command that has not taken effect stands in the control partition; `.max` when there is none.
    package var pendingControlOffset: Offset { events[next...].compactMap(\.control).min() ?? .max }

    /// The next command due before the input at `offset`.
    package mutating func take(before offset: Offset) -> Event? {
        guard nextOffset <= offset else { return nil }
        defer { next += 1 }
        return events[next]
    }
}
