internal import ArgumentParser
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceLSTM
internal import SluiceModelFile

/// `sluice models show`.
struct ModelsShow: AsyncParsableCommand {
    private static let suffix = ".safetensors"

    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one model, and what exactly it was trained on.",
        discussion: """
            A model of a running service by its version, or a model file, for which no service is needed. Its data is \
            told where Sluice has trained it: of files name, size, SHA-256, of topics the offsets read.

            Examples:
              sluice models show v8
              sluice models show v8 --json
              sluice models show model.safetensors
            """)

    @Argument(help: "The model's version, or a file that ends in .safetensors.")
    var version: String

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        if version.hasSuffix(Self.suffix) {
            let model = try ModelFile.read(version)
            switch service.format {
            case .json: try Console.current.line(Self.json(model))
            case .text: Console.current.out(ModelTables.file(model) + ModelTables.data(model.data))
            }
            return
        }
        let client = try service.client()
        let list = try await client.get(["v1", "models"]).decode(ModelList.self)
        guard let summary = list.models.first(where: { $0.version == version }) else {
            throw SluiceError(
                .unknownModel, "there is no model \(version)", remedy: "\"sluice models list\" names those there are")
        }
        let file = try await client.get(["v1", "models", version, "export"], seconds: 600).body
        // Of a service that knows other models than this program does, at least the summary.
        let data = try? ModelFile.decode(Array(file), path: version).data
        switch service.format {
        case .json: try Console.current.line(JSONWriter.text(of: Shown(summary: summary, data: data?.json())))
        case .text: Console.current.out(ModelTables.model(summary) + ModelTables.data(data))
        }
    }

    private static func json(_ model: Model) throws -> String {
        let data = try model.data?.json()
        var json = JSONWriter()
        json.object {
            $0.member("version", model.manifest.version)
            $0.member("name", model.manifest.name)
            $0.member("sha256", model.hash)
            $0.member("data", data.map(Document.init))
        }
        return json.text
    }

    /// The members of the list's entry, and the data.
    private struct Shown: JSONWritable {
        let summary: ModelSummary
        let data: String?

        func write(to json: inout JSONWriter) {
            json.object {
                summary.members(&$0)
                $0.member("data", data.map(Document.init))
            }
        }
    }

    /// What is JSON already.
    private struct Document: JSONWritable {
        let text: String

        func write(to json: inout JSONWriter) { json.token(text) }
    }
}

extension ModelTables {
    /// Parts that are told of one by one.
    private static let partsMaximum = 20

    static func file(_ model: Model) -> String {
        lines([
            ("version", model.manifest.version), ("name", model.manifest.name), ("sha256", model.hash),
            ("inputs", model.manifest.inputs.joined(separator: ", ")), ("head", model.manifest.head.rawValue),
        ])
    }

    /// What it was trained on; nothing where that is not known.
    static func data(_ data: DataManifest?) -> String {
        guard let data else { return "" }
        let held = data.heldOut
        let parts =
            [held.validationFrom.map { "validation from \($0)" }, held.testFrom.map { "test from \($0)" }]
            + [
                held.validationStreams.map { "\($0) streams for validation" },
                held.testStreams.map { "\($0) streams for the test" },
            ]
        let counts = [
            held.trainObservations.map { "trained on \($0)" }, held.validationObservations.map { "validated on \($0)" },
            held.testObservations.map { "tested on \($0)" },
        ]
        var text = lines(
            [
                ("data", "\(data.observations) observations of \(Shown.count(data.streams, "stream"))"),
                (
                    "rejects",
                    data.rejects.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
                ),
                ("parts", counts.compactMap(\.self).joined(separator: ", ")),
                ("order", data.outOfOrder.map { "\($0) older than the one before in their stream" } ?? ""),
                ("held out", parts.compactMap(\.self).joined(separator: ", ")),
            ].filter { !$0.1.isEmpty })
        if let topic = data.topic {
            text += lines([("topic", topic.name + (topic.cluster.map { ", cluster \($0)" } ?? ""))])
            var table = TextTable([
                .right("partition"), .right("from"), .right("to"), .right("observations"), .right("rejects"),
                .left("first"), .left("last"),
            ])
            for one in topic.partitions.prefix(partsMaximum) {
                table.add([
                    String(one.partition), String(one.from), String(one.to), String(one.observations),
                    String(one.rejects), one.first ?? "", one.last ?? "",
                ])
            }
            text += table.text + rest(topic.partitions.count)
            if let commands = topic.commands { text += lines([("commands", self.commands(commands))]) }
        }
        guard !data.files.isEmpty else { return text }
        var table = TextTable([
            .left("file"), .right("bytes"), .right("observations"), .right("rejects"), .left("first"), .left("last"),
            .left("sha256"),
        ])
        for file in data.files.prefix(partsMaximum) {
            table.add([
                file.name, String(file.bytes), String(file.observations), String(file.rejects), file.first ?? "",
                file.last ?? "", file.sha256,
            ])
        }
        return text + table.text + rest(data.files.count)
    }

    private static func commands(_ commands: DataManifest.Commands) -> String {
        guard commands.exists else { return "no topic \(commands.topic)" }
        let records = commands.partitions.map { ", partition \($0.partition) from \($0.from) to \($0.to)" }
        return "\(commands.applied) of \(commands.topic)" + records.joined()
    }

    private static func rest(_ count: Int) -> String {
        count > partsMaximum ? "and \(count - partsMaximum) more; --json has them all\n" : ""
    }
}
