import Hummingbird
import SluiceAdminTestKit
import SluiceCore
import Testing

@testable import SluiceAdmin

@Suite struct SnapshotRoutesTests {
    @Test(arguments: ["pump-17", "reset", "a%2Fb"]) func aStreamsStateIsItsBytes(key: String) async throws {
        let answer = try await ask(.get, "/v1/streams/\(key)/export?offset=100&partition=2")
        #expect(answer.status == 200 && answer.text == "SLOT of a stream")
        #expect(answer.headers[.contentType] == "application/octet-stream")
    }

    @Test(arguments: [
        ("/v1/streams/none/export", 404, "stream-unknown"),
        ("/v1/streams/none/export?offset=100", 404, "stream-unknown"),
        ("/v1/streams/pump-17/export?offset=99", 410, "input-lost"),
        ("/v1/streams/pump-17/export?offset=-1", 400, "parameter-invalid"),
        ("/v1/streams/pump-17/export?offset=now", 400, "parameter-invalid"),
        ("/v1/streams/pump-17/export?at=100", 400, "parameter-invalid"),
    ])
    func whatCannotBeExportedIsSaid(path: String, status: Int, code: String) async throws {
        let answer = try await ask(.get, path)
        #expect(answer.status == status && answer.problem?.code == code, "\(answer.text)")
    }

    @Test(arguments: [("pump-17", "", 1), ("reset", "", 3), ("new", "?partition=5", 5)])
    func anImportSaysFromWhichOffset(key: String, query: String, partition: Int) async throws {
        let backend = FakeBackend()
        let answer = try await ask(.post, "/v1/streams/\(key)/import\(query)", body: "SLOT bytes", backend: backend)
        #expect(answer.status == 200)
        #expect(answer.text == #"{"id":"i-1","stream":"\#(key)","partition":\#(partition),"offset":12346}"#)
        #expect(backend.resets == ["import 10 bytes into \(key) by unknown"])
    }

    @Test func anImportThatIsNotAppliedInTimeIs202() async throws {
        let backend = FakeBackend()
        backend.change { $0.isSlow = true }
        let answer = try await ask(.post, "/v1/streams/pump-17/import", body: "SLOT", backend: backend)
        #expect(answer.status == 202 && answer.text == #"{"id":"i-1"}"#)
    }

    @Test(arguments: [
        ("new/import", "SLOT", 404, "say with partition="), ("pump-17/import", "", 400, "no snapshot"),
        ("pump-17/import?partition=x", "SLOT", 400, "partition must be"),
        ("pump-17/import", "SLOT" + String(repeating: "x", count: 512 << 10), 413, "a snapshot 524288"),
    ])
    func whatCannotBeImportedIsSaid(path: String, body: String, status: Int, detail: String) async throws {
        let backend = FakeBackend()
        let answer = try await ask(.post, "/v1/streams/\(path)", body: body, backend: backend)
        #expect(answer.status == status && answer.problem?.detail.contains(detail) == true, "\(answer.text)")
        #expect(backend.resets.isEmpty)
    }
}
