package import SluiceCore

/// A reset that took effect, or is to take effect, before the input at one offset of one partition.
package struct RecordedCommand: Sendable, Equatable {
    package enum Target: Sendable, Equatable {
        case stream(String)
        /// Every stream whose key begins so; the empty prefix is all of them.
        case prefix(String)
    }

    package var id: String
    package var target: Target
    package var partition: Int32
    /// The first input folded from the fresh state.
    package var offset: Offset
    /// Where the command stands in the control partition.
    package var controlOffset: Offset
    /// Who asked, for the audit.
    package var by: String

    package init(id: String, target: Target, partition: Int32, offset: Offset, controlOffset: Offset, by: String) {
        self.id = id
        self.target = target
        self.partition = partition
        self.offset = offset
        self.controlOffset = controlOffset
        self.by = by
    }
}

/// Recorded commands of one partition in the order in which they took effect.
package struct CommandSchedule: Sendable {
    private var commands: [RecordedCommand] = []
    private var next = 0
    private var ids: Set<String> = []

    package init() {}

    /// Adds a command; one whose id is known already is the same command.
    package mutating func add(_ command: RecordedCommand) {
        guard ids.insert(command.id).inserted else { return }
        let position = commands[next...].firstIndex { ($0.offset, $0.controlOffset) > (command.offset, command.controlOffset) }
        commands.insert(command, at: position ?? commands.endIndex)
    }

    package func contains(id: String) -> Bool { ids.contains(id) }

    /// Offset before which the next command takes effect; `.max` when there is none.
    package var nextOffset: Offset { next < commands.count ? commands[next].offset : .max }

    /// Where the first command that has not taken effect stands in the control partition; `.max` when there is none.
    package var pendingControlOffset: Offset { commands[next...].map(\.controlOffset).min() ?? .max }

    /// The next command due before the input at `offset`.
    package mutating func take(before offset: Offset) -> RecordedCommand? {
        guard nextOffset <= offset else { return nil }
        defer { next += 1 }
        return commands[next]
    }
}
