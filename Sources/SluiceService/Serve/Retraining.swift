import Foundation
import Logging
import SluiceConfiguration
import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceModels
import Synchronization

/// Trains anew on the recorded log, in a child process, as often as `retrain.every` says, and before the first
/// prediction where there is no model. Whatever becomes of a training, serving goes on as it was.
///
/// One thread's work: `begin` and `run` block.
final class Retraining: Sendable {
    /// How a training ended, for metrics and people.
    enum Outcome: Sendable, Equatable {
        case promoted(version: String, reason: String)
        case kept(version: String, reason: String)
        case failed(reason: String)
    }

    private static let lookSeconds = 0.5
    /// Between attempts at a first model.
    private static let firstBackOffSeconds = 30.0

    private let configuration: Configuration
    /// The configuration as a file for the child, secrets included.
    private let yaml: String
    private let models: ServiceModels
    private let launch: TrainingLaunch
    private let logger: Logger
    private let isCancelled: @Sendable () -> Bool
    private let report: @Sendable (Outcome, Duration) -> Void
    private let stage = Mutex<String?>(nil)
    private let child = Atomic<Int32>(0)

    init(
        _ configuration: Configuration, yaml: String, models: ServiceModels, launch: TrainingLaunch, logger: Logger,
        isCancelled: @escaping @Sendable () -> Bool, report: @escaping @Sendable (Outcome, Duration) -> Void
    ) {
        self.configuration = configuration
        self.yaml = yaml
        self.models = models
        self.launch = launch
        self.logger = logger
        self.isCancelled = isCancelled
        self.report = report
    }

    /// What it is at, for people; nil between trainings.
    var status: String? { stage.withLock { $0 } }
    /// The child's process id; 0 without one.
    var childID: Int32 { child.load(ordering: .relaxed) }

    /// Waits until the input holds `retrain.minimum` observations and a first model is trained and active.
    ///
    /// - Parameter makeReader: of the input topic.
    func begin(topic: String, partitions: Int, makeReader: () throws -> any LogReader) throws {
        let minimum = configuration.retrain.minimum
        logger.notice(
            "there is no model yet: one is trained when the input holds enough",
            metadata: ["topic": "\(topic)", "minimum": "\(minimum)"])
        defer { stage.withLock { $0 = nil } }
        while models.registry.active == nil, !isCancelled() {
            let count: Int64
            do {
                count = try Self.observations(topic, partitions, makeReader)
            } catch let error as SluiceError where error.retry == .later {
                stage.withLock { $0 = "the brokers are away: \(error.message)" }
                pause(Self.lookSeconds)
                continue
            }
            guard count >= minimum else {
                stage.withLock { $0 = "waiting for observations to train on: \(count) of \(minimum)" }
                pause(Self.lookSeconds)
                continue
            }
            if case .failed = train(isFirst: true) { pause(Self.firstBackOffSeconds) }
        }
    }

    private static func observations(
        _ topic: String, _ partitions: Int, _ makeReader: () throws -> any LogReader
    ) throws -> Int64 {
        let reader = try makeReader()
        defer { reader.close() }
        return try (0..<Int32(partitions)).reduce(0) { sum, partition in
            let key = TopicPartition(topic: topic, partition: partition)
            let (low, high) = try reader.watermarks(key, timeoutMilliseconds: 5_000)
            return sum + high - low
        }
    }

    /// Trains each time `retrain.every` has passed, through restarts.
    func run() {
        while let due, !isCancelled() {
            if SystemClock().wallMilliseconds() >= due { train(isFirst: false) }
            pause(Self.lookSeconds)
        }
    }

    /// When the next training begins: `retrain.every` after the last attempt, whatever became of it, or after a model
    /// was activated since; nil for never.
    var due: EpochMilliseconds? {
        guard let every = configuration.retrain.every, let active = models.registry.active else { return nil }
        return max(active.since, models.registry.attempted ?? active.since) + every.wholeMilliseconds
    }

    /// Removes what a training left behind that a crash ended: its configuration holds secrets.
    func clear() { try? FileManager.default.removeItem(atPath: models.registry.candidates) }

    private func pause(_ seconds: Double) {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end && !isCancelled() { Thread.sleep(forTimeInterval: 0.1) }
    }

    /// One training from its start to its verdict; nil if it was cancelled.
    @discardableResult
    func train(isFirst: Bool) -> Outcome? {
        let began = ContinuousClock.now
        stage.withLock { $0 = "training begins" }
        defer { stage.withLock { $0 = nil } }
        // At its beginning, lest one that ends the service begins again with it; and at its end.
        let former = models.registry.attempted
        noteAttempt(SystemClock().wallMilliseconds())
        let outcome: Outcome
        do {
            outcome = try attempt(isFirst)
        } catch is CancellationError {
            // The next life makes up for it.
            noteAttempt(former)
            return nil
        } catch {
            outcome = .failed(reason: "\(error)")
        }
        noteAttempt(SystemClock().wallMilliseconds())
        tell(outcome, .now - began)
        return outcome
    }

    private func noteAttempt(_ time: EpochMilliseconds?) {
        do {
            try models.registry.noteAttempt(at: time)
        } catch {
            logger.warning("the time of a training is not kept", metadata: ["error": "\(error)"])
        }
    }

    /// A report that cannot be kept is no reason not to keep the model.
    private func keepReport(_ path: String, of version: String) {
        do {
            try models.registry.keepReport(path, of: version)
        } catch {
            logger.warning(
                "the report of a training is not kept", metadata: ["model": "\(version)", "error": "\(error)"])
        }
    }

    private func report(of version: String) -> Logger.MetadataValue {
        "\(models.registry.report(of: version) ?? "none")"
    }

    private func tell(_ outcome: Outcome, _ duration: Duration) {
        let seconds = String(format: "%.1f", duration / .seconds(1))
        switch outcome {
        case .promoted(let version, let reason):
            logger.notice(
                "a trained model takes over",
                metadata: [
                    "model": "\(version)", "why": "\(reason)", "seconds": "\(seconds)", "report": report(of: version),
                ])
        case .kept(let version, let reason):
            logger.notice(
                "a trained model is kept, the active one goes on",
                metadata: [
                    "model": "\(version)", "why": "\(reason)", "seconds": "\(seconds)", "report": report(of: version),
                ])
        case .failed(let reason):
            logger.warning("retraining failed, serving goes on", metadata: ["why": "\(reason)"])
        }
        report(outcome, duration)
    }

    private func attempt(_ isFirst: Bool) throws -> Outcome {
        let folder = models.registry.candidates
        let files = FileManager.default
        clear()
        try files.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? files.removeItem(atPath: folder) }
        let (settings, output) = (folder + "/sluice.yaml", folder + "/candidate.safetensors")
        guard files.createFile(atPath: settings, contents: Data(yaml.utf8), attributes: [.posixPermissions: 0o600])
        else { throw SluiceError(.file, "\(settings) cannot be written", retry: .later) }
        let run = folder + "/run"
        var arguments = [
            "train", "--child", "--json", "--from-topic", "--config", settings, "--output", output, "--run", run,
        ]
        if let active = models.registry.active {
            arguments += ["--incumbent", models.registry.path(of: active.version)]
        }
        let process = TrainingProcess(
            executable: launch.executable, arguments: arguments,
            environment: launch.environment.filter { !EnvironmentName.isSetting($0.key) },
            silenceSeconds: launch.silenceSeconds)
        defer { child.store(0, ordering: .relaxed) }
        let result = try process.run(
            started: { child.store($0, ordering: .relaxed) }, isCancelled: isCancelled
        ) { progress in stage.withLock { $0 = "training, \(progress.progress)" } }
        if isCancelled() { throw CancellationError() }
        guard result.stop != "interrupted", result.measured != false else {
            throw SluiceError(.trainingFailed, "the training process was interrupted", retry: .later)
        }
        // Refuses a file that is torn or holds a NaN.
        let model = try models.registry.register(output, isCandidate: true)
        defer { models.registry.dropCandidates() }
        try models.check(model)
        let version = model.manifest.version
        keepReport(run + "/report.html", of: version)
        if version == models.registry.active?.version {
            return .kept(version: version, reason: "it is the active model again")
        }
        let verdict = isFirst ? .promote("it is the first") : PromotionGate.judge(configuration.retrain.gate, result)
        switch verdict {
        case .promote(let reason):
            try models.activate(version, by: "retrain")
            return .promoted(version: version, reason: reason)
        case .keep(let reason): return .kept(version: version, reason: reason)
        }
    }
}

/// How trainings are started.
package struct TrainingLaunch: Sendable {
    /// A `sluice`.
    package var executable: String
    /// Of the training too, but for the settings in it: they are in its configuration, under the flags of `serve`.
    package var environment: [String: String]
    /// Silence after which a training counts as hanging.
    package var silenceSeconds: Double

    /// - Parameter executable: by default the program that runs.
    package init(
        executable: String = "/proc/self/exe",
        environment: [String: String] = ProcessInfo.processInfo.environment,
        silenceSeconds: Double = TrainingProcess.silenceSeconds
    ) {
        self.executable = executable
        self.environment = environment
        self.silenceSeconds = silenceSeconds
    }
}

extension Retraining.Outcome: CustomStringConvertible {
    var description: String {
        switch self {
        case .promoted(let version, let reason): "model \(version) takes over: \(reason)"
        case .kept(let version, let reason): "model \(version) is kept, the active one goes on: \(reason)"
        case .failed(let reason): "it failed, the active model goes on: \(reason)"
        }
    }
}

extension RetrainSection {
    fileprivate var gate: PromotionGate.Policy {
        switch promote {
        case .ifBetter: .ifBetter
        case .always: .always
        case .manual: .manual
        }
    }
}
