internal import ArgumentParser
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceLog
internal import SluiceService

/// `sluice topics create`.
struct TopicsCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make the topics that are missing, with the right policies.",
        discussion: """
            Topics that exist are left as they are. The input is yours: it is made only with --partitions, or on the \
            embedded broker. The others get as many partitions as the input has, and the broker's own replication.

            Examples:
              sluice topics create
              sluice topics create --partitions 12
            """)

    @Option(help: "Make the input too, with that many partitions.")
    var partitions: Int?

    @OptionGroup var configuration: ConfigurationOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        if let partitions, !(1...100_000).contains(partitions) {
            throw ValidationError("--partitions must be from 1 to 100000.")
        }
    }

    func run() async throws {
        let configuration = try configuration.load().configuration
        let logger = try log.logger()
        let report = try await Signals.onThread { _ in
            let cluster = try TopicCluster(configuration, logger: logger)
            defer { cluster.close() }
            let plan = configuration.topics(isEmbedded: cluster.isEmbedded)
            return TopicReport(plan: plan, existing: try create(plan, cluster))
        }
        guard report.problems.isEmpty else {
            throw SluiceError(.topic, report.problems.map(\.description).joined(separator: "; "))
        }
    }

    /// - Returns: all that is there then.
    private func create(_ plan: TopicPlan, _ cluster: TopicCluster) throws -> [TopicDescription] {
        let console = Console.current
        var existing = try cluster.describe(plan)
        let input = existing.first { $0.name == plan.input }
        if let partitions, let input, input.partitions != partitions {
            console.line("\(input.name) has \(input.partitions) partitions already: --partitions changes nothing")
        }
        if input == nil {
            guard partitions != nil || cluster.isEmbedded else {
                throw SluiceError(
                    .topic, "the input \(plan.input) does not exist", remedy: "--partitions N makes it too")
            }
            let made = try cluster.create(
                TopicDescription(
                    name: plan.input, partitions: partitions ?? TopicDescription.brokersPartitions,
                    configuration: ["cleanup.policy": "delete"]))
            console.line("made \(made.name) with \(made.partitions) partitions")
            existing.append(made)
        }
        let inputPartitions = existing.first { $0.name == plan.input }?.partitions ?? 0
        for topic in plan.missing(existing, inputPartitions: inputPartitions) {
            let made = try cluster.create(topic)
            console.line("made \(made.name) with \(made.partitions) partitions")
        }
        return try cluster.describe(plan)
    }
}
