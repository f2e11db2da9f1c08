package import SluiceAdmin
import SluiceCore
import SluiceEngine
import SluiceModels
import SluiceSchema

extension EngineBackend {
    package func overview() async -> ServiceOverview {
        let views = await views().map(\.view)
        let (ends, totals) = (ends, observer.latest)
        let now = SystemClock().monotonicNanoseconds()
        let latency = totals.activity.latency([0.5, 0.99], at: now)
        // Of a partition that restores nobody knows how far behind it is.
        let behind = views.map { view in
            ends[view.partition].flatMap { end in view.position.map { max(0, end - $0) } }
        }
        return ServiceOverview(
            time: Timestamp(SystemClock().wallMilliseconds()), instance: instance,
            rate: totals.activity.rate(at: now),
            latency: latency.map { ServiceOverview.Latency(p50: $0[0], p99: $0[1]) },
            lag: behind.contains(nil) || ends.isEmpty ? nil : behind.reduce(0) { $0 + ($1 ?? 0) },
            streams: views.reduce(0) { $0 + $1.streams }, predictions: totals.report.predictions,
            rejects: totals.report.rejects, boundaries: totals.report.boundaries, resets: totals.resets,
            partitions: ServiceOverview.Partitions(
                live: views.count { $0.isLive }, owned: views.count, all: max(ends.count, views.count)),
            model: models?.registry.active?.version, retraining: retraining?.status,
            lastRetraining: totals.lastRetraining, reasons: await readiness().reasons)
    }
}

extension AuditEvent {
    /// A record of the audit, for people.
    init(_ event: Event) {
        var (stream, prefix): (String?, String?) = (nil, nil)
        switch event.target {
        case .stream(let key): stream = key
        case .prefix(let text): prefix = text
        case nil: break
        }
        self.init(
            id: event.id, type: event.type.rawValue, stream: stream, prefix: prefix, partition: event.partition,
            offset: event.offset, model: event.model, previous: event.previous, cause: event.cause, by: event.by,
            time: Timestamp(event.time))
    }
}
