import Hummingbird
import SluiceAdminTestKit
import Synchronization
import Testing

@testable import SluiceAdmin

private let forwarded: HTTPFields = [.init(ForwardedHeader.name)!: "1"]

/// One other instance, with the streams of a backend of its own, asked without a socket.
final class FakeInstances: OtherInstances {
    let backend = FakeBackend(keys: ["there", "a b"])
    let asked = Mutex<[ForwardedRequest]>([])
    let owned: Int32
    let isAway: Bool
    private let instance = OtherInstance(name: "other", address: "other:8080")

    init(owned: Int32 = 3, isAway: Bool = false) {
        self.owned = owned
        self.isAway = isAway
    }

    func holder(of target: String, authorization: String?) async throws -> (instance: OtherInstance, partition: Int32)?
    {
        if isAway { throw Problem(.instanceAway, "other is away") }
        let answer = try await answer(
            ForwardedRequest(target: target, authorization: authorization), from: instance)
        guard answer.status == 200 else { return nil }
        return (instance, 1)
    }

    func owner(of partition: Int32) -> OtherInstance? { partition == owned ? instance : nil }

    func answer(_ request: ForwardedRequest, from instance: OtherInstance) async throws -> ForwardedAnswer {
        asked.withLock { $0.append(request) }
        var headers = forwarded
        if let authorization = request.authorization { headers[.authorization] = authorization }
        let answer = try await ask(
            HTTPRequest.Method(rawValue: request.method)!, request.target,
            body: String(decoding: request.body, as: UTF8.self), headers: headers, backend: backend)
        return ForwardedAnswer(
            status: answer.status, contentType: answer.headers[.contentType], body: Array(answer.text.utf8))
    }
}

@Suite struct ElsewhereTests {
    private func here(_ others: FakeInstances) -> FakeBackend {
        let backend = FakeBackend(keys: ["here"])
        backend.change { $0.others = others }
        return backend
    }

    @Test(arguments: ["there", "a%20b"]) func aStreamOfAnotherInstanceIsAnsweredThroughIt(key: String) async throws {
        let others = FakeInstances()
        let backend = here(others)
        let slot = try await ask(.get, "/v1/streams/\(key)?state=full", backend: backend)
        #expect(slot.status == 200 && slot.text.contains(#""h":[["#))
        #expect(slot.headers[.contentType] == "application/json")
        let reset = try await ask(.post, "/v1/streams/\(key)/reset", backend: backend)
        #expect(reset.status == 200 && others.backend.resets.count == 1 && backend.resets.isEmpty)
        let export = try await ask(.get, "/v1/streams/\(key)/export", backend: backend)
        #expect(export.status == 200 && export.text == "SLOT of a stream")
        let imported = try await ask(.post, "/v1/streams/\(key)/import", body: "SLOT x", backend: backend)
        #expect(imported.status == 200 && others.backend.resets.last?.hasPrefix("import 6 bytes") == true)
        #expect(others.asked.withLock { $0.last?.target } == "/v1/streams/\(key)/import")
    }

    @Test func aProblemThereIsTheAnswer() async throws {
        let answer = try await ask(.get, "/v1/streams/there/export?offset=9", backend: here(FakeInstances()))
        #expect(answer.status == 410 && answer.problem?.code == "input-lost")
    }

    @Test func theAuthorizationGoesWithTheRequest() async throws {
        let others = FakeInstances()
        _ = try await ask(
            .get, "/v1/streams/there", headers: [.authorization: "Bearer secret"], backend: here(others))
        #expect(others.asked.withLock { $0.map(\.authorization) } == ["Bearer secret", "Bearer secret"])
    }

    @Test func whatIsForwardedGoesNoFurther() async throws {
        let others = FakeInstances()
        for (method, path) in [
            (.get, "there"), (.post, "there/reset"), (.get, "there/export"), (.post, "there/import"),
        ] as [(HTTPRequest.Method, String)] {
            let answer = try await ask(
                method, "/v1/streams/\(path)", body: method == .post ? "" : nil, headers: forwarded,
                backend: here(others))
            #expect([400, 404].contains(answer.status))
        }
        #expect(others.asked.withLock { $0.isEmpty })
    }

    @Test func whatIsHereAsksNobody() async throws {
        let answer = try await ask(.get, "/v1/streams/here", backend: here(FakeInstances(isAway: true)))
        #expect(answer.status == 200)
    }

    @Test func whatNobodyKnowsIs404AndWhatNobodyCanSayIs503() async throws {
        let unknown = try await ask(.get, "/v1/streams/none", backend: here(FakeInstances()))
        #expect(unknown.status == 404 && unknown.problem?.code == "stream-unknown")
        let away = try await ask(.get, "/v1/streams/none", backend: here(FakeInstances(isAway: true)))
        #expect(away.status == 503 && away.problem?.code == "instance-away")
    }

    /// It would be a second state, where no record of the stream ever comes.
    @Test func anImportToAPartitionOnWhichTheStreamDoesNotLiveIsRefused() async throws {
        let others = FakeInstances()
        let backend = here(others)
        let wrong = try await ask(.post, "/v1/streams/there/import?partition=0", body: "SLOT", backend: backend)
        #expect(wrong.status == 400 && wrong.problem?.code == "parameter-invalid")
        #expect(wrong.problem?.detail == "the stream there lives on partition 1, not on 0")
        #expect(backend.resets.isEmpty && others.backend.resets.isEmpty)
        let unsure = try await ask(
            .post, "/v1/streams/there/import?partition=0", body: "SLOT", backend: here(FakeInstances(isAway: true)))
        #expect(unsure.status == 503)
    }

    @Test func anEndedStreamIsLookedForWhereItsPartitionIs() async throws {
        let others = FakeInstances()
        _ = try await ask(.get, "/v1/streams/gone/export?offset=100&partition=3", backend: here(others))
        #expect(others.asked.withLock { $0.last?.target } == "/v1/streams/gone/export?offset=100&partition=3")
        #expect(others.asked.withLock { $0.last?.seconds ?? 0 } > 3_600)
        let nobody = try await ask(.get, "/v1/streams/gone/export?offset=100&partition=2", backend: here(others))
        #expect(nobody.status == 404)
    }
}
