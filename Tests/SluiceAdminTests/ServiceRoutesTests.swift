import Foundation
import Hummingbird
import SluiceAdminTestKit
import SluiceCore
import Testing
import Yams

@testable import SluiceAdmin

@Suite struct ServiceRoutesTests {
    @Test func partitionsHaveTheContractsFields() async throws {
        let answer = try await ask(.get, "/v1/partitions")
        #expect(
            answer.text == """
                {"partitions":[{"partition":0,"owner":"0-0","offset":90,"end":100,"lag":10,"state":"live",\
                "progress":1.0,"checkpoint_age_ms":1200},{"partition":1,"owner":null,"offset":null,"end":null,\
                "lag":null,"state":"restoring","progress":0.25,"checkpoint_age_ms":null}]}
                """)
        let list = try JSONDecoder().decode(PartitionList.self, from: Data(answer.text.utf8))
        #expect(list.partitions == (try FakeBackend().partitions()))
    }

    @Test func conditionsAre200Or503WithReasons() async throws {
        #expect(try await ask(.get, "/healthz").text == #"{"healthy":true}"#)
        #expect(try await ask(.get, "/readyz").text == #"{"ready":true}"#)
        let backend = FakeBackend()
        backend.change { $0.condition = ServiceCondition(reasons: ["restoring partition 3", "no broker"]) }
        for (path, code) in [("/readyz", "not-ready"), ("/healthz", "not-healthy")] {
            let answer = try await ask(.get, path, backend: backend)
            #expect(answer.status == 503)
            #expect(answer.problem?.code == code)
            #expect(answer.problem?.reasons == ["restoring partition 3", "no broker"])
        }
    }

    @Test(arguments: [
        "/v1/streams", "/v1/streams/pump-17", "/v1/partitions", "/readyz", "/metrics", "/openapi.yaml", "/",
    ])
    func headAnswersLikeGetWithoutABody(path: String) async throws {
        let answer = try await ask(.head, path)
        #expect(answer.status == 200)
        #expect(answer.text.isEmpty)
        #expect(answer.headers[.contentLength] == String(try await ask(.get, path).text.utf8.count))
    }

    @Test func wrongMethodsAre405WithAllow() async throws {
        for (path, allow) in [
            ("/v1/streams", "GET, HEAD"), ("/v1/streams/reset", "GET, HEAD, POST"), ("/v1/streams/x/reset", "POST"),
            ("/v1/streams/reset/reset", "POST"), ("/metrics", "GET, HEAD"),
        ] {
            let answer = try await ask(.delete, path)
            #expect(answer.status == 405)
            #expect(answer.headers[.allow] == allow)
            #expect(answer.problem?.code == "method-not-allowed")
        }
    }

    @Test(arguments: [
        "/dashboard", "/dashboard/x.js", "/v2/streams", "/v1/streams/a/b", "/v1/streams/reset/x",
        "/v1/streams/a/reset/b",
    ])
    func unknownPathsAreProblems(path: String) async throws {
        let answer = try await ask(.get, path)
        #expect(answer.status == 404)
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(
            answer.problem
                == ProblemBody(
                    type: "/openapi.yaml#/components/x-problems/path-unknown", title: "No such path", status: 404,
                    detail: "\(path) is not a path of this service; /openapi.yaml lists them", code: "path-unknown",
                    reasons: nil))
    }

    @Test func failuresOfTheServiceKeepTheirCodeAndText() async throws {
        let backend = FakeBackend()
        for (retry, status) in [(SluiceError.Retry.later, 503), (.never, 500)] {
            backend.change {
                $0.failure = SluiceError(.broker, "no broker at b:1", remedy: "start it", retry: retry)
            }
            let answer = try await ask(.get, "/v1/streams", backend: backend)
            #expect(answer.status == status)
            #expect(answer.problem?.code == "broker")
            #expect(answer.problem?.detail == "no broker at b:1 (start it)")
        }
    }

    @Test func descriptionNamesEveryPathAndProblem() async throws {
        let answer = try await ask(.get, "/openapi.yaml")
        #expect(answer.headers[.contentType] == "application/yaml")
        let document = try #require(try Yams.load(yaml: answer.text) as? [String: Any])
        #expect(document["openapi"] as? String == "3.1.0")
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        #expect(
            paths.keys.sorted() == [
                "/", "/dashboard/{file}", "/healthz", "/metrics", "/openapi.yaml", "/readyz", "/v1/events",
                "/v1/models", "/v1/models/import", "/v1/models/rollback", "/v1/models/{version}/export",
                "/v1/models/{version}/promote", "/v1/partitions", "/v1/streams",
                "/v1/streams/reset", "/v1/streams/{key}", "/v1/streams/{key}/export", "/v1/streams/{key}/import",
                "/v1/streams/{key}/reset",
            ])
        let components = try #require(document["components"] as? [String: [String: Any]])
        #expect(components["x-problems"]?.keys.sorted() == Problem.Kind.allCases.map(\.rawValue).sorted())
        let schemas = try #require(components["schemas"])
        let references = answer.text.matches(of: /[#]\/components\/(schemas|parameters|responses)\/(\w+)/)
        #expect(references.count > 20)
        for reference in references {
            #expect(components[String(reference.1)]?[String(reference.2)] != nil, "\(reference.0)")
        }
        var summary = FakeBackend.slot("x", 0).summary
        summary.values = []
        let event = AuditEvent(id: "1", type: "reset", partition: 0, offset: 0, by: "x", time: Timestamp(0))
        for (name, written) in [
            ("StreamSummary", JSONWriter.text(of: summary)), ("Overview", JSONWriter.text(of: FakeBackend.overview)),
            ("AuditEvent", JSONWriter.text(of: event)),
            ("Promotion", JSONWriter.text(of: Promotion(version: "v8", previous: nil, settled: true))),
            ("ModelList", JSONWriter.text(of: try FakeBackend().models())),
        ] {
            let members = try #require(try JSONSerialization.jsonObject(with: Data(written.utf8)) as? [String: Any])
            let schema = try #require(schemas[name] as? [String: Any])
            #expect((schema["properties"] as? [String: Any])?.keys.sorted() == members.keys.sorted(), "\(name)")
        }
    }
}
