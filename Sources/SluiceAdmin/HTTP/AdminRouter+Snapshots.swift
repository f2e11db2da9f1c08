internal import Hummingbird
internal import NIOCore
internal import SluiceCore

/// Streams that leave with their state, and come with it.
extension AdminRouter {
    func export(_ key: String, _ request: Request, _ context: AdminRequestContext) async throws -> Response {
        let query = try RequestReading.query(request, names: ["offset", "partition"])
        let offset = try query["offset"].map { try RequestReading.number($0, "offset", as: Offset.self) }
        let partition = try query["partition"].map { try RequestReading.number($0, "partition", as: Int32.self) }
        let seconds = offset == nil ? 30 : Self.rebuildSeconds
        return try await answer(request, context, partition: partition, seconds: seconds) {
            let snapshot = try await context.channel.whileOpen { [backend] in
                try await backend.export(stream: key, before: offset, partition: partition)
            }
            guard let snapshot else {
                guard let offset else { throw Problem.unknown(stream: key) }
                throw Problem(.streamUnknown, "the stream \(key) had no state before offset \(offset)")
            }
            return Response(bytes: snapshot)
        }
    }

    func importState(_ key: String, _ request: Request, _ context: AdminRequestContext) async throws -> Response {
        let query = try RequestReading.query(request, names: ["partition"])
        let partition = try query["partition"].map { try RequestReading.number($0, "partition", as: Int32.self) }
        let body = try await request.body.collect(upTo: Limits.snapshotBytes)
        if let partition { try await checkHome(key, partition, request) }
        return try await answer(request, context, body: body, partition: partition) {
            let outcome = try await backend.import(
                Array(body.readableBytesView), stream: key, partition: partition, by: context.caller)
            if outcome == .unknown {
                throw Problem(
                    .streamUnknown,
                    "no stream \(key) has been seen: to give it a state before its first observation, say with "
                        + "partition= where its records go")
            }
            return try Self.answer(outcome, key)
        }
    }
}
