import Logging
import SluiceAdmin
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
        var trials: [Int32: Trial] = [:]
        while !Task.isCancelled {
            await settle(&trials)
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// How a partition was asked for a swap that it did not make.
    struct Trial {
        private static let longest = Duration.seconds(300)

        let activation: String
        private(set) var failures = 0
        private var next = ContinuousClock.now

        init(_ activation: String) { self.activation = activation }

        func isDue(at now: ContinuousClock.Instant) -> Bool { now >= next }

        /// The same id for the same command, however often it is sent; another one where that has been refused, or is
        /// not answered: it may have been refused in an earlier life, and is known then and passed over.
        func id(_ partition: Int32) -> String {
            failures == 0 ? "\(activation)/\(partition)" : "\(activation)/\(partition)/\(failures)"
        }

        mutating func failed(at now: ContinuousClock.Instant) {
            failures += 1
            next = now + min(Self.longest, .seconds(1 << min(failures, 10)))
        }
    }

    /// One round; the answers of all partitions are waited for.
    private func settle(_ trials: inout [Int32: Trial]) async {
        guard let active = registry.active else { return }
        let live = await backend.views().map(\.view).filter(\.isLive)
        let behind = live.filter { $0.model != active.version }.map(\.partition)
        trials = trials.filter { behind.contains($0.key) && $0.value.activation == active.id }
        let due = behind.map { ($0, trials[$0] ?? Trial(active.id)) }.filter { $1.isDue(at: .now) }
        guard !due.isEmpty else { return }
        await withTaskGroup(of: (Int32, Trial).self) { group in
            for (partition, trial) in due {
                group.addTask { (partition, await self.swap(partition, to: active, trial)) }
            }
            for await (partition, trial) in group { trials[partition] = trial }
        }
    }

    private func swap(_ partition: Int32, to active: ModelRegistry.Activation, _ trial: Trial) async -> Trial {
        var trial = trial
        let command = Command(
            id: trial.id(partition), type: .swap, target: nil, model: active.version, by: active.by,
            time: SystemClock().wallMilliseconds())
        do {
            if try await control.perform(command, on: partition) == nil { trial.failed(at: .now) }
        } catch let problem as Problem {
            trial.failed(at: .now)
            logger.warning(
                "a swap is refused and asked for again later",
                metadata: ["partition": "\(partition)", "model": "\(active.version)", "reason": "\(problem.detail)"])
        } catch {
            logger.warning("a swap could not be sent and is sent again", metadata: ["error": "\(error)"])
        }
        return trial
    }
}
