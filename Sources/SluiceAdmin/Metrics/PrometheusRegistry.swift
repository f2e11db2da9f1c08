package import CoreMetrics
internal import SluiceCore
internal import Synchronization

/// A swift-metrics backend that Prometheus can read: counters, gauges, and histograms over fixed buckets.
///
/// A metric is declared once with its help; one that a library makes undeclared appears under a name made valid.
/// Series per metric are limited: what would exceed the limit is counted in `sluice_metric_series_refused_total` and
/// recorded nowhere, so that no label can fill the memory.
package final class PrometheusRegistry: Sendable {
    struct Family {
        let description: MetricDescription
        var series: [MetricLabels: Cell] = [:]
    }

    enum Cell {
        case scalar(ScalarCell)
        case histogram(HistogramCell)
    }

    private let families = Mutex<[String: Family]>([:])
    private let collectors = Mutex<[@Sendable () -> Void]>([])
    private let refused: ScalarCell
    private let seriesLimit: Int

    /// - Parameter seriesLimit: label combinations per metric.
    package init(seriesLimit: Int = Limits.metricSeries) {
        self.seriesLimit = seriesLimit
        refused = ScalarCell()
        let description = MetricDescription(
            "sluice_metric_series_refused_total", "Metric series not recorded because there were too many.", .counter)
        families.withLock {
            $0[description.name] = Family(description: description, series: [MetricLabels([]): .scalar(refused)])
        }
    }

    /// Gives a metric its help, kind and buckets. Declaring again changes nothing.
    package func declare(_ description: MetricDescription) {
        families.withLock { families in
            if families[description.name] == nil { families[description.name] = Family(description: description) }
        }
    }

    /// Calls `body` before each exposition, for what is known only when it is asked for.
    func beforeExposition(_ body: @escaping @Sendable () -> Void) { collectors.withLock { $0.append(body) } }

    /// All metrics there are, by name, whether they have a value or not.
    package var descriptions: [MetricDescription] {
        families.withLock { $0.values.map(\.description) }.sorted { $0.name < $1.name }
    }

    /// The cell of a series, made if need be: the same labels give the same cell. Nil when the limit is reached or the
    /// name belongs to a metric of another kind.
    func cell(_ name: String, _ dimensions: [(String, String)], kind: MetricDescription.Kind) -> Cell? {
        let labels = MetricLabels(dimensions)
        let found: Cell? = families.withLock { families in
            if families[name] == nil {
                guard families.count < Limits.metrics else { return nil }
                families[name] = Family(description: MetricDescription(name, "Not described.", kind))
            }
            guard let family = families[name], family.description.kind.typeName == kind.typeName else { return nil }
            if let cell = family.series[labels] { return cell }
            guard family.series.count < seriesLimit else { return nil }
            let cell: Cell =
                if case .histogram(let bounds) = family.description.kind {
                    .histogram(HistogramCell(bounds: bounds))
                } else {
                    .scalar(ScalarCell())
                }
            families[name]?.series[labels] = cell
            return cell
        }
        if found == nil { refused.increment(by: 1.0) }
        return found
    }

    /// The one cell of a metric without labels.
    func cell(_ description: MetricDescription) -> Cell? { cell(description.name, [], kind: description.kind) }

    /// Forgets the series of a cell.
    func remove(_ handler: AnyObject) {
        families.withLock { families in
            for (name, family) in families {
                for (labels, cell) in family.series where cell.handler === handler {
                    families[name]?.series[labels] = nil
                    return
                }
            }
        }
    }

    /// All metrics that have a value, by name.
    func snapshot() -> [Family] {
        for collect in collectors.withLock({ $0 }) { collect() }
        return families.withLock { Array($0.values) }
            .filter { !$0.series.isEmpty }
            .sorted { $0.description.name < $1.description.name }
    }
}

extension PrometheusRegistry.Cell {
    var handler: AnyObject {
        switch self {
        case .scalar(let cell): cell
        case .histogram(let cell): cell
        }
    }
}

extension PrometheusRegistry: MetricsFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        scalar(MetricName.valid(label, suffix: "_total"), dimensions, .counter)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        scalar(MetricName.valid(label, suffix: "_total"), dimensions, .counter)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        scalar(MetricName.valid(label), dimensions, .gauge)
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        let name = MetricName.valid(label)
        return aggregate ? histogram(name, dimensions, .records) : scalar(name, dimensions, .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(MetricName.valid(label, suffix: "_seconds"), dimensions, .seconds)
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func scalar(
        _ name: String, _ dimensions: [(String, String)], _ kind: MetricDescription.Kind
    ) -> ScalarCell {
        if case .scalar(let cell) = cell(name, dimensions, kind: kind) { return cell }
        return ScalarCell()
    }

    private func histogram(
        _ name: String, _ dimensions: [(String, String)], _ kind: MetricDescription.Kind
    ) -> HistogramCell {
        if case .histogram(let cell) = cell(name, dimensions, kind: kind) { return cell }
        return HistogramCell(bounds: [])
    }
}
