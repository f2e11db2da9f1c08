internal import ArgumentParser
internal import Foundation
internal import SluiceAdmin

/// `sluice models promote`.
struct ModelsPromote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Let a model of the registry take over.",
        discussion: """
            On every partition, each at one offset that is recorded on the audit. Streams start from their initial \
            states; their scaler and anomaly statistics go on.

            Examples:
              sluice models promote v8
            """)

    @Argument(help: "The model's version.")
    var version: String

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try ModelTables.tell(try await service.client().post(["v1", "models", version, "promote"]), service.format)
    }
}

/// `sluice models rollback`.
struct ModelsRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Let the model before the active one take over again.",
        discussion: """
            Examples:
              sluice models rollback
            """)

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try ModelTables.tell(try await service.client().post(["v1", "models", "rollback"]), service.format)
    }
}

/// Models as people read them.
enum ModelTables {
    static func list(_ models: [ModelSummary]) -> TextTable {
        var table = TextTable([
            .left("version"), .left("active"), .left("registered"), .right("bytes"), .left("partitions"),
            .left("sha256"),
        ])
        for model in models {
            table.add([
                model.version, model.active ? "yes" : "", Shown.text(model.registered), String(model.bytes),
                model.partitions.map(String.init).joined(separator: ","), String(model.sha256.prefix(12)),
            ])
        }
        return table
    }

    static func model(_ model: ModelSummary) -> String {
        var lines = [
            ("version", model.version), ("sha256", model.sha256), ("bytes", String(model.bytes)),
            ("registered", Shown.text(model.registered)), ("active", model.active ? "yes" : "no"),
        ]
        if model.active { lines += [("since", Shown.text(model.since)), ("by", Shown.text(model.by))] }
        lines.append(("partitions", model.partitions.map(String.init).joined(separator: ", ")))
        if let report = model.report { lines.append(("report", report)) }
        return Self.lines(lines)
    }

    static func lines(_ lines: [(String, String)]) -> String {
        lines.map { $0.padding(toLength: 12, withPad: " ", startingAt: 0) + $1.printable + "\n" }.joined()
    }

    static func tell(_ answer: ServiceClient.Answer, _ format: OutputFormat) throws {
        if format == .json { return Console.current.line(answer.text) }
        let promotion = try answer.decode(Promotion.self)
        let before = promotion.previous.map { ", it was \($0)" } ?? ""
        let state = promotion.settled ? "predicts on every partition" : "is active; some partitions have yet to swap"
        Console.current.line("model \(promotion.version) \(state)\(before)")
    }
}
