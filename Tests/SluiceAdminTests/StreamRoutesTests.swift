import Foundation
import Hummingbird
import SluiceAdminTestKit
import SluiceCore
import Testing

@testable import SluiceAdmin

@Suite struct StreamRoutesTests {
    @Test func listHasTheContractsFieldsInTheirOrderWithNulls() async throws {
        let answer = try await ask(.get, "/v1/streams", backend: FakeBackend(keys: ["warm", "x cold"]))
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "application/json")
        #expect(
            answer.text == """
                {"streams":[{"stream":"warm","partition":0,"step":412,"sequence":"run-9",\
                "time":"2026-01-01T00:05:00Z","forecast":71.25,"anomaly":0.03,"error":0.5},\
                {"stream":"x cold","partition":1,"step":413,"sequence":null,\
                "time":"2026-01-01T00:05:01.500Z","forecast":72.25,"anomaly":null,"error":null}],"next":null}
                """)
    }

    @Test func listHasLatestValuesOnRequest() async throws {
        let answer = try await ask(.get, "/v1/streams?values=1", backend: FakeBackend(keys: ["warm"]))
        #expect(answer.text.contains(#""error":0.5,"values":[{"offset":12345,"value":71.5}]}"#))
        let page = try JSONDecoder().decode(StreamPage.self, from: Data(answer.text.utf8))
        #expect(page.streams[0].values == [StreamValue(offset: 12_345, value: 71.5)])
    }

    @Test func slotHasTheContractsFieldsInTheirOrder() async throws {
        let answer = try await ask(.get, "/v1/streams/pump?state=full", backend: FakeBackend(keys: ["pump"]))
        #expect(
            answer.text == """
                {"stream":"pump","partition":0,"step":412,"sequence":"run-9","time":"2026-01-01T00:05:00Z",\
                "forecast":71.25,"anomaly":0.03,"error":0.5,"offset":12345,"model":"v7",\
                "boundary":{"cause":"gap","time":"2026-01-01T00:00:00Z","offset":11933},"resets":3,\
                "norms":{"h":[1.5,2.0],"c":[3.0,4.25]},"saturation":0.125,\
                "scaler":{"mean":[71.0,0.4],"scale":[1.5,0.1],"count":900},\
                "recent":[{"offset":12344,"time":"2026-01-01T00:00:00Z","step":0,"value":70.5,"forecast":71.0,\
                "low":null,"high":null,"anomaly":null,"boundary":"gap"},\
                {"offset":12345,"time":"2026-01-01T00:05:00Z","step":1,"value":71.5,"forecast":71.25,\
                "low":70.5,"high":72.0,"anomaly":0.03,"boundary":null}],\
                "h":[[0.5,-1.0],[0.0,0.25]],"c":[[1.0,2.0],[3.0,4.0]]}
                """)
    }

    @Test func stateIsOnlyThereOnRequest() async throws {
        let answer = try await ask(.get, "/v1/streams/pump-17")
        let slot = try JSONDecoder().decode(StreamSlot.self, from: Data(answer.text.utf8))
        #expect(slot.state == nil)
        #expect(!answer.text.contains("\"h\":[["))
    }

    @Test func whatIsWrittenReadsBackEqual() throws {
        let slot = FakeBackend.slot("ä \"\\\n\u{1}", 4)
        let page = StreamPage(streams: [slot.summary], next: "x")
        let decoder = JSONDecoder()
        #expect(try decoder.decode(StreamSlot.self, from: Data(JSONWriter.text(of: slot).utf8)) == slot)
        #expect(try decoder.decode(StreamPage.self, from: Data(JSONWriter.text(of: page).utf8)) == page)
    }

    @Test func valuesThatAreNotFiniteAreNull() {
        #expect(JSONWriter.text(of: [Float.nan, .infinity, 1e-5, 3.4e38]) == "[null,null,1e-05,3.4e+38]")
    }

    @Test(arguments: [
        ("a%2Fb", "a/b"), ("%C3%A4", "ä"), ("100%25", "100%"), ("plant%203", "plant 3"), ("reset", "reset"),
        ("%72eset", "reset"),
    ])
    func keysArePercentDecodedOnce(encoded: String, key: String) async throws {
        let answer = try await ask(.get, "/v1/streams/\(encoded)")
        #expect(answer.status == 200)
        let slot = try JSONDecoder().decode(StreamSlot.self, from: Data(answer.text.utf8))
        #expect(slot.summary.stream == key)
        let backend = FakeBackend()
        let reset = try await ask(.post, "/v1/streams/\(encoded)/reset", backend: backend)
        #expect(reset.status == 200)
        #expect(backend.resets == ["stream \(key) by unknown"])
    }

    @Test(arguments: ["100%", "%ff", "a%2"])
    func wrongEncodingIsRefused(encoded: String) async throws {
        let answer = try await ask(.get, "/v1/streams/\(encoded)")
        #expect(answer.status == 400)
        #expect(answer.problem?.code == "key-invalid")
    }

    @Test func pagesFollowNext() async throws {
        var keys: [String] = []
        var query = "limit=3"
        while true {
            let answer = try await ask(.get, "/v1/streams?\(query)")
            let page = try JSONDecoder().decode(StreamPage.self, from: Data(answer.text.utf8))
            keys += page.streams.map(\.stream)
            guard let next = page.next else { break }
            let encoded = next.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            query = "limit=3&after=\(encoded)"
        }
        #expect(keys == ["100%", "a/b", "plant 3", "pump-17", "pump-9", "reset", "ä"])
    }

    @Test func queryIsReadAsAForm() async throws {
        for prefix in ["plant+3", "plant%203"] {
            let answer = try await ask(.get, "/v1/streams?prefix=\(prefix)")
            let page = try JSONDecoder().decode(StreamPage.self, from: Data(answer.text.utf8))
            #expect(page.streams.map(\.stream) == ["plant 3"])
        }
    }

    @Test(arguments: [
        "limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "limt=1", "prefix=%ff", "=1",
        "values=-1", "values=65", "values=x",
    ])
    func wrongParametersAreRefused(query: String) async throws {
        let answer = try await ask(.get, "/v1/streams?\(query)")
        #expect(answer.status == 400)
        #expect(answer.problem?.code == "parameter-invalid")
        #expect(try await ask(.get, "/v1/streams?limit=1000").status == 200)
    }

    @Test func unknownStreamIs404() async throws {
        for (method, path) in [("GET", "/v1/streams/nobody"), ("POST", "/v1/streams/nobody/reset")] {
            let answer = try await ask(method == "GET" ? .get : .post, path)
            #expect(answer.status == 404)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(answer.problem?.code == "stream-unknown")
            #expect(answer.problem?.detail.contains("nobody") == true)
        }
    }
}
