internal import ArgumentParser
internal import SluiceAdmin
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceLog
internal import SluiceService

/// `sluice topics check`.
struct TopicsCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Do the topics exist, are their partitions equal, are their policies right?",
        discussion: """
            Exit code 1 if something is wrong. 'serve' makes its internal topics itself where it may. A topic of
            outputs that takes smaller messages than are sent is named, and does not count as wrong.

            Examples:
              sluice topics check
              sluice topics check -c pumps.yaml --json
            """)

    @OptionGroup var configuration: ConfigurationOptions
    @OptionGroup var log: LogOptions

    @Flag(help: "One JSON object.")
    var json = false

    func run() async throws {
        let configuration = try configuration.load().configuration
        let logger = try log.logger()
        let report = try await Signals.onThread { _ in
            let cluster = try TopicCluster(configuration, logger: logger)
            defer { cluster.close() }
            let plan = configuration.topics(isEmbedded: cluster.isEmbedded)
            return TopicReport(
                plan: plan, existing: try cluster.describe(plan), batchBytes: try cluster.batchBytes)
        }
        let console = Console.current
        if json { console.line(JSONWriter.text(of: report)) } else { console.out(report.table.text) }
        for topic in report.narrow { console.errorLine("\(topic)") }
        for warning in report.plan.forgetfulness(report.existing) { console.errorLine(warning) }
        guard report.problems.isEmpty else {
            throw SluiceError(
                .topic, report.problems.map(\.description).joined(separator: "; "),
                remedy: "'sluice topics create' makes what is missing")
        }
    }
}

/// What there is beside what is needed.
struct TopicReport: Sendable, JSONWritable {
    let plan: TopicPlan
    let existing: [TopicDescription]
    /// The largest batch that producers send; nil where nobody asks.
    var batchBytes: Int?

    var narrow: [TopicPlan.Narrow] { batchBytes.map { plan.narrow(existing, batchBytes: $0) } ?? [] }
    var problems: [TopicPlan.Problem] { plan.problems(existing) }

    private func found(_ need: TopicPlan.Need) -> TopicDescription? { existing.first { $0.name == need.name } }

    private func wanted(_ need: TopicPlan.Need) -> Int? {
        need.partitions == .asInput ? existing.first { $0.name == plan.input }?.partitions : nil
    }

    private func problems(_ need: TopicPlan.Need) -> [String] {
        problems.filter { $0.topic == need.name }.map(\.brief)
    }

    var table: TextTable {
        var table = TextTable([
            .left("topic"), .right("partitions"), .right("needed"), .left("cleanup"), .left("needed"), .left("verdict"),
        ])
        for need in plan.needs {
            let topic = found(need)
            let problems = problems(need)
            table.add([
                need.name, Shown.text(topic?.partitions), wanted(need).map(String.init) ?? "any",
                Shown.text(topic?.configuration["cleanup.policy"]), need.cleanup,
                problems.isEmpty ? "right" : problems.joined(separator: ", "),
            ])
        }
        return table
    }

    func write(to json: inout JSONWriter) {
        json.object { $0.member("topics", plan.needs.map { Row(report: self, need: $0) }) }
    }

    private struct Row: JSONWritable {
        let report: TopicReport
        let need: TopicPlan.Need

        func write(to json: inout JSONWriter) {
            let topic = report.found(need)
            json.object {
                $0.member("topic", need.name)
                $0.member("exists", topic != nil)
                $0.member("partitions", topic?.partitions)
                $0.member("partitions_needed", report.wanted(need))
                $0.member("cleanup", topic?.configuration["cleanup.policy"])
                $0.member("cleanup_needed", need.cleanup)
                $0.member("max_message_bytes", topic?.configuration["max.message.bytes"].flatMap { Int($0) })
                $0.member("max_message_bytes_needed", need.isInput ? nil : report.batchBytes)
                $0.member("problems", report.problems(need))
            }
        }
    }
}

extension TopicPlan.Problem {
    fileprivate var topic: String {
        switch self {
        case .missing(let topic), .partitions(let topic, _, _), .cleanup(let topic, _, _),
            .tombstones(let topic, _, _):
            topic
        }
    }

    fileprivate var brief: String {
        switch self {
        case .missing: "missing"
        case .partitions: "wrong partitions"
        case .cleanup: "wrong cleanup"
        case .tombstones: "tombstones too short"
        }
    }
}
