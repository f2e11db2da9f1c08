/// What a handle is for. Decides its defaults and which properties apply.
enum HandleRole {
    case consumer, reader
    /// Asks beside one of them, which is the one to miss a broker.
    case query
    case producer, transactions, admin

    var isConsumer: Bool { self == .consumer || self == .reader || self == .query }
    var isProducer: Bool { self == .producer || self == .transactions }

    /// Sluice's own defaults, each of which the user may override; `Operating.md` lists them with their reasons.
    var defaults: [(String, String)] {
        let common = [
            ("client.id", "sluice"),
            // Small requests leave at once.
            ("socket.nagle.disable", "true"),
            // A connection dropped by a firewall is noticed without traffic.
            ("socket.keepalive.enable", "true"),
            // A broker that comes back is found again within seconds.
            ("reconnect.backoff.ms", "100"),
            ("reconnect.backoff.max.ms", "5000"),
            // Brokers close idle connections: normal, not news.
            ("log.connection.close", "false"),
        ]
        switch self {
        case .consumer:
            return common + Self.reading + [
                // Partitions that stay are not interrupted when another member comes or goes.
                ("partition.assignment.strategy", "cooperative-sticky"),
                // With its next heartbeat a member learns that another has come; until then that one has nothing to do.
                ("heartbeat.interval.ms", "1000"),
                // A worker restoring a partition still polls; only a stuck one is expelled.
                ("max.poll.interval.ms", "300000"),
            ]
        case .reader:
            return common + Self.reading
        case .producer:
            return common + Self.producing
        case .transactions:
            return common + Self.producing + [
                // What a process that was killed has left open keeps readers waiting for so long. librdkafka lowers
                // `socket.timeout.ms` to it, and refuses a longer one of the user's.
                ("transaction.timeout.ms", "10000")
            ]
        case .query, .admin:
            return common
        }
    }

    /// What the engine owns.
    var owned: [(String, String)] {
        switch self {
        case .query: return Self.explicit
        // The end is told: where the log ends with marks of transactions no record says so.
        case .consumer, .reader: return Self.explicit + [("enable.partition.eof", "true")]
        case .producer, .transactions: return [("enable.idempotence", "true")]
        case .admin: return []
        }
    }

    private static let producing = [
        // What is acknowledged outlives its leader.
        ("acks", "all"),
        // A batch is what a worker produced in one go; waiting longer only adds latency.
        ("linger.ms", "1"),
        // Predictions shrink to a third or less, for a tenth of a microsecond each.
        ("compression.codec", "lz4"),
        // Never given up while a broker is away: output that blocks stops the input instead of being lost. In a
        // transaction its time-out is the bound.
        ("message.timeout.ms", "0"),
        // The bound on what waits in memory; beyond it `produce` takes no more.
        ("queue.buffering.max.messages", "100000"),
        ("queue.buffering.max.kbytes", "32768"),
    ]

    /// Offsets and their commits are the engine's, and what is aborted is not read.
    private static let explicit = [
        ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
        ("isolation.level", "read_committed"), ("auto.offset.reset", "error"),
    ]

    /// Bounds on prefetched records: at most these many kilobytes, overshot by one fetch.
    private static let reading =
        [
            // Some tenths of a second of work at full speed. More is slower: what was fetched is in no cache any more
            // when it is folded (32 MiB, and 4 a partition: 0.67 M records/s where there are 0.78; two workers).
            ("queued.max.messages.kbytes", "16384"),
            // Bytes are the bound.
            ("queued.min.messages", "1000000"),
            // By which the bound is overshot, compressed as they come; no partition fills it alone. No less than the
            // largest message: librdkafka refuses a `message.max.bytes` above it.
            ("fetch.max.bytes", "16777216"),
            ("max.partition.fetch.bytes", "1048576"),
            // A real broker answers as soon as there is data; this is only how long an idle request stays open.
            ("fetch.wait.max.ms", "500"),
            // A partition whose leader moves is asked again soon.
            ("fetch.error.backoff.ms", "100"),
        ] + resuming

    /// From 2.2 on the client looks at a full queue again by itself, so soon; before, `Prefetch` wakes it.
    private static let resuming =
        PropertyTable.shared.scopes["fetch.queue.backoff.ms"].map { _ in [("fetch.queue.backoff.ms", "10")] } ?? []
}
