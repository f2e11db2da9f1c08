import Foundation
import SluiceLog
import Synchronization
import Testing

@testable import SluiceService

/// The show from its first word to its summary.
@Suite struct DemoTests {
    @Test func aShortRunPredictsEveryObservation() async throws {
        let events = Mutex<[Demo.Event]>([])
        let demo = Demo(Demo.Options(port: 0, speed: 2_000), logger: ServiceRig.quiet) { event in
            events.withLock { $0.append(event) }
        }
        // Ended as a visitor does, as soon as there was something to see: some predictions are still to come.
        let running = Task { try await demo.run() }
        try await eventually("a stream was reset") {
            events.withLock { events in
                events.contains { if case .reset = $0 { true } else { false } }
            }
        }
        running.cancel()
        try await running.value
        let summaries = events.withLock { events in
            events.compactMap { if case .summary(let summary) = $0 { summary } else { nil } }
        }
        #expect(summaries.count == 1)
        let found = try #require(summaries.first)
        #expect(found.observations > 10_000)
        #expect(found.predictions == found.observations)
        #expect(found.boundaries > 0 && found.resets == 1 && found.rejects == 0)
        #expect(found.judged > 0 && found.forecastError != nil && found.naiveError != nil)
    }

    @Test func toldToStopWhileItTrainsItDoesNotTrainToTheEnd() async throws {
        let events = Mutex<[Demo.Event]>([])
        let running = Mutex<Task<Void, any Error>?>(nil)
        let demo = Demo(Demo.Options(port: 0), logger: ServiceRig.quiet) { event in
            events.withLock { $0.append(event) }
            if case .epoch = event { running.withLock { $0?.cancel() } }
        }
        let task = Task { try await demo.run() }
        running.withLock { $0 = task }
        try await task.value
        let (epochs, summaries) = events.withLock { events in
            (
                events.count { if case .epoch = $0 { true } else { false } },
                events.count { if case .summary = $0 { true } else { false } }
            )
        }
        #expect(epochs == 1 && summaries == 0)
    }

    /// At-least-once: after a rebalance a prediction may come again.
    @Test func aPredictionThatComesTwiceCountsOnce() {
        let ledger = DemoLedger()
        let decoder = JSONDecoder()
        for (partition, offset) in [(0, 0), (0, 1), (1, 0), (0, 0), (0, 1), (0, 2)] {
            let text = #"""
                {"stream":"s","time":"2026-01-01T00:0\#(offset):00Z","sequence":null,"step":1,"warm":true,"model":"v",
                "forecast":[{"target":"x","horizon":1,"value":1.5}],"anomaly":null,
                "source":{"topic":"t","partition":\#(partition),"offset":\#(offset)}}
                """#
            ledger.predicted(Data(text.utf8), decoder)
        }
        #expect(ledger.predictions == 4)
    }

    /// Takes one message at a time, and tells the feeder to stop at the first of several.
    private final class SlowProducer: LogProducer {
        final class Shared: Sendable {
            let taken = Mutex(0)
            let feeder = Mutex<DemoFeeder?>(nil)
        }
        let shared: Shared
        let messageBytesMax = 1_000_000
        let messagesMaximum = 100_000
        let pending = 0
        init(_ shared: Shared) { self.shared = shared }

        func produce(_ batch: inout OutputBatch) throws -> Bool {
            if batch.entries.count > 1 { shared.feeder.withLock { $0?.stop() } }
            shared.taken.withLock { $0 += 1 }
            batch.handOver(batch.next)
            return batch.isHandedOver
        }
        func poll(timeoutMilliseconds: Int) throws {}
        func flush(timeoutMilliseconds: Int) throws -> Bool { true }
        func close() {}
    }

    @Test func whatIsCountedAsSentIsSentThoughItIsToldToStop() async throws {
        let shared = SlowProducer.Shared()
        let ledger = DemoLedger()
        let feeder = DemoFeeder(try DemoSeries.bundled(), firstRow: 0, hoursPerSecond: 1_000, ledger: ledger) {
            SlowProducer(shared)
        }
        shared.feeder.withLock { $0 = feeder }
        feeder.start()
        try await eventually("it has ended") { feeder.isOver }
        #expect(ledger.observations > 0 && shared.taken.withLock { $0 } == ledger.observations)
    }
}
