internal import Foundation
package import SluiceCore
internal import SluiceFiles
package import SluiceLSTM
internal import SluiceModelFile
internal import Synchronization

/// The models of one service in its state directory: `models/<version>.safetensors`, and `models/active.json`, which
/// says which of them predicts. A version names one file for good: the audit and saved states refer to it.
///
/// Whatever was ever active stays, for states and recorded swaps may need it; removing what is no longer needed is the
/// operator's work. Of what training made and nobody promoted the latest few stay.
package final class ModelRegistry: Sendable {
    /// One model that is there.
    package struct Entry: Sendable, Equatable {
        package var version: String
        /// SHA-256 of the file, in hexadecimal.
        package var hash: String
        package var bytes: Int
        /// When it was registered.
        package var registered: EpochMilliseconds
        package var isActive: Bool
    }

    /// The content of `active.json`.
    package struct Activation: Codable, Sendable, Equatable {
        /// Of its own for each activation: the swaps it leads to are known by it.
        package var id: String
        package var version: String
        package var sha256: String
        package var since: EpochMilliseconds
        /// Who activated it: a person, `retrain`, `serve`.
        package var by: String
        /// Versions that were active before, the latest last: what a rollback goes back to.
        package var previous: [String]
    }

    static let previousMaximum = 64
    private static let suffix = ".safetensors"

    let folder: URL
    let current: Mutex<Current>

    /// What is in the folder besides the models.
    struct Current {
        var activation: Activation?
        var books: Bookkeeping
    }

    /// Opens the registry of a state directory, making it where there is none.
    ///
    /// - Throws: `file` when it cannot be made or read, `state-invalid` for an `active.json` that is none.
    package init(stateDirectory: String) throws {
        folder = URL(filePath: stateDirectory).appending(path: "models")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw SluiceError(.file, "\(folder.path) cannot be made", remedy: "make it writable", cause: error)
        }
        current = Mutex(Current(activation: try Self.readActivation(folder), books: Self.readBooks(folder)))
    }

    /// The folder of candidates: files there are no models of the registry.
    package var candidates: String { folder.appending(path: "candidates").path }

    /// What predicts; nil before the first activation.
    package var active: Activation? { current.withLock { $0.activation } }

    /// Whether that very model is registered.
    package func holds(_ model: Model) -> Bool {
        (try? self.model(version: model.manifest.version))?.hash == model.hash
    }

    /// Takes in a model file under its version. The same file again is the same model.
    ///
    /// - Parameter isCandidate: it comes from training, and goes again unless it becomes active.
    /// - Throws: `model-invalid` for a file that is no model, for a version that cannot name a file, and for another
    ///   model of a version that is there.
    @discardableResult
    package func register(_ path: String, isCandidate: Bool = false) throws -> Model {
        // The very bytes: their hash is the model's name in saved states.
        guard let bytes = try FileBytes.read(path, limit: Int(Int32.max)) else {
            throw SluiceError(.file, "there is no model file \(path)")
        }
        let model = try ModelFile.decode(bytes, path: path)
        try register(bytes, of: model, named: path, isCandidate: isCandidate)
        return try ModelFile.read(file(model.manifest.version).path)
    }

    /// Takes in the bytes of a model file; returns the version.
    ///
    /// - Parameter name: names the file in errors.
    /// - Throws: as with a path.
    @discardableResult
    package func register(
        _ bytes: [UInt8], of model: Model, named name: String = "the model file", isCandidate: Bool = false
    ) throws -> String {
        let version = try Self.checked(model.manifest.version)
        let place = file(version)
        if let known = try? ModelFile.read(place.path) {
            guard known.hash == model.hash else {
                throw SluiceError(
                    .invalidModel, "\(name) is another model \(version) than the one in \(folder.path)",
                    remedy: "give it a version of its own in its manifest: predictions and the audit name it by that")
            }
            // One that was given by hand or was active once is no candidate, whatever training makes again.
            try current.withLock { current in
                guard current.books.candidates.contains(version) else { return }
                try note(version, isCandidate: isCandidate, &current.books)
            }
            return version
        }
        try current.withLock { try note(version, isCandidate: isCandidate, &$0.books) }
        try FileBytes.replace(place.path, with: bytes)
        return version
    }

    /// The bytes of a registered model's file.
    ///
    /// - Throws: `model-unknown`, `file`.
    package func file(of version: String) throws -> [UInt8] {
        _ = try model(version: version)
        guard let bytes = try FileBytes.read(file(version).path, limit: Int(Int32.max)) else {
            throw SluiceError(.unknownModel, "the model \(version) is gone from \(folder.path)")
        }
        return bytes
    }

    /// Makes a registered model the active one.
    ///
    /// - Parameter by: who asked.
    /// - Throws: `model-unknown`, `file`.
    package func activate(_ version: String, by: String, at time: EpochMilliseconds) throws -> Activation {
        try current.withLock { current in
            // A candidate is not dropped meanwhile.
            let model = try model(version: version)
            let former = current.activation
            if let former, former.version == version { return former }
            try note(version, isCandidate: false, &current.books)
            let past = (former?.previous ?? []) + (former.map { [$0.version] } ?? [])
            return try Self.write(
                Activation(
                    id: UUID().uuidString.lowercased(), version: version, sha256: model.hash, since: time, by: by,
                    previous: past.suffix(Self.previousMaximum)), to: folder, &current.activation)
        }
    }

    /// Makes the model before the active one active again.
    ///
    /// - Throws: `model-unknown` when there is none, or its file is gone; `file`.
    package func rollBack(by: String, at time: EpochMilliseconds) throws -> Activation {
        guard let now = active, let version = now.previous.last else {
            throw SluiceError(.unknownModel, "there is no model before the active one")
        }
        let model = try model(version: version)
        return try current.withLock { current in
            try Self.write(
                Activation(
                    id: UUID().uuidString.lowercased(), version: version, sha256: model.hash, since: time, by: by,
                    previous: now.previous.dropLast()), to: folder, &current.activation)
        }
    }

    /// - Throws: `model-unknown`, `model-invalid`.
    package func model(version: String) throws -> Model {
        let place = file(try Self.checked(version))
        guard FileManager.default.fileExists(atPath: place.path) else {
            throw SluiceError(
                .unknownModel, "there is no model \(version) in \(folder.path)",
                remedy: "\"sluice models list\" names those that are there")
        }
        let model = try ModelFile.read(place.path)
        guard model.manifest.version == version else {
            throw SluiceError(.invalidModel, "\(place.path) is the model \(model.manifest.version)")
        }
        return model
    }

    /// - Parameter hash: SHA-256 of the file, in hexadecimal.
    /// - Throws: `model-unknown`.
    package func model(hash: String) throws -> Model {
        if let active, active.sha256 == hash { return try model(version: active.version) }
        guard let entry = try entries().first(where: { $0.hash == hash }) else {
            throw SluiceError(
                .unknownModel, "no model in \(folder.path) has the hash \(hash.prefix(12))…, which states are of",
                remedy: "put its file there, or start with it by --model; see \"no model in\" in Operating")
        }
        return try model(version: entry.version)
    }

    /// All models, the latest registered last. Files that are no models are passed over.
    package func entries() throws -> [Entry] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(Self.suffix)
        }
        let active = active?.version
        return names.compactMap { name -> Entry? in
            let place = folder.appending(path: name)
            guard let model = try? ModelFile.read(place.path),
                let attributes = try? FileManager.default.attributesOfItem(atPath: place.path)
            else { return nil }
            let modified = attributes[.modificationDate] as? Date ?? Date(timeIntervalSince1970: 0)
            return Entry(
                version: model.manifest.version, hash: model.hash, bytes: attributes[.size] as? Int ?? 0,
                registered: EpochMilliseconds(modified.timeIntervalSince1970 * 1_000),
                isActive: model.manifest.version == active)
        }.sorted { ($0.registered, $0.version) < ($1.registered, $1.version) }
    }

    /// Where a model's file lies.
    package func path(of version: String) -> String { file(version).path }

    private func file(_ version: String) -> URL { folder.appending(path: version + Self.suffix) }

    /// A version names a file: letters, digits, dot, dash and underscore, at most 100, not beginning with a dot.
    private static func checked(_ version: String) throws -> String {
        let isPlain = version.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || ".-_".utf8.contains($0)
        }
        guard isPlain, !version.isEmpty, version.utf8.count <= 100, !version.hasPrefix(".") else {
            throw SluiceError(
                .invalidModel, "the version \"\(version.prefix(100))\" cannot name a model",
                remedy: "use letters, digits, dots, dashes and underscores, such as v7")
        }
        return version
    }

    private static func readActivation(_ folder: URL) throws -> Activation? {
        let place = folder.appending(path: "active.json")
        guard FileManager.default.fileExists(atPath: place.path) else { return nil }
        do {
            return try JSONDecoder().decode(Activation.self, from: Data(contentsOf: place))
        } catch {
            throw SluiceError(
                .invalidState, "\(place.path) cannot be read",
                remedy: "remove it and start with --model FILE, the model that should predict", cause: error)
        }
    }

    private static func write(
        _ activation: Activation, to folder: URL, _ current: inout Activation?
    ) throws -> Activation {
        let place = folder.appending(path: "active.json")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        try FileBytes.replace(place.path, with: Array(try encoder.encode(activation)))
        current = activation
        return activation
    }
}
