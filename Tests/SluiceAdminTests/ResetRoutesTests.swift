import Hummingbird
import SluiceAdminTestKit
import SluiceCore
import Testing

@testable import SluiceAdmin

@Suite struct ResetRoutesTests {
    @Test func appliedResetSaysFromWhichOffset() async throws {
        let answer = try await ask(.post, "/v1/streams/pump-17/reset")
        #expect(answer.status == 200)
        #expect(answer.text == #"{"id":"r-1","stream":"pump-17","partition":1,"offset":12346}"#)
    }

    @Test func pendingResetIs202() async throws {
        let backend = FakeBackend()
        backend.change { $0.isSlow = true }
        let answer = try await ask(.post, "/v1/streams/pump-17/reset", body: "{}", backend: backend)
        #expect(answer.status == 202)
        #expect(answer.text == #"{"id":"r-1"}"#)
    }

    @Test func streamNamedResetIsReachable() async throws {
        let backend = FakeBackend()
        let one = try await ask(.post, "/v1/streams/reset/reset", backend: backend)
        #expect(one.text == #"{"id":"r-1","stream":"reset","partition":3,"offset":12346}"#)
        let many = try await ask(.post, "/v1/streams/reset", body: #"{"all":true}"#, backend: backend)
        #expect(many.status == 202)
        #expect(many.text == #"{"id":"r-2","matched":7}"#)
        #expect(backend.resets == ["stream reset by unknown", "all by unknown"])
    }

    @Test func dryRunOnlyCounts() async throws {
        let backend = FakeBackend()
        let body = #"{"prefix":"pump-","dry_run":true}"#
        let answer = try await ask(.post, "/v1/streams/reset", body: body, backend: backend)
        #expect(answer.status == 200)
        #expect(answer.text == #"{"matched":2}"#)
        #expect(backend.resets.isEmpty)
    }

    @Test(arguments: [
        ("", "either"), ("{}", "either"), (#"{"all":false}"#, "either"), (#"{"prefix":"p","all":true}"#, "either"),
        (#"{"prefix":""}"#, "empty prefix"), ("{", "not JSON"), ("[]", "object"), (#"{"prefix":7}"#, "prefix"),
        (#"{"all":true,"dryrun":true,"force":1}"#, "dryrun, force"),
    ])
    func wrongBodiesAreRefusedByName(body: String, detail: String) async throws {
        let backend = FakeBackend()
        let answer = try await ask(.post, "/v1/streams/reset", body: body, backend: backend)
        #expect(answer.status == 400)
        #expect(answer.problem?.code == "body-invalid")
        #expect(answer.problem?.detail.contains(detail) == true, "\(answer.text)")
        #expect(backend.resets.isEmpty)
    }

    @Test func oneStreamsResetTakesNoMembers() async throws {
        let answer = try await ask(.post, "/v1/streams/pump-17/reset", body: #"{"dry_run":true}"#)
        #expect(answer.status == 400)
        #expect(answer.problem?.detail.contains("dry_run") == true)
    }

    @Test func bodyOverTheLimitIs413() async throws {
        let body = #"{"prefix":""# + String(repeating: "x", count: Limits.requestBodyBytes) + "\"}"
        let answer = try await ask(.post, "/v1/streams/reset", body: body)
        #expect(answer.status == 413)
        #expect(answer.problem?.code == "body-too-large")
    }

    @Test func pagesOfOtherOriginsAreRefused() async throws {
        let answer = try await ask(
            .post, "/v1/streams/pump-17/reset", headers: [.origin: "https://elsewhere.example"])
        #expect(answer.status == 403)
        #expect(answer.problem?.code == "origin-foreign")
    }
}
