import Foundation
import SluiceConfiguration
import SluiceLSTM
import SluiceTraining
import Testing

/// The smallest configuration there is.
let minimal = """
    application: pumps
    kafka: {bootstrap.servers: "localhost:9092"}
    input: {topic: observations, features: {temperature: /values/temperature, load: /values/load}}
    output: {topic: predictions}
    """

@Suite struct ExampleTests {
    /// `contract.yaml` is the block of the product's contract, word for word.
    @Test func contractLoadsAndDiffersFromTheDefaultsInItsBoundariesOnly() throws {
        let loaded = try Configuration.load(text: snapshot("contract.yaml"))
        let defaults = try Configuration.load(text: minimal)
        let differing = zip(loaded.settings, defaults.settings).filter { $0.value != $1.value }.map(\.0.path)
        #expect(loaded.settings.map(\.path) == defaults.settings.map(\.path))
        let boundaries = ["sequence_change", "gap", "every", "daily"].map { "boundaries.\($0)" }
        #expect(differing == boundaries)
        let read = loaded.configuration.boundaries
        #expect(read.sequenceChange && read.gap == .seconds(3_600) && read.every == 288)
        #expect(read.daily?.minuteOfDay == 0 && read.daily?.zone == "Europe/Paris")
    }

    @Test func exampleIsTheDefaults() throws {
        let example = try Configuration.load(text: ConfigurationText.example)
        let defaults = try Configuration.load(text: minimal)
        #expect(example.configuration == defaults.configuration)
        #expect(example.settings.map(\.path) == defaults.settings.map(\.path))
    }

    @Test func exampleShowsEverySetting() throws {
        let example = try Configuration.load(text: ConfigurationText.example)
        let hidden = example.settings.filter { $0.provenance == .default }.map(\.path)
        // In comments, since they are off by default, or not to be asked for yet.
        #expect(
            hidden == [
                "input.columns", "boundaries.gap", "boundaries.every", "boundaries.daily", "state.streams_in_memory",
                "train.weight_decay", "train.threads", "admin.advertised",
            ])
        for path in hidden {
            let key = path.split(separator: ".").last ?? ""
            #expect(ConfigurationText.example.contains("# \(key): "))
        }
    }

    @Test func linesInCommentsLoadToo() throws {
        let lines = ConfigurationText.example.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let settings = lines.filter { $0.hasPrefix("  # ") }
        #expect(settings.count == 9)
        for setting in settings {
            let name = setting.dropFirst(4).prefix { $0 != ":" }
            // The commented alternative takes the place of the line with the same key right above it.
            let text = lines.enumerated().filter { index, line in
                !(lines[min(index + 1, lines.count - 1)] == setting && line.hasPrefix("  \(name):"))
            }.map { $0.element == setting ? "  " + $0.element.dropFirst(4) : $0.element }.joined(separator: "\n")
            let loaded = try Configuration.load(text: text)
            #expect(loaded.settings.contains { $0.path.hasSuffix(".\(name)") && $0.provenance != .default })
        }
    }

    /// `# a | b*: what it is` behind a setting names its choices.
    @Test func exactlyTheChoicesWithAMarkAreRefused() throws {
        var (section, marked) = ("", 0)
        for line in ConfigurationText.example.split(separator: "\n").dropFirst(4) {
            let halves = line.split(separator: "#", maxSplits: 1).map(String.init)
            let key = String(halves.first ?? "").split(separator: ":")[0].trimmingCharacters(in: .whitespaces)
            if line.first != " " { section = key }
            guard halves.count == 2, halves[1].contains(" | ") else { continue }
            let list = halves[1].split(whereSeparator: { ":;".contains($0) })[0]
            for word in list.split(separator: "|").map({ $0.trimmingCharacters(in: .whitespaces) }) {
                let choice = String(word.prefix { !" *".contains($0) })
                let found = problems(minimal, flags: [("\(section).\(key)", choice)])
                let isRefused = found.contains { $0.contains("not available yet") }
                #expect(isRefused == word.hasSuffix("*"), "\(section).\(key): \(choice)")
                marked += isRefused ? 1 : 0
            }
        }
        #expect(marked == 1)
    }

    @Test func defaultsAreTheDocumentedOnes() throws {
        let configuration = try Configuration.load(text: minimal).configuration
        #expect(configuration.output.rejects == "observations.rejected")
        #expect(configuration.model.targets == ["temperature"] && configuration.model.horizons == [1, 6, 12])
        #expect(configuration.model.head == .quantile && configuration.model.quantiles == [0.1, 0.5, 0.9])
        #expect(configuration.delivery == .exactlyOnce && configuration.commit == .milliseconds(100))
        let train = configuration.train
        #expect(train.carry == .acrossBatches && train.chunk == 64 && train.rows == 32 && train.order == .lanes)
        #expect(train.optimizer == .adam && train.learningRate == 0.001 && train.schedule == .constant)
        #expect(train.lossAt == .every && train.epochs == 20 && train.patience == 10 && train.clip == 1)
        #expect(train.weights == .pytorch && train.forgetBias == 0 && train.validation == 0.15 && train.by == .time)
        #expect(train.test == 0 && train.seed == 0 && train.threads == nil)
        #expect(configuration.retrain.every == .seconds(21_600) && configuration.retrain.window == .seconds(2_592_000))
        #expect(configuration.admin.listen.host == "127.0.0.1" && configuration.admin.listen.port == 8_080)
    }
}
