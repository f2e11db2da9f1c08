import SluiceCore
package import SluiceEngine
import SluiceLSTM
package import SluiceSchema
package import SluiceState

/// What a run is about, drawn from its seed: how much of what, and how the service is set up.
package struct Scenario: Sendable {
    package var partitions: Int
    package var processes: Int
    package var workers: Int
    package var streams: Int
    package var inputs: Int
    package var isExactlyOnce: Bool
    package var isCooperative: Bool
    package var commitMilliseconds: Int64
    package var checkpointMilliseconds: Int64
    package var replayRecordsMax: Int64
    /// Dirty slots that go with each commit; the fewer, the further back replay begins.
    package var slotsMinimum: Int
    /// Slots that are brought up to the markers with each commit.
    package var markedSlots: Int
    /// Slots that come through a swap or a reset of many with each turn, unheard of.
    package var settledSlots: Int
    /// At-least-once: bytes of outputs that wait for the producer.
    package var openBytes: Int
    /// Bytes of dirty slots that are encoded at a time.
    package var changesBytes: Int
    package var idleMilliseconds: Int64?
    /// Streams of a worker in memory at a time.
    package var residentSlots: Int?
    package var sessionMilliseconds: Int64
    /// `transaction.timeout.ms`.
    package var transactionMilliseconds: Int64 = 10_000
    /// `delete.retention.ms` of the changelog.
    package var tombstonesMilliseconds: Int64
    /// How long inputs and faults come.
    package var milliseconds: Int64
    package var batchMaximum: Int
    /// One record in so many is poison; nil: none.
    package var poison: Int?
    /// Inputs come in transactions of their own producers, some aborted.
    package var isUpstreamTransactional: Bool
    /// `max.message.bytes` of topics of outputs, less than some of them take.
    package var messageBytesMax: [String: Int] = [:]
    /// `auto.offset.reset` is `latest`: what was there before the service is no input.
    package var beginsAtEnd: Bool
    /// One record in so many has values that overflow in a step; nil: none.
    package var huge: Int?
    /// `state.lost_input`; under `fail` somebody sets the other one when he is told.
    package var lostInput: LostInputPolicy
    package var faultSeed: UInt64
    package var workloadSeed: UInt64

    package init(seed: UInt64) {
        var random = SimulationRandom(seed: seed)
        partitions = 1 + random.below(4)
        processes = 1 + random.below(3)
        workers = 1 + random.below(2)
        streams = 1 + random.below(random.once(in: 3) ? 60 : 12)
        inputs = 40 + random.below(260)
        isExactlyOnce = !random.once(in: 5)
        isCooperative = !random.once(in: 3)
        commitMilliseconds = [5, 50, 100, 1_000][random.below(4)]
        checkpointMilliseconds = commitMilliseconds * [1, 3, 20][random.below(3)]
        replayRecordsMax = [1, 10, 100, 1_000_000, 1_000_000][random.below(5)]
        slotsMinimum = [1, 1, 3, 64][random.below(4)]
        markedSlots = [1, 2, 1_024][random.below(3)]
        idleMilliseconds = random.once(in: 2) ? [1, 60_000, 600_000][random.below(3)] : nil
        residentSlots = [nil, nil, 1, 8][random.below(4)]
        sessionMilliseconds = [3_000, 6_000, 45_000][random.below(3)]
        tombstonesMilliseconds = random.once(in: 3) ? 20_000 : 86_400_000
        milliseconds = [1_000, 5_000, 20_000, 60_000][random.below(4)]
        batchMaximum = [1, 3, 16, 200][random.below(4)]
        poison = random.once(in: 3) ? nil : 3 + random.below(30)
        isUpstreamTransactional = random.once(in: 3)
        faultSeed = random.next()
        workloadSeed = random.next()
        // Some predictions take more; the headers of a reject do not.
        if random.once(in: 4) { messageBytesMax[Topics.predictions] = 290 + random.below(60) }
        if random.once(in: 4) { messageBytesMax[Topics.rejects] = 560 + random.below(200) }
        settledSlots = [0, 1, 2, 512][random.below(4)]
        beginsAtEnd = random.once(in: 4)
        huge = random.once(in: 3) ? 2 + random.below(12) : nil
        lostInput = random.once(in: 2) ? .fail : .coldStart
        openBytes = [0, 2_000, 4 << 20][random.below(3)]
        changesBytes = [0, 2_000, 16 << 20][random.below(3)]
    }

    /// What is known of them in the end.
    var sizes: OutputLimits.Sizes {
        var sizes = OutputLimits.Sizes()
        if let limit = messageBytesMax[Topics.predictions] { sizes.predictions = limit }
        if let limit = messageBytesMax[Topics.rejects] { sizes.rejects = limit }
        return sizes
    }

    /// The kinds of faults that say nothing wrong of the engine here.
    package var kinds: [FaultKind] {
        FaultKind.allCases.filter { kind in
            switch kind {
            // The age of a store is told by the wall clock.
            case .wallJump: tombstonesMilliseconds > 3_600_000
            // Positions of at-least-once say nothing of the store's.
            case .retention, .retentionPast: isExactlyOnce
            case .slowMarks, .compaction, .hijack, .producersExpired: isExactlyOnce
            // Without a changelog nothing but a store knows where a partition was that began at its end.
            case .offsetsExpired: isExactlyOnce || !beginsAtEnd
            // Who goes on without what is lost puts the files back first: streams that begin anew for them, nobody
            // counts.
            case .modelGone, .modelDamaged: lostInput == .fail
            // Without a changelog nothing but RocksDB's promise holds a batch together.
            case .tornUnseen: isExactlyOnce
            // Nothing fences a process that slept and goes on: at-least-once promises nothing of what it writes then.
            case .pause, .isolate, .stall: isExactlyOnce
            // Stops the service for good; each has a test of its own.
            case .grow, .growAway: false
            default: true
            }
        }
    }

    package var plan: FaultPlan {
        func draw(_ seed: UInt64, _ kinds: [FaultKind]) -> [Fault] {
            FaultPlan(
                seed: seed, milliseconds: milliseconds, processes: processes, partitions: partitions,
                streams: streams, kinds: kinds, isExactlyOnce: isExactlyOnce
            ).faults
        }
        return FaultPlan(
            [0, 4, 16].flatMap { group in draw(faultSeed ^ group, kinds.filter { $0.draw == group }) }
                + FaultPlan.ofReading(seed: faultSeed ^ 8, milliseconds: milliseconds, processes: processes))
    }
}

/// The models of a run: small, with drawn weights.
package enum Models {
    package static let count = 3
    /// Features in the order of the model's inputs.
    package static func input(_ index: Int) -> InputSpecification {
        InputSpecification(features: (index == 2 ? ["b", "a"] : ["a", "b"]).map { .init($0) }, late: .reject)
    }

    /// - Parameter index: 0 is the one that is active at first.
    package static func specification(_ index: Int, damaged: Bool = false) -> FoldSpecification {
        var random = SimulationRandom(seed: UInt64(index) + 11)
        let manifest = ModelManifest(
            name: "simulated", version: "v\(index)", inputs: index == 2 ? ["b", "a"] : ["a", "b"], targets: ["a"],
            horizons: index == 1 ? [2] : [1, 3], initialState: [.uniform, .zero, .normal][index],
            initialStateNoise: index == 1 ? nil : true, scaling: index == 1 ? .none : .perStream, seed: 3)
        var parameters = LSTMParameters(
            shape: LSTMShape(
                inputs: 2, hidden: [5, 8, 3][index], layers: index == 2 ? 2 : 1, outputs: manifest.outputs))
        for index in parameters.values.indices { parameters.values[index] = random.float() }
        if damaged { parameters.values[0] += 0.5 }
        let digits = Array("0123456789abcdef")
        let hash = String((0..<64).map { _ in digits[random.below(16)] })
        return FoldSpecification(
            model: Model(manifest: manifest, parameters: parameters, hash: hash),
            boundaries: BoundaryPolicy(sequenceChange: true, gap: 3_600_000, every: 40), late: .reject)
    }
}
