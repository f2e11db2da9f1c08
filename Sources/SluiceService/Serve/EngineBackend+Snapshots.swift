package import SluiceAdmin
package import SluiceCore
import SluiceEngine
import SluiceSchema
import SluiceState
import Synchronization

/// Streams that leave with their state, and come with it.
extension EngineBackend {
    package func export(stream key: String, before offset: Offset?, partition: Int32?) async throws -> [UInt8]? {
        guard let offset else {
            let found = await ask { $0.export(key) }
            if let export = found.compactMap(\.self).first { return export.snapshot }
            try await requireReadiness(found.count)
            return nil
        }
        let found = await ask { worker in
            let views = worker.partitionViews()
            return (worker.partition(of: key) ?? partition).flatMap { at in views.first { $0.partition == at } }
        }
        guard let view = found.compactMap(\.self).first else {
            try await requireReadiness(found.count)
            return nil
        }
        guard offset <= view.position else {
            throw Problem(
                .parameterInvalid,
                "partition \(view.partition) has come to offset \(view.position): there is no state at "
                    + "\(offset) yet")
        }
        return try await rewind(key, view.partition, offset)
    }

    private func rewind(_ key: String, _ partition: Int32, _ offset: Offset) async throws -> [UInt8]? {
        guard let makeRewind else { return nil }
        guard isRewinding.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else {
            throw Problem(.rebuildBusy, "another state is being rebuilt: try again when that is done")
        }
        defer { isRewinding.store(false, ordering: .relaxed) }
        let stop = StopFlag()
        return try await withTaskCancellationHandler {
            do {
                return try await onThread {
                    try makeRewind().export(key, partition: partition, before: offset) { _ in
                        if stop.isSet { throw CancellationError() }
                    }?.snapshot
                }
            } catch let error as SluiceError {
                throw Problem(ofRewind: error)
            }
        } onCancel: {
            stop.set()
        }
    }

    package func `import`(
        _ snapshot: [UInt8], stream key: String, partition: Int32?, by caller: String
    ) async throws -> CommandOutcome {
        let found = await ask { $0.target(of: snapshot, for: key, orElse: partition) }
        guard let target = found.compactMap(\.self).first else {
            try await requireReadiness(found.count)
            return .unknown
        }
        let home: Int32
        switch target {
        case .success(let partition): home = partition
        case .failure(let error): throw Problem(ofRewind: error)
        }
        if let partition, partition != home {
            throw Problem(.parameterInvalid, "the stream \(key) lives on partition \(home), not on \(partition)")
        }
        let command = Command(
            id: Self.newID(), type: .import, target: .stream(key), snapshot: snapshot, by: caller, time: Self.now())
        guard let event = try await control().perform(command, on: home) else { return .pending(id: command.id) }
        return .applied(AppliedCommand(id: event.id, stream: key, partition: event.partition, offset: event.offset))
    }
}

extension Problem {
    /// What is wrong with what was asked for, not with the service.
    fileprivate init(ofRewind error: SluiceError) {
        switch error.code {
        case .foreignState: self.init(.stateForeign, error.description)
        case .invalidState: self.init(.bodyInvalid, error.description)
        case .lostInput: self.init(.inputLost, error.description)
        case .invalidInput: self.init(.parameterInvalid, error.description)
        case .unknownModel: self.init(.modelUnknown, error.description)
        default: self.init(error)
        }
    }
}
