import CoreMetrics
import Foundation
import Hummingbird
import SluiceAdminTestKit
import Testing

@testable import SluiceAdmin

@Suite struct MetricsTests {
    @Test func expositionIsPrometheusText() {
        let registry = PrometheusRegistry()
        registry.declare(MetricDescription("jobs_total", "Jobs, with \\ and\nnew line.", .counter))
        registry.declare(MetricDescription("wait_seconds", "Waiting.", .histogram([0.1, 1])))
        registry.declare(MetricDescription("unused", "Without a series it is not shown.", .gauge))
        Counter(label: "jobs_total", dimensions: [("z", "1"), ("kind", "a\"b\\c\nd")], factory: registry)
            .increment(by: 3)
        Counter(label: "jobs_total", factory: registry).increment()
        let wait = CoreMetrics.Timer(label: "wait_seconds", factory: registry)
        for milliseconds in [50, 100, 250, 5_000] { wait.recordMilliseconds(milliseconds) }
        Gauge(label: "depth", factory: registry).record(-1.5)
        #expect(
            registry.exposition() == #"""
                # HELP depth Not described.
                # TYPE depth gauge
                depth -1.5
                # HELP jobs_total Jobs, with \\ and\nnew line.
                # TYPE jobs_total counter
                jobs_total 1
                jobs_total{kind="a\"b\\c\nd",z="1"} 3
                # HELP sluice_metric_series_refused_total Metric series not recorded because there were too many.
                # TYPE sluice_metric_series_refused_total counter
                sluice_metric_series_refused_total 0
                # HELP wait_seconds Waiting.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.1"} 2
                wait_seconds_bucket{le="1"} 3
                wait_seconds_bucket{le="+Inf"} 4
                wait_seconds_sum 5.4
                wait_seconds_count 4

                """#)
    }

    @Test func namesOfOthersAreMadeValid() {
        let registry = PrometheusRegistry()
        Counter(label: "http.requests", dimensions: [("le", "x"), ("a:b", "y")], factory: registry).increment()
        CoreMetrics.Timer(label: "9lives", factory: registry).recordNanoseconds(1)
        let text = registry.exposition()
        #expect(text.contains("\nhttp_requests_total{a_b=\"y\",le_=\"x\"} 1\n"))
        #expect(text.contains("\n_9lives_seconds_count 1\n"))
    }

    @Test func seriesBeyondTheLimitAreCountedNotKept() {
        let registry = PrometheusRegistry(seriesLimit: 2)
        for index in 0..<5 {
            Counter(label: "a_total", dimensions: [("i", String(index))], factory: registry).increment()
        }
        let text = registry.exposition()
        #expect(text.contains("a_total{i=\"1\"} 1\n"))
        #expect(!text.contains("a_total{i=\"2\"}"))
        #expect(text.contains("sluice_metric_series_refused_total 3\n"))
    }

    @Test func nameOfAnotherKindIsRefused() {
        let registry = PrometheusRegistry()
        Gauge(label: "a", factory: registry).record(1)
        Recorder(label: "a", factory: registry).record(2)
        #expect(registry.exposition().contains("\na 1\n") || registry.exposition().hasPrefix("# HELP a "))
        #expect(registry.exposition().contains("sluice_metric_series_refused_total 1\n"))
    }

    @Test func countersAreExactUnderConcurrency() async {
        let registry = PrometheusRegistry()
        let counter = Counter(label: "n_total", factory: registry)
        let recorder = Recorder(label: "size", factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<5_000 {
                        counter.increment(by: 2)
                        recorder.record(4)
                    }
                }
            }
        }
        #expect(registry.exposition().contains("\nn_total 40000\n"))
        #expect(registry.exposition().contains("size_bucket{le=\"4\"} 20000\n"))
    }

    @Test func destroyedSeriesAreGone() {
        let metrics = ServiceMetrics(registry: PrometheusRegistry())
        metrics.setLag(7, partition: 3)
        metrics.setLag(8, partition: 3)
        metrics.setModel(version: "v1", hash: "aa")
        metrics.setModel(version: "v2", hash: "bb")
        #expect(metrics.registry.exposition().contains("sluice_lag_records{partition=\"3\"} 8\n"))
        metrics.setLag(nil, partition: 3)
        let text = metrics.registry.exposition()
        #expect(!text.contains("sluice_lag_records"))
        #expect(!text.contains("v1"))
        #expect(text.contains("sluice_model_info{hash=\"bb\",version=\"v2\"} 1\n"))
    }

    @Test func theAgeOfWhatIsNotCommittedIsAWorkers() {
        let metrics = ServiceMetrics(registry: PrometheusRegistry())
        metrics.setCommitAge(41.5, worker: 0)
        metrics.setCommitAge(0.25, worker: 1)
        metrics.setCommitAge(0, worker: 0)
        metrics.producersRenewed.increment()
        let text = metrics.registry.exposition()
        #expect(text.contains("\nsluice_commit_age_seconds{worker=\"0\"} 0\n"))
        #expect(text.contains("\nsluice_commit_age_seconds{worker=\"1\"} 0.25\n"))
        #expect(text.contains("\nsluice_producers_renewed_total 1\n"))
        #expect(text.contains("\nsluice_transactions_aborted_total 0\n"))
    }

    @Test func retrainsAreCountedByOutcome() {
        let metrics = ServiceMetrics(registry: PrometheusRegistry())
        #expect(metrics.registry.exposition().contains("\nsluice_retrains_total{outcome=\"failed\"} 0\n"))
        #expect(!metrics.registry.exposition().contains("sluice_retrain_last_duration_seconds"))
        metrics.countRetrain(.succeeded, seconds: 12.5)
        metrics.countRetrain(.refused, seconds: 0.25)
        let text = metrics.registry.exposition()
        #expect(text.contains("\nsluice_retrains_total{outcome=\"failed\"} 0\n"))
        #expect(text.contains("\nsluice_retrains_total{outcome=\"refused\"} 1\n"))
        #expect(text.contains("\nsluice_retrains_total{outcome=\"succeeded\"} 1\n"))
        #expect(text.contains("\nsluice_retrain_last_duration_seconds 0.25\n"))
    }

    @Test func requestsAreCountedByTemplateAndStatus() async throws {
        let registry = PrometheusRegistry()
        let server = AdminServer(
            host: "127.0.0.1", port: 0, backend: FakeBackend(), metrics: registry, logger: CapturedLog().logger)
        for path in [
            "/v1/streams/a%2Fb", "/v1/streams/pump-17", "/v1/streams/nobody", "/no/such", "/v0/path", "/readyz",
        ] {
            _ = try await server.ask(.get, path)
        }
        _ = try await server.ask(.delete, "/readyz")
        let lines = registry.exposition().split(separator: "\n").filter { $0.hasPrefix("sluice_http_requests_total") }
        #expect(
            lines == [
                #"sluice_http_requests_total{route="/readyz",status="200"} 1"#,
                #"sluice_http_requests_total{route="/readyz",status="405"} 1"#,
                #"sluice_http_requests_total{route="/v1/streams/{key}",status="200"} 2"#,
                #"sluice_http_requests_total{route="/v1/streams/{key}",status="404"} 1"#,
                #"sluice_http_requests_total{route="unknown",status="404"} 2"#,
            ])
    }

    @Test func processIsMeasuredAtEachScrape() throws {
        let registry = ServiceMetrics(registry: PrometheusRegistry()).registry
        func value(_ name: String) throws -> Double {
            let line = registry.exposition().split(separator: "\n").first { $0.hasPrefix(name + " ") }
            return try #require(line.flatMap { Double($0.dropFirst(name.count + 1)) })
        }
        let before = try value("process_cpu_seconds_total")
        var sum = 0
        while try value("process_cpu_seconds_total") == before { for index in 0..<1_000_000 { sum &+= index } }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_max_fds") >= value("process_open_fds"))
        let start = Date(timeIntervalSince1970: try value("process_start_time_seconds"))
        #expect(start < .now && start > .now - 86_400)
    }
}
