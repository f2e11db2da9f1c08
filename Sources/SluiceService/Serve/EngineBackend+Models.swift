package import SluiceAdmin
import SluiceCore
import SluiceEngine
import SluiceModels

extension EngineBackend {
    private static let settleSeconds = 10

    package func models() async throws -> ModelList {
        let registry = try serving().registry
        let views = await views().map(\.view)
        let active = registry.active
        return ModelList(
            models: try registry.entries().map { entry in
                ModelSummary(
                    version: entry.version, sha256: entry.hash, bytes: entry.bytes,
                    registered: Timestamp(entry.registered), active: entry.isActive,
                    since: entry.isActive ? active.map { Timestamp($0.since) } : nil,
                    by: entry.isActive ? active?.by : nil,
                    partitions: views.filter { $0.model == entry.version }.map(\.partition),
                    report: registry.report(of: entry.version))
            })
    }

    package func promote(_ version: String, by caller: String) async throws -> Promotion {
        let serving = try serving()
        let previous = serving.registry.active?.version
        return await settled(try serving.activate(version, by: caller), previous)
    }

    package func rollBack(by caller: String) async throws -> Promotion {
        let serving = try serving()
        let previous = serving.registry.active?.version
        return await settled(try serving.rollBack(by: caller), previous)
    }

    package func export(model version: String) async throws -> [UInt8] {
        let registry = try serving().registry
        return try await onThread { try registry.file(of: version) }
    }

    package func `import`(model file: [UInt8], by caller: String) async throws -> ModelSummary {
        let serving = try serving()
        let version = try await onThread { try serving.register(file) }
        guard let model = try await models().models.first(where: { $0.version == version }) else {
            throw SluiceError(.unknownModel, "the model \(version) is gone again", retry: .later)
        }
        return model
    }

    private func serving() throws -> ServiceModels {
        guard let models else {
            throw SluiceError(.broker, "the service waits for the broker", remedy: "see /readyz", retry: .later)
        }
        return models
    }

    /// Waits until no live partition folds by another model.
    private func settled(_ active: ModelRegistry.Activation, _ previous: String?) async -> Promotion {
        let end = ContinuousClock.now + .seconds(Self.settleSeconds)
        var isSettled = false
        while !isSettled, .now < end, !Task.isCancelled {
            isSettled = await views().allSatisfy { !$0.view.isLive || $0.view.model == active.version }
            if !isSettled { try? await Task.sleep(for: .milliseconds(50)) }
        }
        return Promotion(version: active.version, previous: previous, settled: isSettled)
    }
}
