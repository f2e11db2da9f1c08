import Foundation
import SluiceCore

@testable import SluiceAdmin

/// A request to the HTTP API: its path and query on the first line, its body behind it.
struct Requests: FuzzTarget {
    private static let parameters: Set<String> = [
        "prefix", "limit", "after", "values", "state", "stream", "offset", "partition",
    ]

    static func seeds() -> [Seed] {
        let requests = [
            "/v1/streams?prefix=pump%2D&limit=10&after=&values=0", "/v1/streams/pump+17%2F%C3%BC?state=full",
            "/v1/streams/reset\n{\"prefix\": \"pump-\", \"dry_run\": true}", "/v1/streams/reset\n{\"all\": true}",
            "/v1/streams/a/reset\n{}", "/v1/streams/a/export?offset=-1&partition=07", "/v1/events?stream=a%20b+c",
            "/v1/models/v7/promote", "/v1/streams?limit=%zz&a",
            "/v1/streams/reset\n{\"all\": 1, \"prefix\": [null, {\"\\u00e9\": \"\\ud83d\\ude00\"}]}",
        ]
        return requests.enumerated().map { Seed("seed-\($0)", $1) }
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        let line = bytes.prefix { $0 != 0x0A }
        let halves = String(decoding: line, as: UTF8.self).split(
            separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        for segment in halves.first?.split(separator: "/") ?? [] { try readKey(String(segment)) }
        if halves.count == 2 { try readQuery(String(halves[1])) }
        try readBody(Data(bytes.dropFirst(line.count + 1)))
    }

    private func readKey(_ segment: String) throws {
        guard let key = try Self.accepting(.keyInvalid, parse: { try RequestReading.key(segment) }) else { return }
        check(!key.isEmpty, "a stream has a name")
        try check(RequestReading.key(Self.encoded(key)) == key, "a key reads back as it is encoded")
    }

    private func readQuery(_ text: String) throws {
        let parsed = try Self.accepting(.parameterInvalid) {
            try RequestReading.query(text, names: Self.parameters)
        }
        guard let parsed else { return }
        check(Self.parameters.isSuperset(of: parsed.keys), "only known parameters come through")
        let written = parsed.map { "\($0)=\(Self.encoded($1))" }.joined(separator: "&")
        let again = try RequestReading.query(written, names: Self.parameters)
        check(again == parsed, "a query reads back as it is encoded")
    }

    private func readBody(_ body: Data) throws {
        _ = try Self.accepting(.bodyInvalid) { try RequestReading.body(body, as: ResetRequest.self) }
        let wish = try Self.accepting(.bodyInvalid) { try RequestReading.body(body, as: ManyResetRequest.self) }
        guard let wish else { return }
        let target =
            switch wish.selection {
            case .all: "\"all\":true"
            case .prefix(let prefix): "\"prefix\":\(JSONText.quoted(prefix))"
            }
        let written = Data("{\(target),\"dry_run\":\(wish.dryRun)}".utf8)
        let again = try RequestReading.body(written, as: ManyResetRequest.self)
        check(again.selection == wish.selection && again.dryRun == wish.dryRun, "a wish reads back as it is written")
        check(wish.selection != .prefix(""), "every stream is meant only where all are asked for")
    }

    /// What is read; nil for a refusal, which must be the caller's fault and must be able to say so in JSON.
    private static func accepting<Result>(_ kind: Problem.Kind, parse: () throws -> Result) throws -> Result? {
        do {
            return try parse()
        } catch let problem as Problem where problem.code == kind.rawValue && problem.status == 400 {
            let document = Data(JSONWriter.text(of: problem).utf8)
            check((try? JSONSerialization.jsonObject(with: document)) != nil, "a problem is JSON")
            return nil
        }
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { "%" + [$0].hexadecimal }.joined()
    }
}
