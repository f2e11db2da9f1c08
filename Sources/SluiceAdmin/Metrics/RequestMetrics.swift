internal import CoreMetrics

/// Requests to the HTTP API by route and status.
struct RequestMetrics: Sendable {
    private static let requests = MetricDescription(
        "sluice_http_requests_total", "HTTP requests answered, by the route's template and the status.", .counter,
        labels: ["route", "status"])

    private let registry: PrometheusRegistry

    init(_ registry: PrometheusRegistry) {
        self.registry = registry
        registry.declare(Self.requests)
    }

    /// - Parameter route: as it was declared; paths that are none share one name, for callers could make up any number.
    func count(route: String?, status: Int) {
        let route = route.flatMap { $0 == "NotFound" ? nil : $0 } ?? "unknown"
        Counter(
            label: Self.requests.name, dimensions: [("route", route), ("status", String(status))], factory: registry
        ).increment()
    }
}
