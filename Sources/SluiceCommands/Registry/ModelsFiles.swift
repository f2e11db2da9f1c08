internal import ArgumentParser
internal import Foundation
internal import SluiceAdmin
internal import SluiceCore
internal import SluiceFiles

/// `sluice models import`.
struct ModelsImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take a model file into the registry of a running service.",
        discussion: """
            It is checked against the service's configuration and waits there; 'sluice models promote' lets it \
            predict. Each instance has a registry of its own.

            Examples:
              sluice models import model.safetensors
            """)

    @Argument(help: "The file.")
    var file: String

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        guard let bytes = try FileBytes.read(file, limit: Limits.modelBytes) else {
            throw SluiceError(.file, "there is no model file \(file)")
        }
        let answer = try await service.client().post(
            ["v1", "models", "import"], query: [], body: Data(bytes), type: "application/octet-stream")
        if service.format == .json { return Console.current.line(answer.text) }
        let model = try answer.decode(ModelSummary.self)
        Console.current.line(
            model.active
                ? "model \(model.version) is there, and predicts"
                : "model \(model.version) is there; 'sluice models promote \(model.version)' lets it predict")
    }
}

/// `sluice models export`.
struct ModelsExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the file of a model of a running service.",
        discussion: """
            Examples:
              sluice models export v8
              sluice models export v8 --output model.safetensors
            """)

    @Argument(help: "The model's version.")
    var version: String

    @Option(name: .shortAndLong, help: "The file; else VERSION.safetensors.")
    var output: String?

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let path = output ?? version.replacing("/", with: "_") + ".safetensors"
        let answer = try await service.client().get(["v1", "models", version, "export"], seconds: 600)
        try FileBytes.replace(path, with: Array(answer.body))
        switch service.format {
        case .json:
            var json = JSONWriter()
            json.object {
                $0.member("version", version)
                $0.member("bytes", answer.body.count)
                $0.member("file", path)
            }
            Console.current.line(json.text)
        case .text: Console.current.line("model \(version) in \(path)")
        }
    }
}
