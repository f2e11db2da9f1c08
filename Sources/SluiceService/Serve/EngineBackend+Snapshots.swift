package import SluiceAdmin
package import SluiceCore
import SluiceEngine
import SluiceSchema
import SluiceState

/// Streams that leave with their state, and come with it.
extension EngineBackend {
    private static let commitPatience = Duration.seconds(10)

    package func export(stream key: String, before offset: Offset?, partition: Int32?) async throws -> [UInt8]? {
        guard let offset else { return try await find { try $0.export(key) }?.snapshot }
        let home = try await find { try $0.partition(of: key) }
        guard let at = home ?? partition, let view = try await committed(offset, on: at) else { return nil }
        return try await rewind(key, at, offset, origin: view.origin)
    }

    /// Waits until the inputs before `offset` are committed, and with them what was commanded before it; nil when the
    /// partition is not here.
    ///
    /// - Throws: `parameter-invalid` where it has not come so far; `not-ready` when the commit does not come.
    private func committed(_ offset: Offset, on partition: Int32) async throws -> PartitionView? {
        let end = ContinuousClock.now + Self.commitPatience
        while true {
            let found = try await find { $0.partitionViews().first { $0.partition == partition } }
            guard let view = found else { return nil }
            if offset <= view.committed { return view }
            if let position = view.position, offset > position {
                throw Problem(
                    .parameterInvalid,
                    "partition \(partition) has come to offset \(position): there is no state at \(offset) yet")
            }
            guard .now < end else {
                throw Problem(notReady: "the inputs before \(offset) of partition \(partition) are not committed yet")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The state of a stream, folded again; it is given up when the service stops, or the task is cancelled.
    func rewind(
        _ key: String, _ partition: Int32, _ offset: Offset, origin: Offset = 0
    ) async throws -> [UInt8]? {
        guard let makeRewind else { return nil }
        let stop = try beginRebuild()
        defer { endRebuild() }
        return try await withTaskCancellationHandler {
            do {
                return try await onThread { [observer] in
                    var progress = RebuildProgress(key, partition, before: offset)
                    return try makeRewind().export(
                        key, partition: partition, before: offset, origin: origin
                    ) { reached in
                        if stop.isSet { throw CancellationError() }
                        if let reached { progress.came(to: reached, observer) }
                    }?.snapshot
                }
            } catch let error as SluiceError {
                throw Problem(ofRewind: error)
            } catch is CancellationError {
                throw Problem(notReady: "the rebuild is given up: the service stops, or nobody waits for it any more")
            }
        } onCancel: {
            stop.set()
        }
    }

    package func `import`(
        _ snapshot: [UInt8], stream key: String, partition: Int32?, by caller: String
    ) async throws -> CommandOutcome {
        let known = try await find { try $0.partition(of: key) }
        guard let home = known ?? partition else { return .unknown }
        if let partition, partition != home {
            throw Problem(.parameterInvalid, "the stream \(key) lives on partition \(home), not on \(partition)")
        }
        do {
            guard try await find({ try $0.check(snapshot, for: key, on: home) }) != nil else { return .unknown }
        } catch let error as SluiceError {
            throw Problem(ofSnapshot: error)
        }
        let command = Command(
            id: Self.newID(), type: .import, target: .stream(key), snapshot: snapshot, by: caller, time: Self.now())
        guard let event = try await control().perform(command, on: home) else { return .pending(id: command.id) }
        return .applied(AppliedCommand(id: event.id, stream: key, partition: event.partition, offset: event.offset))
    }
}

/// Says every other second how far the inputs of an earlier state are folded again.
private struct RebuildProgress {
    private static let interval = Duration.seconds(2)

    private let (key, partition, end): (String, Int32, Offset)
    private var start: Offset?
    private var said = ContinuousClock.now

    init(_ key: String, _ partition: Int32, before end: Offset) {
        (self.key, self.partition, self.end) = (key, partition, end)
    }

    mutating func came(to offset: Offset, _ observer: MetricsObserver) {
        let start = start ?? offset
        self.start = start
        guard ContinuousClock.now - said >= Self.interval else { return }
        said = .now
        observer.rebuilding(key, partition, start: start, reached: offset, end: end)
    }
}

extension Problem {
    /// What is wrong with a snapshot that was sent, not with the service.
    fileprivate init(ofSnapshot error: SluiceError) {
        switch error.code {
        case .foreignState: self.init(.stateForeign, error.description)
        case .invalidState: self.init(.bodyInvalid, error.description)
        default: self.init(error)
        }
    }

    /// What is wrong with what was asked for.
    fileprivate init(ofRewind error: SluiceError) {
        switch error.code {
        case .lostInput: self.init(.inputLost, error.description)
        case .invalidInput: self.init(.parameterInvalid, error.description)
        case .unknownModel: self.init(.modelUnknown, error.description)
        default: self.init(error)
        }
    }
}
