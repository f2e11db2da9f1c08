import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceState

extension Simulation {
    /// The worker of the service, with simulated clients.
    func makeWorker(
        _ life: SimulatedProcess, _ consumer: SimulatedConsumer, _ name: String, index: Int, _ limits: OutputLimits
    ) throws -> Worker {
        let canary = canary
        let delivery: WorkerResources.Delivery
        if scenario.isExactlyOnce {
            delivery = .exactlyOnce { [unowned self] in
                let producer = try SimulatedTransactions(
                    life, name: name, timeoutMilliseconds: scenario.transactionMilliseconds)
                producer.messageBytesMax = Self.messageBytesMax
                producer.isAlone = limits.sizes.isAlone
                producer.isIdempotent = canary != .plainRetries
                return canary?.wrap(producer, cluster) ?? producer
            }
        } else {
            let producer = SimulatedProducer(life, producerID: makeProducerID())
            producer.messageBytesMax = Self.messageBytesMax
            producer.isAlone = limits.sizes.isAlone
            delivery = .atLeastOnce(canary?.wrap(producer) ?? producer)
        }
        let resources = WorkerResources(
            consumer: canary?.wrap(consumer) ?? consumer, delivery: delivery,
            control: SimulatedReader(life),
            makeReader: {
                let reader = SimulatedReader(life)
                return canary?.wrap(reader) ?? reader
            },
            stores: canary?.wrap(SimulatedStores(life)) ?? SimulatedStores(life), clock: SimulatedClock(cluster),
            observer: observer,
            makeFold: { [cluster] in
                try Self.fold($0, canary) { try life.disk.checkModel($0, now: cluster.now) }
            },
            makeIdentity: { [unowned self] in makeIdentity() }, limits: limits)
        return try Worker(
            index: index, resources: resources, settings: settings, mailbox: WorkerMailbox())
    }

    /// What rebuilds earlier states, on a machine of its own.
    ///
    /// - Parameter process: whose faults at calls it is met by.
    func makeRewind(as process: Int) -> SlotRewind {
        let canary = canary
        let life = SimulatedProcess(index: process, cluster: cluster, faults: faults, disk: SimulatedDisk())
        return SlotRewind(
            settings, hasChangelog: scenario.isExactlyOnce,
            makeReader: {
                let reader = SimulatedReader(life)
                return canary?.wrap(rewinding: reader) ?? reader
            },
            makeFold: { try Self.fold($0, canary) })
    }

    /// - Parameter read: whether the file of a model can be read.
    private static func fold(
        _ reference: ModelReference, _ canary: Canary?, read: (Int) throws -> Void = { _ in }
    ) throws -> Fold {
        for index in 0..<Models.count {
            let specification = Models.specification(index)
            let isNamed =
                switch reference {
                case .active: index == 0
                case .version(let version): specification.model.manifest.version == version
                case .hash(let hash): specification.model.hash == hash
                }
            guard isNamed else { continue }
            try read(index)
            var isDamaged = false
            if case .hash = reference { isDamaged = canary == .otherModel }
            return try Fold(
                specification: Models.specification(index, damaged: isDamaged), input: Models.input(index))
        }
        throw SluiceError(.unknownModel, "there is no \(reference)")
    }

    private var settings: WorkerSettings {
        var settings = WorkerSettings(
            inputTopic: Topics.input, inputPartitions: inputPartitions, controlTopic: Topics.control,
            eventsTopic: Topics.events, eventsPartitions: 2, slotsTopic: Topics.slots,
            commitNanoseconds: scenario.commitMilliseconds * 1_000_000,
            checkpointNanoseconds: scenario.checkpointMilliseconds * 1_000_000, recentCapacity: 0)
        settings.openBytes = scenario.openBytes
        settings.changesBytes = scenario.changesBytes
        settings.replayRecordsMax = scenario.replayRecordsMax
        settings.slotsMinimum = scenario.slotsMinimum
        settings.markedSlots = scenario.markedSlots
        settings.settledSlots = scenario.settledSlots
        settings.residentSlots = canary == .roomyRestore ? nil : scenario.residentSlots
        settings.idleMilliseconds = scenario.idleMilliseconds
        settings.tombstonesMilliseconds = scenario.tombstonesMilliseconds
        settings.lostInput = lostInput
        settings.firstOffset = scenario.beginsAtEnd ? .latest : .earliest
        return settings
    }
}
