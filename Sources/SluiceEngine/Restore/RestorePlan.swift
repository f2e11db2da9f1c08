import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState

/// What is known of a partition before it is restored.
struct RestoreFacts {
    var partition: TopicPartition
    /// The group's position; nil before the first commit, or after the broker has forgotten it.
    var committed: CommittedPosition?
    /// The position of this machine's store; nil for an empty one.
    var stored: StoredPosition?
    /// First offset of the changelog, and the one behind its last record; nil without a changelog.
    var changelog: (low: Offset, high: Offset)?
    var low: Offset
    var high: Offset
    /// Where a partition begins that was never folded.
    var first = FirstOffset.earliest
    /// Of the input.
    var partitions: Int
    /// The wall clock, in milliseconds.
    var now: EpochMilliseconds
    /// How long the changelog keeps tombstones.
    var tombstonesMilliseconds: Int64

    var metadata: CommitMetadata? { committed.flatMap { CommitMetadata($0.metadata) } }

    /// - Parameter state: how far a state has come; nil without one.
    /// - Throws: `state-foreign` when the input ends before what the service has folded.
    func checkEnd(_ state: Offset?) throws {
        let furthest = max(state ?? 0, committed?.offset ?? 0)
        guard furthest > high else { return }
        throw SluiceError(
            .foreignState, "\(partition) ends at offset \(high), but the service had come to \(furthest)",
            remedy: "the topic was deleted and made anew: use another application name, or move the state directory "
                + "away and reset the group's offsets")
    }

    /// A stream's partition is a function of their number: with another one keys hash away from their states.
    ///
    /// - Parameter state: the number with which a state was written; nil where that is not known.
    /// - Throws: `topic` where there was another number than there is.
    func checkPartitions(_ state: Int?) throws {
        guard let before = [state, metadata?.partitions].compactMap({ $0 }).first(where: { $0 != partitions })
        else { return }
        throw Self.rehashed(
            "\(partition.topic) had \(before) partitions when its states were written, and has \(partitions) now")
    }

    static func rehashed(_ what: String) -> SluiceError {
        SluiceError(
            .topic, "\(what): keys hash to other partitions now, and away from their states",
            remedy: "copy it to a new topic with the partitions it needs, and serve that under a new application name")
    }
}

/// From what a partition's slots are brought back: a pure decision from facts.
enum RestoreBase: Equatable {
    /// This machine's store, and the changelog from an offset on.
    case store(changelogFrom: Offset?)
    /// The changelog from its first record; the store is emptied.
    case changelog(from: Offset)
    /// Neither: what the log of inputs still holds is folded again; the store is emptied.
    case log

    var isStore: Bool { if case .store = self { true } else { false } }

    /// - Parameter notes: why something that was there is not used.
    static func choose(_ facts: RestoreFacts, notes: inout [String]) -> RestoreBase {
        guard let changelog = facts.changelog else { return facts.stored == nil ? .log : .store(changelogFrom: nil) }
        if let stored = facts.stored {
            if let reason = refusal(of: stored, facts, changelog) {
                notes.append("the store of this machine is not used: \(reason)")
            } else {
                return .store(changelogFrom: stored.changelogOffset)
            }
        }
        return changelog.low < changelog.high ? .changelog(from: changelog.low) : .log
    }

    private static func refusal(
        of stored: StoredPosition, _ facts: RestoreFacts, _ changelog: (low: Offset, high: Offset)
    ) -> String? {
        if stored.identity.isEmpty { return "it belongs to no changelog" }
        if let identity = facts.metadata?.identity, identity != stored.identity {
            return "it belongs to another log of state"
        }
        guard (changelog.low...max(changelog.low, changelog.high)).contains(stored.changelogOffset) else {
            return "it stands at \(stored.changelogOffset), the changelog at \(changelog.low) to \(changelog.high)"
        }
        if facts.now - stored.storedAt > facts.tombstonesMilliseconds / 2 {
            return "it is so old that the changelog may have forgotten ends of streams"
        }
        return nil
    }
}

/// Where restoring begins and ends: a pure decision from facts and the head that goes with the slots.
struct RestorePlan: Equatable {
    /// First input folded again.
    var replayFrom: Offset
    /// First input answered.
    var liveFrom: Offset
    /// First input before which a new command may take effect.
    var commandsFrom: Offset
    var controlOffset: Offset
    /// Behind the last command that is there to be read.
    var controlEnd: Offset
    var identity: String
    /// First input ever folded, where that is not the first of all.
    var origin: Offset?
    /// SHA-256 of the model's file; nil: the model that the log began with.
    var modelHash: String?
    var latest: EpochMilliseconds
    /// Inputs that are gone and that some states may lack; empty where none are.
    var lost: Range<Offset> = 0..<0
    var notes: [String] = []

    /// - Parameters:
    ///   - head: what the store or the changelog says of itself; nil without one.
    ///   - controlLow, controlHigh: first offset of the control partition, and the one behind its last.
    /// - Throws: `state-foreign` when state or commit are of another log, or the group's position was moved by
    ///   something else; `topic` for an input that had another number of partitions; `position-missing` for a
    ///   partition that was never folded, where it must not begin by itself.
    init(_ facts: RestoreFacts, head: ChangelogHead?, controlLow: Offset, controlHigh: Offset) throws {
        let committed = facts.committed?.offset
        try facts.checkEnd(head?.offset)
        try facts.checkPartitions(head?.partitions)
        if facts.changelog != nil { try Self.check(facts, head) }
        // Known positions say where to go on: it is not asked again.
        let isNew = head == nil && committed == nil
        if isNew && facts.first == .none { throw Self.missingPosition(facts) }
        origin = facts.metadata?.origin
        if isNew && facts.first == .latest { origin = facts.high }
        let first = max(facts.low, origin ?? 0)
        // At-least-once a save is behind its commit by a checkpoint, or by as long as commands were not known
        // (`PartitionState.knowsCommands`), and may be ahead of it after a crash between them.
        liveFrom = max(head?.offset ?? 0, committed ?? first)
        replayFrom = head?.replayFrom ?? (committed == nil ? liveFrom : first)
        identity = head?.identity ?? ""
        modelHash = head?.model
        latest = head?.latest ?? .absent
        let control = max(head?.control ?? 0, facts.metadata?.controlOffset ?? 0)
        // Where there are commands that were never read, all that is there is new.
        controlEnd = max(controlLow, controlHigh)
        controlOffset = (controlLow...controlEnd).contains(control) ? control : controlLow
        if control < controlLow && !isNew {
            notes.append(
                "commands \(control) to \(controlLow - 1) of the control topic are gone: retention has taken them, and "
                    + "those that were not recorded before never take effect")
        } else if control > controlEnd {
            notes.append(
                "the control topic ends at \(controlHigh), and commands before \(control) were read: it was made anew, "
                    + "and is read from its beginning")
        }
        commandsFrom = 0
        if replayFrom < facts.low {
            lost = replayFrom..<facts.low
            replayFrom = facts.low
        }
        liveFrom = max(liveFrom, replayFrom)
        // At-least-once inputs that were there may have been answered behind the last commit. Before the first one only
        // a crash in the very first moments has answered any, and a long log should not keep commands waiting.
        let isCertain = facts.changelog != nil || isNew
        commandsFrom = isCertain ? liveFrom : max(liveFrom, facts.high)
        if head == nil, committed != nil { noteRebuilding(facts) }
    }

    private mutating func noteRebuilding(_ facts: RestoreFacts) {
        if liveFrom > replayFrom {
            notes.append("no saved state: \(liveFrom - replayFrom) inputs are folded again to rebuild it")
        }
        guard facts.low > origin ?? 0 else { return }
        if facts.changelog != nil { lost = (origin ?? 0)..<facts.low }
        notes.append("the log begins at offset \(facts.low): streams older than that begin there")
    }

    private static func missingPosition(_ facts: RestoreFacts) -> SluiceError {
        SluiceError(
            .missingPosition, "the group has no position of \(facts.partition), and auto.offset.reset is error",
            remedy: "commit an offset for the group, or set auto.offset.reset to earliest or latest")
    }

    /// Exactly-once head and position are committed together: they agree, or one of them is not this log's.
    private static func check(_ facts: RestoreFacts, _ head: ChangelogHead?) throws {
        guard let head, let committed = facts.committed else { return }
        let isOurs = facts.metadata?.identity == head.identity && committed.offset == head.offset
        guard isOurs else {
            throw SluiceError(
                .foreignState,
                "the group's position of \(facts.partition) is \(committed.offset), its state in the changelog stands "
                    + "at \(head.offset): something else has moved the position, or changed the changelog",
                remedy: "set the group's offset back to \(head.offset) or delete it; to begin anew, use another "
                    + "application name")
        }
    }
}
