import Logging
import SluiceCore
import SluiceEngine
import SluiceModels
import SluiceSchema

/// Brings every live partition of this instance to the active model: a swap by the control topic where one folds by
/// another. What was activated while a partition was away, or before a crash, is made up for.
struct ModelSwaps: Sendable {
    private static let pause = Duration.milliseconds(500)

    let backend: EngineBackend
    let registry: ModelRegistry
    let control: ControlPlane
    let logger: Logger

    func run() async {
        while !Task.isCancelled {
            await settle()
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// One round; the answers of all partitions are waited for.
    private func settle() async {
        guard let active = registry.active else { return }
        let behind = await backend.views().map(\.view).filter { $0.isLive && $0.model != active.version }
        guard !behind.isEmpty else { return }
        await withTaskGroup(of: Void.self) { group in
            for view in behind {
                group.addTask { await self.swap(view.partition, to: active) }
            }
        }
    }

    private func swap(_ partition: Int32, to active: ModelRegistry.Activation) async {
        // The same id each time: however often it is sent, it is one command.
        let command = Command(
            id: "\(active.id)/\(partition)", type: .swap, target: nil, model: active.version, by: active.by,
            time: SystemClock().wallMilliseconds())
        do {
            _ = try await control.perform(command, on: partition)
        } catch {
            logger.warning("a swap could not be sent and is sent again", metadata: ["error": "\(error)"])
        }
    }
}
