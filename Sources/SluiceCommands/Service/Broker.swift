internal import ArgumentParser
internal import SluiceKafka

/// `sluice broker`.
struct Broker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Only the embedded broker, for trying things out on one machine.",
        discussion: """
            A small stand-in for Kafka on 127.0.0.1 that any client can use. The first line on stdout is its address. \
            Topics exist from their first mention. SIGINT (Ctrl-C) and SIGTERM end it.

            It keeps nothing: all is in memory and gone when it ends. Beyond that: of each partition it holds the last \
            5 MiB and 100,000 batches and drops what is older without a word; it knows no compaction, no topic \
            administration and no search by time; transactions are accepted but do not isolate; the first member of a \
            consumer group waits 3 seconds. Use Kafka for what matters.

            Examples:
              sluice broker
              sluice broker --port 0 --partitions 8
              sluice broker & kcat -b 127.0.0.1:9092 -L
            """)

    @Option(help: "Port; 0 takes any free one.")
    var port = 9_092

    @Option(help: "Partitions of each topic.")
    var partitions = 4

    @OptionGroup var log: LogOptions

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535.") }
        guard (1...1_000).contains(partitions) else { throw ValidationError("--partitions must be from 1 to 1000.") }
    }

    func run() async throws {
        let broker = try EmbeddedBroker(partitions: partitions, port: port, logger: try log.logger())
        defer { broker.close() }
        Console.current.line(broker.bootstrap)
        await Signals.wait()
    }
}
