package import SluiceLog
package import SluiceState

/// What a worker is given: its own clients, shared with nobody.
package struct WorkerResources {
    /// How outputs leave: with positions committed behind them, or in transactions with them.
    package enum Delivery {
        case atLeastOnce(any LogProducer)
        /// Makes a producer under this worker's name, which fences the one before it.
        case exactlyOnce(() throws -> any TransactionalProducer)
    }

    package var consumer: any LogConsumer
    package var delivery: Delivery
    /// Reads the control partitions of what is owned.
    package var control: any LogReader
    /// Makes a reader of the audit or the changelog, used while restoring.
    package var makeReader: () throws -> any LogReader
    package var stores: any PartitionStores
    package var clock: any EngineClock
    package var observer: any EngineObserver
    /// Makes the fold of a model.
    package var makeFold: (ModelReference) throws -> Fold
    /// Makes a name for a new log of state, unlike any other.
    package var makeIdentity: () -> String
    /// What brokers have refused: outlives the worker.
    package var limits: OutputLimits

    package init(
        consumer: any LogConsumer, delivery: Delivery, control: any LogReader,
        makeReader: @escaping () throws -> any LogReader, stores: any PartitionStores, clock: any EngineClock,
        observer: any EngineObserver, makeFold: @escaping (ModelReference) throws -> Fold,
        makeIdentity: @escaping () -> String, limits: OutputLimits = OutputLimits()
    ) {
        self.consumer = consumer
        self.delivery = delivery
        self.control = control
        self.makeReader = makeReader
        self.stores = stores
        self.clock = clock
        self.observer = observer
        self.makeFold = makeFold
        self.makeIdentity = makeIdentity
        self.limits = limits
    }
}
