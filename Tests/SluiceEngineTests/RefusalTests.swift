import SluiceCore
import SluiceLog
import SluiceState
import Testing

@testable import SluiceEngine

/// Outputs that brokers refuse for their size.
@Suite struct RefusalTests {
    private func refusal(
        _ topic: OutputTopic, _ bytes: Int = 300, isTooLarge: Bool = true, isAlone: Bool = true, isBare: Bool = false
    ) -> SluiceError {
        SluiceError(
            .delivery, "a record is refused", remedy: "raise it", retry: .fatal,
            cause: OutputRefusal(
                topic: topic, bytes: bytes, isTooLarge: isTooLarge, isAlone: isAlone, isBare: isBare, reason: Crash()))
    }

    @Test func ofABatchThatIsRefusedRecordsAreSentOneByOne() {
        let limits = OutputLimits()
        #expect(limits.learned(from: refusal(.predictions, isAlone: false)).retry == .fatal)
        #expect(limits.sizes.isAlone && limits.sizes.predictions == .max && limits.sizes.rejects == .max)
    }

    @Test func eachRefusalLowersTheSizeOfItsTopic() {
        let limits = OutputLimits()
        for bytes in [400, 300, 350] {
            #expect(limits.learned(from: refusal(.predictions, bytes)).retry == .fatal)
            #expect(limits.learned(from: refusal(.rejects, 2 * bytes)).retry == .fatal)
        }
        #expect(limits.sizes.predictions == 299 && limits.sizes.rejects == 599)
    }

    @Test(arguments: [OutputTopic.slots, .events, .control]) func whatCannotBeLeftOutEndsTheWork(topic: OutputTopic) {
        let error = OutputLimits().learned(from: refusal(topic))
        #expect(error.retry == .never && error.remedy == "raise it")
    }

    @Test func aRejectOfHeadersAloneAndARecordThatIsRefusedForAnythingElseEndTheWork() {
        let limits = OutputLimits()
        #expect(limits.learned(from: refusal(.rejects, isBare: true)).retry == .never)
        #expect(limits.learned(from: refusal(.rejects, isTooLarge: false, isAlone: false)).retry == .never)
        #expect(limits.sizes == OutputLimits.Sizes())
        let other = SluiceError(.broker, "away", retry: .later)
        #expect(limits.learned(from: other).retry == .later)
    }

    @Test func aPredictionAboveTheKnownSizeIsARejectAndItsObservationIsApplied() throws {
        let records = numbered((0..<20).map { Record($0 == 7 ? "a-longer-name" : "s", Int64($0), 1) })
        let specification = FoldSpecification(model: makeModel(), boundaries: BoundaryPolicy())
        let (free, limited) = (try FoldRig(specification), try FoldRig(specification))
        let all = try free.run(records)
        let size = try #require(all.map(\.recordBytes).max())
        #expect(all.filter { $0.recordBytes == size }.count == 1)
        limited.sizes.predictions = size
        #expect(try limited.run(records) == all)
        limited.sizes.predictions = size - 1
        let outputs = try FoldRig(specification, sizes: limited.sizes).run(records)
        #expect(outputs.count == 20 && outputs.filter { $0.topic == .rejects }.count == 1)
        let reject = outputs[7]
        #expect(reject.header("sluice-error") == "too-large" && reject.header("sluice-source") == "observations/0/7")
        #expect(reject.header("sluice-message")?.contains("max.message.bytes of the topic") == true)
        #expect(reject.value == records[7].value)
        #expect(outputs.enumerated().allSatisfy { $0 == 7 || $1 == all[$0] })
    }

    @Test func aRejectKeepsAsMuchAsItsTopicTakes() throws {
        let key = [UInt8](repeating: 0x6B, count: 1_000)
        let record = Record(key: key, value: [UInt8](repeating: 0x20, count: 10_000))
        func reject(_ size: Int) throws -> Output {
            var sizes = OutputLimits.Sizes()
            sizes.rejects = size
            let specification = FoldSpecification(model: makeModel())
            return try #require(try FoldRig(specification, sizes: sizes).run([record]).first)
        }
        let whole = try reject(.max)
        #expect(whole.value?.count == 10_000 && whole.header("sluice-sha256") == nil)
        let cut = try reject(whole.recordBytes - 1)
        #expect(cut.value?.count == 4_096 && cut.key == key && cut.header("sluice-truncated") == "10000")
        let keyed = try reject(cut.recordBytes - 1)
        #expect(keyed.value == [] && keyed.key == key && keyed.header("sluice-sha256")?.count == 64)
        for size in [keyed.recordBytes - 1, 1] {
            let bare = try reject(size)
            #expect(bare.value == [] && bare.key == nil && bare.header("sluice-key-truncated") == "1000")
            #expect(bare.header("sluice-sha256") == keyed.header("sluice-sha256"))
            #expect(bare.header("sluice-source") == "observations/0/0" && bare.header("sluice-error") != nil)
        }
    }

    /// At-least-once: the worker ends, the next one knows.
    @Test func aRefusedPredictionIsLeftOutByTheNextWorker() throws {
        let records = mixture(300)
        let whole = try SimulatedLog.uninterrupted(records)
        let sizes = whole.answers().filter { $0.topic == .predictions }.map(\.recordBytes)
        let limit = try #require(sizes.max()) - 2
        let log = SimulatedLog()
        log.append(records)
        let limits = OutputLimits()
        var lives = 0
        while true {
            lives += 1
            try #require(lives < 20, "it does not end")
            let rig = try WorkerRig(log, limits: limits)
            rig.producer.recordBytesMax = limit
            do {
                try rig.run()
                break
            } catch let error as SluiceError {
                #expect(error.refusal != nil && error.retry == .fatal)
            }
        }
        #expect(lives > 1 && limits.sizes.predictions >= limit)
        var missing = 0
        for (index, size) in sizes.enumerated() {
            let prediction = whole.answers().filter { $0.topic == .predictions }[index]
            #expect(log.answers().contains(prediction) == (size <= limit))
            if size > limit { missing += 1 }
        }
        let refused = Set(
            log.answers().filter { $0.header("sluice-error") == "too-large" }.compactMap { $0.header("sluice-source") })
        #expect(missing > 0 && refused.count == missing)
    }

    /// Exactly-once: what must not be written is tried now and then.
    @Test func whatIsNotAllowedIsTriedMoreAndMoreSlowly() throws {
        let log = SimulatedLog()
        log.append(mixture(50))
        var made = 0
        let rig = try WorkerRig(
            log,
            transactions: {
                made += 1
                return DeniedTransactions(refusal: nil)
            })
        try rig.run(idlePolls: .max) { [clock = rig.clock, mailbox = rig.mailbox] consumer in
            clock.advance(50_000_000)
            if consumer.polls == 4_000 { mailbox.stop() }
        }
        // At most every ten seconds in the end, of which there are twenty.
        #expect((15...35).contains(made), "\(made)")
        #expect(rig.notes.seen.notes.contains { $0.contains("begin anew") })
    }

    @Test func aStateThatIsRefusedEndsTheWork() throws {
        let log = SimulatedLog()
        log.append(mixture(50))
        let rig = try WorkerRig(
            log, transactions: { [refusal = refusal(.slots)] in DeniedTransactions(refusal: refusal) })
        let error = #expect(throws: SluiceError.self) { try rig.run() }
        #expect(error?.retry == .never && error?.remedy == "raise it")
    }

    @Test func aRecordsSizeIsThatOfTheFormat() {
        // 61 of the batch, 1 of the length, 3 of attributes and differences, 1 each for key, value and headers.
        #expect(RecordSize(key: 0, value: 0).bytes == 61 + 1 + 6)
        #expect(RecordSize(key: 1, value: 63).bytes == 61 + 2 + 6 + 64)
        #expect(RecordSize(key: 64, value: 8_192).bytes == 61 + 3 + 6 + 1 + 64 + 2 + 8_192)
        var size = RecordSize(key: 1, value: 1)
        size.addHeader(name: 2, value: 3)
        #expect(size.bytes == 61 + 1 + 6 + 2 + 2 + 5)
    }
}

extension Output {
    var recordBytes: Int {
        var size = RecordSize(key: key?.count ?? 0, value: value?.count ?? 0)
        for (name, value) in headers { size.addHeader(name: name.utf8.count, value: value.count) }
        return size.bytes
    }
}

/// Nothing can be produced by it.
private final class DeniedTransactions: TransactionalProducer {
    let messageBytesMax = 1_000_000
    private let refusal: SluiceError?
    private var ready: TransactionAnswer?

    init(refusal: SluiceError?) { self.refusal = refusal }

    func start(_ call: TransactionCall) {
        switch call {
        case .produce:
            let denied = SluiceError(.delivery, "an output was not delivered", retry: .fatal)
            ready = .failed(TransactionFailure(.abort, refusal ?? denied))
        case .abort: ready = .failed(TransactionFailure(.anew, SluiceError(.delivery, "given up", retry: .fatal)))
        default: ready = .done
        }
    }

    func answer() -> TransactionAnswer? { ready.take() }
    func changelogEnd(_ partition: Int32) -> Offset? { nil }
    func onAnswer(_ body: @escaping @Sendable () -> Void) {}
    func close() { ready = nil }
}
