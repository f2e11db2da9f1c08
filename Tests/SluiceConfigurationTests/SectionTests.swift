import SluiceConfiguration
import SluiceCore
import SluiceLSTM
import SluiceTraining
import Testing

@Suite struct SectionTests {
    private func load(_ input: String, _ more: String = "") throws -> Configuration {
        let text = """
            application: a
            kafka: {bootstrap.servers: "h:1"}
            input: {topic: i, \(input)}
            output: {topic: o}
            \(more)
            """
        return try Configuration.load(text: text).configuration
    }

    private func csvProblems(_ input: String) -> [String] {
        let input = "input: {topic: i, format: csv, \(input)}"
        return problems("application: a\nkafka: {bootstrap.servers: 'h:1'}\n\(input)\noutput: {topic: o}")
    }

    @Test func featureOrderIsThatOfTheFile() throws {
        let names = (0..<40).map { "f\(($0 * 17) % 40)" }
        let features = names.map { "\($0): /\($0)" }.joined(separator: ", ")
        #expect(try load("features: {\(features)}").input.features.map(\.name) == names)
    }

    @Test(arguments: ["/a~1b/c~0d/~01/", "/", "/a/0", "/~0~1"])
    func pointersAreKeptAsWritten(_ pointer: String) throws {
        #expect(try load("features: {x: '\(pointer)'}").input.features[0].pointer == pointer)
    }

    @Test func csvColumnsBearTheFeaturesNames() throws {
        let input = try load("format: csv, columns: [stream, b, other, a], features: {a: /values/a, b: /b}").input
        #expect(input.columns == ["stream", "b", "other", "a"] && input.features.map(\.name) == ["a", "b"])
    }

    @Test func csvNeedsColumnsWithEveryFeature() {
        #expect(
            csvProblems("features: {a: /a}") == [
                "sluice.yaml:3: input.columns: is missing: with \"format: csv\" it lists a record's columns in order"
            ])
        #expect(
            csvProblems("columns: [x, x, time, loda], features: {time: /t, load: /l}") == [
                "sluice.yaml:3: input.columns: lists \"x\" twice",
                "sluice.yaml:3: input.columns: lacks the feature \"load\"; did you mean \"loda\"?",
                "sluice.yaml:3: input.features: \"time\" is a field's column in CSV; name the feature otherwise",
            ])
    }

    @Test func otherFormatsAreRefused() {
        let text = minimal.replacing("topic: observations,", with: "topic: observations, format: avro,")
        #expect(problems(text) == ["sluice.yaml:3: input.format: \"avro\" is not one of json, csv"])
    }

    @Test func classifyingHeadsHaveNoTargets() throws {
        let binary = try load("features: {x: /x}", "model: {head: binary}").model
        #expect(binary.targets.isEmpty && binary.horizons.isEmpty && binary.quantiles.isEmpty && binary.classes == nil)
        let categorical = try load("features: {x: /x}", "model: {head: categorical, targets: [x], classes: 5}").model
        #expect(categorical.targets.isEmpty && categorical.classes == 5)
        #expect(try load("features: {x: /x}", "model: {head: point}").model.quantiles.isEmpty)
    }

    @Test func retrainingCarriesAsTrainingUnlessToldOtherwise() throws {
        #expect(try load("features: {x: /x}", "train: {carry: per-batch}").retrain.carry.phases[0].carry == .perBatch)
        let both = try load(
            "features: {x: /x}", "train: {carry: per-batch}\nretrain: {carry: across-batches, every: never}")
        #expect(both.retrain.carry.phases[0].carry == .acrossBatches && both.retrain.every == nil)
    }

    @Test(arguments: ["127.0.0.1:8080", "127.9.9.9:0", "localhost:1", "\"[::1]:8080\""])
    func loopbackNeedsNoTokens(_ address: String) {
        #expect(problems(minimal + "\nadmin: {listen: \(address)}").isEmpty)
    }

    @Test(arguments: ["0.0.0.0:8080", "\"[::]:8080\"", "pumps.example:80", "127.0.0.1.example:80", "128.0.0.1:80"])
    func otherAddressesNeedTokens(_ address: String) {
        let text = minimal + "\nadmin:\n  listen: \(address)\n  tokens: t.yaml"
        let found = problems(text)
        #expect(found.count == 1 && found[0].hasPrefix("sluice.yaml:6: admin.listen: "), "\(found)")
        #expect(found[0].contains("no access tokens in t.yaml: make one with \"sluice tokens add --role admin\""))
        #expect(problems(text, tokenCount: { $0 == "t.yaml" ? 1 : 0 }).isEmpty)
    }

    @Test(arguments: ["127.0.0.1:8080", "0.0.0.0:8080"])
    func brokenTokensAreAProblemAnywhere(_ address: String) {
        let text = minimal + "\nadmin:\n  listen: \(address)\n  tokens: t.yaml"
        let found = problems(text) { _ in throw SluiceError(.file, "t.yaml:3: unknown key") }
        #expect(found == ["sluice.yaml:7: admin.tokens: t.yaml:3: unknown key"])
    }

    @Test func noTopicServesTwoPurposes() {
        let found = problems(minimal + "\n", flags: [("output.rejects", "predictions")])
        #expect(found == ["flag: output.rejects: \"predictions\" is output.topic already"])
        let own = problems(minimal, flags: [("output.topic", "pumps.control")])
        #expect(own == ["flag: output.topic: \"pumps.control\" is the application's own topic for control"])
    }

    @Test func longNamesLeaveRoomForInternalTopics() {
        let name = String(repeating: "a", count: 241)
        let found = problems(minimal, flags: [("application", name)])
        #expect(found == ["flag: application: is longer than 240 characters"])
        let topic = String(repeating: "t", count: 245)
        #expect(problems(minimal, flags: [("input.topic", topic)]).count == 1)
        #expect(problems(minimal, flags: [("input.topic", topic), ("output.rejects", "r")]).isEmpty)
    }
}
