internal import ArgumentParser
internal import SluiceAdmin

/// `sluice models`.
struct Models: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The models of a running service: list them, promote one, go back, bring one or take one out.",
        discussion: """
            A service keeps its models in state.directory/models. One of them is active; promoting another lets it \
            take over on every partition, each at one recorded offset, where its streams start from their initial \
            states.

            Examples:
              sluice models list
              sluice models promote v8
              sluice models rollback
              sluice models import model.safetensors
              sluice models export v8 --output v8.safetensors
            """,
        subcommands: [
            ModelsList.self, ModelsShow.self, ModelsPromote.self, ModelsRollback.self, ModelsImport.self,
            ModelsExport.self,
        ])
}

/// `sluice models list`.
struct ModelsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the models, the latest last.",
        discussion: """
            Examples:
              sluice models list
              sluice models list --json
            """)

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let answer = try await service.client().get(["v1", "models"])
        switch service.format {
        case .json: Console.current.line(answer.text)
        case .text: Console.current.out(ModelTables.list(try answer.decode(ModelList.self).models).text)
        }
    }
}
