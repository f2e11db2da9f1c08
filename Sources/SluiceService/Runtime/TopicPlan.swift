import SluiceCore
package import SluiceLog

/// The topics a service needs, and how they must be.
package struct TopicPlan: Sendable {
    package struct Need: Sendable, Equatable {
        package enum Partitions: Sendable, Equatable {
            case any
            /// As many as the input has.
            case asInput
        }

        package var name: String
        package var partitions: Partitions
        package var cleanup: String
        /// Made by the user, never by Sluice.
        package var isInput: Bool
        /// Entries besides the cleanup policy, with which it is made.
        package var configuration: [String: String] = [:]
    }

    /// What is wrong with a topic.
    package enum Problem: Sendable, Equatable, CustomStringConvertible {
        case missing(String)
        case partitions(String, has: Int, needs: Int)
        case cleanup(String, has: String, needs: String)
        /// The changelog forgets ends of streams before a store counts as too old to lack them.
        case tombstones(String, has: Int64, needs: Int64)

        package var description: String {
            switch self {
            case .missing(let topic): "the topic \(topic) does not exist"
            case .partitions(let topic, let has, let needs):
                "the topic \(topic) has \(has) partitions, it needs \(needs)"
            case .cleanup(let topic, let has, let needs):
                "the topic \(topic) has cleanup.policy=\(has), it needs \(needs)"
            case .tombstones(let topic, let has, let needs):
                "the topic \(topic) has delete.retention.ms=\(has), it needs \(needs) at least: streams that have "
                    + "ended would come back"
            }
        }
    }

    package let needs: [Need]
    package let input: String
    package let control: String
    package let events: String
    /// The changelog; needed where states are committed with their outputs.
    package let slots: String
    /// What producers open. Whoever opens a topic asks the broker for it, and a broker that may makes it with a number
    /// of partitions of its own: the changelog is named only where it is needed.
    package let outputs: [OutputTopic: String]

    /// How long the changelog keeps tombstones: a store is used that is half as old at most.
    package static let tombstonesMilliseconds: Int64 = 86_400_000
    /// Small segments that are soon compacted: the active one never is, and a restart reads what is left.
    private static let changelog = [
        "segment.bytes": "67108864", "min.cleanable.dirty.ratio": "0.1", "max.compaction.lag.ms": "600000",
        "segment.ms": "600000", "delete.retention.ms": "\(tombstonesMilliseconds)",
    ]

    /// - Parameter hasChangelog: delivery is exactly-once.
    package init(application: String, input: String, output: String, rejects: String, hasChangelog: Bool = false) {
        self.input = input
        control = application + ".control"
        events = application + ".events"
        slots = application + ".slots"
        outputs = [
            .predictions: output, .rejects: rejects, .events: events, .control: control, .observations: input,
            .slots: hasChangelog ? slots : nil,
        ].compactMapValues(\.self)
        let changelog = Need(
            name: slots, partitions: .asInput, cleanup: "compact", isInput: false, configuration: Self.changelog)
        needs =
            (hasChangelog ? [changelog] : []) + [
                Need(name: input, partitions: .any, cleanup: "delete", isInput: true),
                Need(name: output, partitions: .asInput, cleanup: "delete", isInput: false),
                Need(name: rejects, partitions: .any, cleanup: "delete", isInput: false),
                // A command waits here for as long as the service is away; there are few.
                Need(
                    name: control, partitions: .asInput, cleanup: "delete", isInput: false,
                    configuration: ["retention.ms": "-1"]),
                Need(
                    name: events, partitions: .any, cleanup: "delete", isInput: false,
                    // The audit is kept for good, and with the inputs it rebuilds any state.
                    configuration: ["retention.ms": "-1"]),
            ]
    }

    /// Whether the service makes it itself.
    package func isInternal(_ topic: String) -> Bool { topic == control || topic == events || topic == slots }

    /// Holds what there is against what is needed.
    package func problems(_ existing: [TopicDescription]) -> [Problem] {
        let known = Dictionary(existing.map { ($0.name, $0) }) { first, _ in first }
        let wanted = known[input]?.partitions
        return needs.flatMap { need -> [Problem] in
            guard let topic = known[need.name] else { return [.missing(need.name)] }
            var problems: [Problem] = []
            if need.partitions == .asInput, let wanted, topic.partitions != wanted {
                problems.append(.partitions(need.name, has: topic.partitions, needs: wanted))
            }
            if let cleanup = topic.configuration["cleanup.policy"], cleanup != need.cleanup {
                problems.append(.cleanup(need.name, has: cleanup, needs: need.cleanup))
            }
            if need.name == slots, let has = topic.configuration["delete.retention.ms"].flatMap({ Int64($0) }),
                has < Self.tombstonesMilliseconds
            {
                problems.append(.tombstones(need.name, has: has, needs: Self.tombstonesMilliseconds))
            }
            return problems
        }
    }

    /// What is said of commands and of an audit that are not kept for good; nothing of those that are.
    package func forgetfulness(_ existing: [TopicDescription]) -> [String] {
        [
            (events, "states that are rebuilt from the log will lack the commands that are gone"),
            (control, "commands that are gone before a service that is away has read them never take effect"),
        ].compactMap { name, consequence in
            let topic = existing.first { $0.name == name }
            let limits = ["retention.ms", "retention.bytes"].compactMap { limit in
                topic?.configuration[limit].flatMap { $0 == "-1" ? nil : "\(limit)=\($0)" }
            }
            guard !limits.isEmpty else { return nil }
            return "the topic \(name) has \(limits.joined(separator: ", ")): \(consequence); set it to -1"
        }
    }

    /// The topics to make so that nothing is missing. The input's partitions decide; without an input there are none to
    /// make.
    package func missing(_ existing: [TopicDescription], inputPartitions: Int) -> [TopicDescription] {
        let known = Set(existing.map(\.name))
        return needs.filter { !known.contains($0.name) && !$0.isInput }.map { need in
            TopicDescription(
                name: need.name, partitions: inputPartitions,
                configuration: need.configuration.merging(["cleanup.policy": need.cleanup]) { $1 })
        }
    }
}

extension TopicPlan {
    /// A topic of outputs that takes less than clients may send.
    package struct Narrow: Sendable, Equatable, CustomStringConvertible {
        package var topic: String
        package var messageBytesMax: Int
        package var needs: Int

        package var description: String {
            "the topic \(topic) takes messages of \(messageBytesMax) bytes, and batches of \(needs) are sent: "
                + "raise its max.message.bytes"
        }
    }

    /// Topics to which something may be sent that they refuse.
    ///
    /// - Parameter batchBytes: of the largest batch.
    package func narrow(_ existing: [TopicDescription], batchBytes: Int) -> [Narrow] {
        needs.compactMap { need in
            let topic = existing.first { $0.name == need.name && !need.isInput }
            guard let bytes = topic?.configuration["max.message.bytes"].flatMap({ Int($0) }), bytes < batchBytes else {
                return nil
            }
            return Narrow(topic: need.name, messageBytesMax: bytes, needs: batchBytes)
        }
    }
}
