import Foundation
import SluiceCore
import SluiceLSTM
import SluiceModelFile
import SluiceModels
import Testing

/// A folder that is removed at the end.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A model's file outside the registry.
    func model(_ version: String, weight: Float = 0.5, file: String = "given.safetensors") throws -> String {
        let manifest = ModelManifest(name: "test", version: version, inputs: ["a"], targets: ["a"])
        var parameters = LSTMParameters(shape: LSTMShape(inputs: 1, hidden: 2, layers: 1, outputs: 1))
        for index in parameters.values.indices { parameters.values[index] = weight }
        let place = "\(path)/\(file)"
        _ = try ModelFile.write(Model(manifest: manifest, parameters: parameters), to: place)
        return place
    }
}

@Suite struct ModelRegistryTests {
    private let folder: Folder
    private let registry: ModelRegistry

    init() throws {
        folder = try Folder()
        registry = try ModelRegistry(stateDirectory: folder.path + "/state")
    }

    @Test func aModelIsFoundByItsVersionAndItsHash() throws {
        let model = try registry.register(try folder.model("v1"))
        #expect(try registry.model(version: "v1") == model)
        #expect(try registry.model(hash: model.hash) == model)
        #expect(FileManager.default.fileExists(atPath: folder.path + "/state/models/v1.safetensors"))
        #expect(registry.active == nil, "registered is not active")
    }

    @Test func theSameFileAgainIsTheSameModelAndAnotherOneIsRefused() throws {
        let path = try folder.model("v1")
        let model = try registry.register(path)
        #expect(try registry.register(path) == model)
        let other = try folder.model("v1", weight: 0.25, file: "other.safetensors")
        let error = #expect(throws: SluiceError.self) { try registry.register(other) }
        #expect(error?.code == .invalidModel && error?.message.contains("other.safetensors") == true)
        #expect(try registry.model(version: "v1") == model)
    }

    @Test(arguments: ["", "../v1", "a/b", ".hidden", "v 1", "é", String(repeating: "x", count: 101)])
    func aVersionThatCannotNameAFileIsRefused(version: String) throws {
        let error = #expect(throws: SluiceError.self) { try registry.model(version: version) }
        #expect(error?.code == .invalidModel)
    }

    @Test func activationsAreThereAfterARestartAndRollBackInOrder() throws {
        for version in ["v1", "v2", "v3"] { try registry.register(try folder.model(version)) }
        for (time, version) in ["v1", "v2", "v2", "v3"].enumerated() {
            _ = try registry.activate(version, by: "test", at: Int64(time))
        }
        let again = try ModelRegistry(stateDirectory: folder.path + "/state")
        #expect(again.active == registry.active)
        #expect(again.active?.version == "v3" && again.active?.previous == ["v1", "v2"], "a second v2 changes nothing")
        #expect(again.active?.since == 3 && again.active?.by == "test")
        let ids = try [again.active?.id, again.rollBack(by: "anna", at: 9).id, again.rollBack(by: "anna", at: 10).id]
        #expect(Set(ids).count == 3)
        #expect(again.active?.version == "v1" && again.active?.previous == [])
        #expect(throws: SluiceError.self) { try again.rollBack(by: "anna", at: 11) }
    }

    @Test func whatIsNotThereIsNotActivated() throws {
        try registry.register(try folder.model("v1"))
        _ = try registry.activate("v1", by: "test", at: 0)
        let error = #expect(throws: SluiceError.self) { try registry.activate("v2", by: "test", at: 1) }
        #expect(error?.code == .unknownModel)
        #expect(registry.active?.version == "v1")
    }

    @Test func entriesLeaveOutWhatIsNoModel() throws {
        try registry.register(try folder.model("v1"))
        try registry.register(try folder.model("v2"))
        _ = try registry.activate("v2", by: "test", at: 0)
        try Data("no model".utf8).write(to: URL(filePath: folder.path + "/state/models/v9.safetensors"))
        let entries = try registry.entries()
        #expect(Set(entries.map(\.version)) == ["v1", "v2"])
        #expect(entries.filter(\.isActive).map(\.version) == ["v2"])
    }

    private var versions: [String] {
        get throws { try registry.entries().map(\.version).sorted() }
    }

    @Test func ofCandidatesThatNobodyPromotedTheLatestStay() throws {
        try registry.register(try folder.model("given"))
        for version in ["v1", "v2", "v3", "v4", "v5"] {
            try registry.register(try folder.model(version), isCandidate: true)
            registry.dropCandidates()
            if version == "v2" { _ = try registry.activate("v2", by: "anna", at: 0) }
        }
        #expect(try versions == ["given", "v2", "v3", "v4", "v5"])
        // It was active once: whatever follows, its states and swaps may need it. A restart forgets nothing of this.
        let again = try ModelRegistry(stateDirectory: folder.path + "/state")
        _ = try again.activate("given", by: "anna", at: 1)
        try again.register(try folder.model("v2"), isCandidate: true)
        try again.register(try folder.model("v3"), isCandidate: true)
        try again.register(try folder.model("v6"), isCandidate: true)
        again.dropCandidates()
        #expect(try versions == ["given", "v2", "v3", "v5", "v6"], "v3 was made again after v4 and v5")
    }

    @Test func aReportGoesWithItsModel() throws {
        for version in ["v1", "v2", "v3", "v4"] {
            try registry.register(try folder.model(version), isCandidate: true)
            let report = folder.path + "/report.html"
            try Data("of \(version)".utf8).write(to: URL(filePath: report))
            try registry.keepReport(report, of: version)
            #expect(!FileManager.default.fileExists(atPath: report))
            registry.dropCandidates()
        }
        #expect(registry.report(of: "v1") == nil && registry.report(of: "given") == nil)
        let kept = try #require(registry.report(of: "v4"))
        #expect(
            kept.hasSuffix("/models/v4.report.html") && (try? String(contentsOfFile: kept, encoding: .utf8)) == "of v4")
        // A model that somebody has removed.
        try FileManager.default.removeItem(atPath: registry.path(of: "v4"))
        try registry.register(try folder.model("v5"), isCandidate: true)
        registry.dropCandidates()
        #expect(registry.report(of: "v4") == nil && registry.report(of: "v3") != nil)
        #expect(throws: SluiceError.self) { try registry.keepReport(folder.path + "/none", of: "v5") }
    }

    @Test func aModelGivenByHandIsNoCandidate() throws {
        for version in ["v1", "v2", "v3"] { try registry.register(try folder.model(version), isCandidate: true) }
        try registry.register(try folder.model("v1"))
        for version in ["v4", "v5"] { try registry.register(try folder.model(version), isCandidate: true) }
        registry.dropCandidates()
        #expect(try versions == ["v1", "v3", "v4", "v5"])
    }

    @Test func theLastAttemptIsKnownAfterARestart() throws {
        #expect(registry.attempted == nil)
        try registry.noteAttempt(at: 7)
        #expect(try ModelRegistry(stateDirectory: folder.path + "/state").attempted == 7)
        try Data("{".utf8).write(to: URL(filePath: folder.path + "/state/models/retraining.json"))
        #expect(try ModelRegistry(stateDirectory: folder.path + "/state").attempted == nil, "no reason not to serve")
    }

    @Test func aBrokenActivationIsNamed() throws {
        try Data("{".utf8).write(to: URL(filePath: folder.path + "/state/models/active.json"))
        let error = #expect(throws: SluiceError.self) { try ModelRegistry(stateDirectory: folder.path + "/state") }
        #expect(error?.code == .invalidState && error?.message.contains("active.json") == true)
    }
}
