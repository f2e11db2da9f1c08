internal import Hummingbird
internal import SluiceCore

/// The paths of the API over a backend. Every path answers each method: what it does not offer with 405 and `Allow`.
struct AdminRouter {
    typealias Handler = @Sendable (Request, AdminRequestContext) async throws -> Response

    let backend: any AdminBackend
    let metrics: PrometheusRegistry
    let hub: EventHub
    let access: AccessControl
    /// Requests that took longer are logged at notice.
    var slow = Duration.seconds(1)

    func build() -> Router<AdminRequestContext> {
        let router = Router(context: AdminRequestContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: RequestGate(slow: slow, requests: RequestMetrics(metrics)))
        addOpen(to: router)
        // Unknown paths are behind it, too.
        router.add(middleware: AccessGate(access: access, refusals: RefusalLog()))
        addGuarded(to: router)
        return router
    }

    /// What needs no access token: what tells nothing of the streams, and what a browser loads before it can send one.
    private func addOpen(to router: Router<AdminRequestContext>) {
        add("/healthz", to: router, get: health)
        add("/readyz", to: router, get: readiness)
        add("/openapi.yaml", to: router) { _, _ in
            Response(text: String(decoding: PackageResources.openapi_yaml, as: UTF8.self), type: "application/yaml")
        }
        for file in DashboardFile.all {
            add(RouterPath(file.path), to: router) { request, _ in file.response(to: request) }
        }
    }

    private func addGuarded(to router: Router<AdminRequestContext>) {
        add("/v1/streams", to: router, get: streams)
        // `reset` is also a possible key: its own paths come before the pattern's.
        add(
            "/v1/streams/reset", to: router,
            get: { request, context in try await self.stream("reset", request, context) },
            post: resetMany)
        add("/v1/streams/reset/reset", to: router, post: { try await self.reset("reset", $0, $1) })
        add("/v1/streams/reset/export", to: router, get: { try await self.export("reset", $0, $1) })
        add("/v1/streams/reset/import", to: router, post: { try await self.importState("reset", $0, $1) })
        add("/v1/streams/:key", to: router, get: { try await self.stream(RequestReading.key($1), $0, $1) })
        add("/v1/streams/:key/reset", to: router, post: { try await self.reset(RequestReading.key($1), $0, $1) })
        add("/v1/streams/:key/export", to: router, get: { try await self.export(RequestReading.key($1), $0, $1) })
        add("/v1/streams/:key/import", to: router, post: { try await self.importState(RequestReading.key($1), $0, $1) })
        add("/v1/partitions", to: router, get: partitions)
        add("/v1/events", to: router, get: events)
        add("/v1/models", to: router, get: models)
        add("/v1/models/rollback", to: router, post: rollBack)
        add("/v1/models/import", to: router, post: importModel)
        add("/v1/models/:key/promote", to: router, post: promote)
        add("/v1/models/:key/export", to: router, get: exportModel)
        add("/metrics", to: router) { _, _ in
            Response(text: metrics.exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    private func add(
        _ path: RouterPath, to router: Router<AdminRequestContext>, get: Handler? = nil, post: Handler? = nil
    ) {
        let allowed = (get == nil ? [] : ["GET", "HEAD"]) + (post == nil ? [] : ["POST"])
        let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace]
        for method in methods where !(method == .head && get != nil) {
            let handler: Handler? =
                switch method {
                case .get: get
                case .post: post
                default: nil
                }
            router.on(path, method: method) { request, context in
                guard let handler else {
                    let list = allowed.joined(separator: ", ")
                    throw Problem(
                        .methodNotAllowed, "\(request.uri.path) takes \(list), not \(method)", allowed: list)
                }
                return try await handler(request, context)
            }
        }
    }
}

// The handlers.
extension AdminRouter {
    private func streams(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        let query = try RequestReading.query(request, names: ["prefix", "limit", "after", "values"])
        let limit = query["limit"].map(Int.init) ?? AdminRouter.pageStreams
        guard let limit, (1...Limits.pageStreams).contains(limit) else {
            throw Problem(.parameterInvalid, "limit must be a number from 1 to \(Limits.pageStreams)")
        }
        let values = query["values"].map(Int.init) ?? 0
        guard let values, (0...Limits.listedValues).contains(values) else {
            throw Problem(.parameterInvalid, "values must be a number from 0 to \(Limits.listedValues)")
        }
        let page = try await backend.streams(
            prefix: query["prefix"] ?? "", limit: limit, after: query["after"], values: values)
        return Response(json: page)
    }

    /// Streams in a page if the request does not say.
    private static var pageStreams: Int { 100 }

    private func stream(_ key: String, _ request: Request, _ context: AdminRequestContext) async throws -> Response {
        let query = try RequestReading.query(request, names: ["state"])
        if let state = query["state"], state != "full" {
            throw Problem(.parameterInvalid, "state can only be full, not \(state)")
        }
        return try await answer(request, context) {
            guard var slot = try await backend.stream(key, fullState: query["state"] == "full") else {
                throw Problem.unknown(stream: key)
            }
            // For drawing, which the event `stream` is for; here the members are those of the contract.
            slot.horizon = nil
            return Response(json: slot)
        }
    }

    private func reset(_ key: String, _ request: Request, _ context: AdminRequestContext) async throws -> Response {
        _ = try RequestReading.query(request, names: [])
        _ = try await RequestReading.body(request, as: ResetRequest.self)
        return try await answer(request, context) {
            try Self.answer(try await backend.reset(stream: key, by: context.caller), key)
        }
    }

    static func answer(_ outcome: CommandOutcome, _ key: String) throws -> Response {
        switch outcome {
        case .applied(let command): return Response(json: command)
        case .pending(let id): return Response(json: PendingCommand(id: id), status: .accepted)
        case .unknown: throw Problem.unknown(stream: key)
        }
    }

    private func resetMany(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        _ = try RequestReading.query(request, names: [])
        let wish = try await RequestReading.body(request, as: ManyResetRequest.self)
        let answer = try await backend.reset(wish.selection, dryRun: wish.dryRun, by: context.caller)
        return Response(json: answer, status: wish.dryRun ? .ok : .accepted)
    }

    private func partitions(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        Response(json: PartitionList(partitions: try await backend.partitions()))
    }

    private func events(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        let query = try RequestReading.query(request, names: ["stream"])
        if query["stream"] == "" { throw Problem(.parameterInvalid, "stream must name a stream") }
        let subscription = try hub.subscribe(to: query["stream"], over: context.channel)
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody(asyncSequence: subscription))
    }

    private func health(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        try Self.answer(await backend.health(), name: "healthy", otherwise: .notHealthy)
    }

    private func readiness(_ request: Request, _ context: AdminRequestContext) async throws -> Response {
        try Self.answer(await backend.readiness(), name: "ready", otherwise: .notReady)
    }

    private static func answer(
        _ condition: ServiceCondition, name: String, otherwise kind: Problem.Kind
    ) throws -> Response {
        guard condition.holds else {
            throw Problem(kind, condition.reasons.joined(separator: "; "), reasons: condition.reasons)
        }
        return Response(json: Flag(name: name))
    }

    /// `{"ready":true}`.
    private struct Flag: JSONWritable {
        let name: String
        func write(to json: inout JSONWriter) { json.object { $0.member(name, true) } }
    }
}

extension Problem {
    static func unknown(stream key: String) -> Problem {
        Problem(.streamUnknown, "no stream \(key) has been seen")
    }
}
