import SluiceCore
import SluiceLog
import SluiceSchema

extension Checker {
    /// Each command has one recorded effect or refusal: at one offset, where it was given, in the order of the control
    /// partition.
    func checkCommands() throws {
        var given: [String: (partition: Int32, first: Offset)] = [:]
        for (partition, commands) in history.commands {
            for (offset, command) in commands where given[command.id] == nil {
                given[command.id] = (partition, offset)
            }
        }
        var answered: [String: Event] = [:]
        for event in history.events {
            let invariant = event.type == .swap ? Invariant.oneSwap : .oneCommand
            guard let command = given[event.id], command.partition == event.partition else {
                throw Violation(invariant, "an event of the command \(event.id), which nobody gave there")
            }
            if let other = answered[event.id], scenario.isExactlyOnce || other != event {
                throw Violation(
                    invariant, "the command \(event.id) is recorded at \(other.offset) and at \(event.offset)")
            }
            if event.type == .refused, !lacksModels, !history.mayRefuse(event.id) {
                throw Violation(invariant, "the command \(event.id) is refused: \(event.cause ?? "")")
            }
            answered[event.id] = event
        }
        for id in history.mustAnswer where answered[id] == nil {
            throw Violation(.oneCommand, "the command \(id) is never answered")
        }
        for (partition, commands) in history.commands {
            try checkOrder(partition, commands.compactMap { answered[$0.command.id] })
        }
    }

    private func checkOrder(_ partition: Int32, _ events: [Event]) throws {
        let end = try cluster.log(TopicPartition(topic: Topics.input, partition: partition)).high
        var last: Offset = 0
        for event in events {
            let invariant = event.type == .swap ? Invariant.oneSwap : .oneCommand
            guard (0...end).contains(event.offset) else {
                throw Violation(invariant, "the command \(event.id) takes effect at \(event.offset), behind \(end)")
            }
            // A command that was given twice is as old as its first record.
            guard event.offset >= last else {
                throw Violation(invariant, "the command \(event.id) overtakes the one before it")
            }
            last = event.offset
        }
    }

    /// Snapshots that were committed: of committed inputs only, and the slot that the reference has there.
    func checkSnapshots(_ partition: Int32, _ reference: Reference) throws {
        let log = try cluster.log(TopicPartition(topic: Topics.slots, partition: partition))
        // Behind the snapshots of a transaction comes the head that goes with its commit.
        var committed: [Offset: Offset] = [:]
        var next: [Int64: Offset] = [:]
        for record in log.archive.reversed() where record.isCommitted && record.key?.first == 0xFF {
            guard record.key == [0xFF, UInt8(ascii: "h")] else { continue }
            committed[record.offset] = SnapshotText.member("offset", of: record.value ?? [])
        }
        for record in log.archive.reversed() where record.isCommitted {
            guard let stamp = record.stamp, let key = record.key else {
                throw Violation(.committedState, "a record of the changelog outside of any transaction")
            }
            if let offset = committed[record.offset] { next[stamp.producer] = offset }
            guard key.first != 0xFF, let value = record.value else { continue }
            try check(value, of: key, partition, committed: next[stamp.producer] ?? 0, reference)
        }
    }

    private func check(
        _ value: [UInt8], of key: [UInt8], _ partition: Int32, committed: Offset, _ reference: Reference
    ) throws {
        let name = "the snapshot of \(String(decoding: key, as: UTF8.self)) in partition \(partition)"
        let position = SnapshotText.position(value)
        let fence = SnapshotText.fence(value)
        guard fence < committed, position <= committed else {
            throw Violation(.committedState, "\(name) holds \(fence), and \(committed) is committed with it")
        }
        let normalised = SnapshotText.normalised(value)
        let stages = reference.stages(of: key, at: position)
        guard stages.contains(where: { $0.bytes == normalised }) else {
            let expected = stages.map { "\($0.fence) from \($0.from), bytes \(Self.differing($0.bytes, normalised))" }
            throw Violation(
                .committedState,
                "\(name) with fence \(fence) at \(position) is not the slot with fence "
                    + expected.joined(separator: "; "))
        }
    }

    /// Where two snapshots differ, for the reader of a failure.
    private static func differing(_ one: [UInt8]?, _ other: [UInt8]) -> String {
        guard let one else { return "none" }
        let places = zip(one, other).enumerated().filter { $1.0 != $1.1 }.map { "\($0): \($1.0) and \($1.1)" }
        return "\(one.count) and \(other.count), differing at \(places.prefix(8))"
    }
}
