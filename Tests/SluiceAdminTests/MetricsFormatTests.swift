import CoreMetrics
import Foundation
import Hummingbird
import SluiceAdminTestKit
import Testing

@testable import SluiceAdmin

/// What `/metrics` says, as Prometheus reads it.
@Suite struct MetricsFormatTests {
    /// The metrics of a service to which everything has happened.
    private static func scrape() async throws -> (registry: PrometheusRegistry, text: String) {
        let metrics = ServiceMetrics(registry: PrometheusRegistry())
        metrics.countRejects(2, code: "json-invalid")
        metrics.setLag(1, partition: 0)
        metrics.setLag(20, partition: 11)
        metrics.setCommitAge(0.5, worker: 0)
        metrics.setModel(version: "v7", hash: "0f")
        metrics.countRetrain(.succeeded, seconds: 3.25)
        for nanoseconds in [0, 5_000, 250_000, 40_000_000, 20_000_000_000] as [Int64] {
            metrics.step.recordNanoseconds(nanoseconds)
            metrics.latency.recordNanoseconds(nanoseconds)
            metrics.commit.recordNanoseconds(nanoseconds)
        }
        for records in [1, 100, 4_096] { metrics.batchRecords.record(records) }
        let server = AdminServer(
            host: "127.0.0.1", port: 0, backend: FakeBackend(), metrics: metrics.registry,
            logger: CapturedLog().logger)
        _ = try await server.ask(.get, "/v1/streams/nobody")
        let answer = try await server.ask(.get, "/metrics")
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        return (metrics.registry, answer.text)
    }

    @Test func everyFamilyKeepsTheRules() async throws {
        let (registry, text) = try await Self.scrape()
        let parsed = PrometheusText(text)
        #expect(parsed.problems.isEmpty, "\(parsed.problems)")
        #expect(parsed.families.map(\.name) == registry.descriptions.map(\.name))
        for (family, description) in zip(parsed.families, registry.descriptions) {
            for sample in family.samples {
                #expect(sample.labels.map(\.name).filter { $0 != "le" } == description.labels, "\(family.name)")
            }
        }
        // Nothing per stream, whoever asks for what.
        #expect(!text.contains("nobody"))
    }

    @Test func durationsAreFoundBetween100MicrosecondsAnd10Seconds() async throws {
        let families = PrometheusText(try await Self.scrape().text).families.filter {
            $0.type == "histogram" && $0.name.hasSuffix("_seconds")
        }
        #expect(families.map(\.name) == ["sluice_commit_seconds", "sluice_latency_seconds", "sluice_step_seconds"])
        for family in families {
            let bounds = family.samples.compactMap { $0.labels.first { $0.name == "le" }?.value }
            #expect(bounds.first == "0.0001" && bounds.suffix(2) == ["10", "+Inf"])
        }
    }

    @Test(arguments: [
        ("# TYPE a gauge\na 1\n", "a: no HELP before TYPE"),
        ("# HELP a A.\n# TYPE a counter\na 1\n", "a: _total is for counters, and all of them"),
        ("# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n", "a_ms: not a base unit"),
        ("# HELP a A.\n# TYPE a gauge\na{x=\"1\"} 1\na{y=\"1\"} 1\n", "a: series with different labels"),
        ("# HELP a A.\n# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 2\n", "a: a series twice"),
        ("# HELP a A.\n# TYPE a gauge\na{x=\"\"\"} 1\n", "not understood: a{x=\"\"\"} 1"),
        ("# HELP a A.\n# TYPE a gauge\nb 1\n", "not understood: b 1"),
        (
            "# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 3\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 2\n",
            "a: buckets do not cumulate"
        ),
    ])
    func rulesThatAreBrokenAreFound(_ text: String, _ problem: String) {
        #expect(PrometheusText(text).problems.contains(problem))
    }

    private static let promtool: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/promtool" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Exit code and all that promtool says of a text.
    private static func check(_ text: String) throws -> (code: Int32, said: String) {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: try #require(promtool))
        process.arguments = ["check", "metrics"]
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, output)
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: said, as: UTF8.self))
    }

    @Test(.enabled(if: promtool != nil, "promtool is not here: apt-get install prometheus brings it"))
    func promtoolHasNothingToSay() async throws {
        let (code, said) = try Self.check(try await Self.scrape().text)
        #expect(code == 0)
        #expect(said.isEmpty, "\(said)")
        #expect(try Self.check("# TYPE a_ms counter\na_ms 1\n").code != 0)
    }

    /// `docs/metrics.md` holds the table of what there is. With RECORD_SNAPSHOTS=1 it is written anew, and the test
    /// fails.
    @Test func documentListsEveryMetric() async throws {
        let table = try await Self.scrape().registry.descriptions.map { metric in
            let labels = metric.labels.map { " `\($0)`" }.joined(separator: ",")
            return "| `\(metric.name)` | \(metric.kind.typeName) |\(labels) | \(metric.help) |"
        }
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/metrics.md")
        let lines = try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
        let listed = lines.filter { $0.hasPrefix("| `") }
        guard ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" else {
            #expect(listed == table, "RECORD_SNAPSHOTS=1 writes it anew")
            return
        }
        let head = lines.prefix { !$0.hasPrefix("| ---") } + ["| --- | --- | --- | --- |"]
        let tail = lines.drop { !$0.hasPrefix("| ---") }.dropFirst().drop { $0.hasPrefix("| `") }
        try Data((head + table + tail).joined(separator: "\n").utf8).write(to: file)
        Issue.record("recorded docs/metrics.md")
    }
}
