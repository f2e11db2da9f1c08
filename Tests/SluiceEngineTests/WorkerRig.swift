import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceState
import Testing

@testable import SluiceEngine

/// One life of a worker on a simulated log, run on the test's own thread until nothing is left to do.
final class WorkerRig {
    let log: SimulatedLog
    let consumer: SimulatedConsumer
    let producer: SimulatedProducer
    let control: SimulatedReader
    let notes = Notes()
    let clock: ManualClock
    let mailbox = WorkerMailbox()
    let worker: Worker
    private(set) var historyReaders: [SimulatedReader] = []

    static let specification = FoldSpecification(
        model: makeModel(), boundaries: BoundaryPolicy(sequenceChange: true, gap: 3_600_000, every: 50))

    /// - Parameters:
    ///   - specification: of the active model; `others` are there for swaps and saved states.
    ///   - unreadable: the version of a model that cannot be read for the moment.
    ///   - seed: of what a dying producer delivers, and of nothing else.
    ///   - checkpointPolls: polls between checkpoints; commits are due every second poll.
    init(
        _ log: SimulatedLog, specification: FoldSpecification = WorkerRig.specification,
        others: [FoldSpecification] = [], unreadable: String? = nil, partitions: [Int32] = [0], seed: UInt64 = 0,
        checkpointPolls: Int64 = 5, lostInput: LostInputPolicy = .fail, first: FirstOffset = .earliest,
        idle: Int64? = nil, resident: Int? = nil, changesBytes: Int? = nil, openBytes: Int = 0,
        clock: ManualClock = ManualClock(), limits: OutputLimits = OutputLimits(),
        transactions: (() throws -> any TransactionalProducer)? = nil
    ) throws {
        self.log = log
        self.clock = clock
        consumer = SimulatedConsumer(log, assignment: partitions)
        producer = SimulatedProducer(log, seed: seed)
        control = SimulatedReader(log)
        var settings = WorkerSettings(
            inputTopic: SimulatedLog.input, inputPartitions: 4, controlTopic: SimulatedLog.control,
            eventsTopic: SimulatedLog.events, eventsPartitions: 1, commitNanoseconds: 2_000_000,
            checkpointNanoseconds: checkpointPolls * 1_000_000)
        settings.lostInput = lostInput
        settings.openBytes = openBytes
        settings.firstOffset = first
        settings.idleMilliseconds = idle
        settings.residentSlots = resident
        if let changesBytes { (settings.changesBytes, settings.slotsMinimum) = (changesBytes, 1) }
        worker = try Worker(
            index: 0,
            resources: WorkerResources(
                consumer: consumer,
                delivery: transactions.map { .exactlyOnce($0) } ?? .atLeastOnce(producer), control: control,
                makeReader: { SimulatedReader(log) }, stores: SimulatedStores(log), clock: clock, observer: notes,
                makeFold: { reference in
                    if let unreadable, reference == .version(unreadable) {
                        throw SluiceError(.file, "\(unreadable) cannot be read", retry: .later)
                    }
                    return try Self.fold(reference, active: specification, others)
                }, makeIdentity: { "log" }, limits: limits),
            settings: settings, mailbox: mailbox)
    }

    private static func fold(
        _ reference: ModelReference, active: FoldSpecification, _ others: [FoldSpecification]
    ) throws -> Fold {
        let found = ([active] + others).first { specification in
            switch reference {
            case .active: true
            case .version(let version): specification.model.manifest.version == version
            case .hash(let hash): specification.model.hash == hash
            }
        }
        guard let found else { throw SluiceError(.unknownModel, "there is no \(reference)") }
        return try Fold(specification: found, input: pumps)
    }

    /// Runs until so many polls in a row have brought nothing, then stops in good order.
    ///
    /// - Parameter script: called before every poll.
    func run(idlePolls: Int = 12, _ script: @escaping (SimulatedConsumer) throws -> Void = { _ in }) throws {
        let (clock, mailbox) = (clock, mailbox)
        consumer.script = { consumer in
            clock.advance(1_000_000)
            try script(consumer)
            if consumer.idlePolls >= idlePolls { mailbox.stop() }
            if consumer.polls > 20_000 { throw SluiceError(.unsupported, "the worker does not come to an end") }
        }
        try worker.run()
    }
}

extension SimulatedLog {
    /// What a life without faults answers, by partition.
    static func uninterrupted(
        _ records: [Record], partitions: [Int32] = [0], specification: FoldSpecification = WorkerRig.specification
    ) throws -> SimulatedLog {
        let log = SimulatedLog()
        log.append(records)
        try WorkerRig(log, specification: specification, partitions: partitions).run()
        return log
    }
}

extension SimulatedLog {
    /// Whether the answers to an input partition are those of `reference` but for stretches that were produced again:
    /// in each topic it may go back at any place, and never ahead.
    func repeats(_ reference: SimulatedLog, _ partition: Int32 = 0) -> Bool {
        [OutputTopic.predictions, .rejects].allSatisfy { topic in
            let expected = reference.answers(partition).filter { $0.topic == topic }
            var next = 0
            for output in answers(partition) where output.topic == topic {
                if next < expected.count && output == expected[next] {
                    next += 1
                } else if let back = expected[..<next].lastIndex(of: output) {
                    next = back + 1
                } else {
                    return false
                }
            }
            return next == expected.count
        }
    }
}
