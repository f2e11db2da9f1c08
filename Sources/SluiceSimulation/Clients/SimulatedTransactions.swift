package import SluiceCore
package import SluiceLog

/// A transactional producer: its calls become requests that arrive after a while, and answers that come after another
/// while, or never.
///
/// What it cannot show: a request that arrives in a *later* transaction of the same epoch. A broker without the second
/// part of KIP-890 takes it, and no engine can tell; the producer here answers `anew` where that could happen.
package final class SimulatedTransactions: TransactionalProducer {
    let process: SimulatedProcess
    let name: String
    let timeout: Int64
    var producer: (id: Int64, epoch: Int16)?
    /// Next sequence of each partition in this epoch.
    var sequences: [TopicPartition: Int32] = [:]
    var ends: [Int32: Offset] = [:]
    var isOpen = false
    /// Each record goes in a batch of its own.
    package var isAlone = false
    /// False: what is sent again has the next sequence, as without `enable.idempotence`.
    var isIdempotent = true
    /// Why the broker refused a batch of the last `produce` for good.
    var refusal: SluiceError?
    private var isBroken: BrokerError?
    private var isClosed = false
    private var ready: TransactionAnswer?
    /// Calls so far: the answer to an earlier one is no answer.
    private var ordinal = 0
    package var messageBytesMax = 100_000

    var cluster: SimulatedCluster { process.cluster }
    private static let retryNanoseconds: Int64 = 20_000_000
    private static let retriesMaximum = 500

    package init(_ process: SimulatedProcess, name: String, timeoutMilliseconds: Int64) throws {
        guard !process.isDead else { throw Crash() }
        self.process = process
        self.name = name
        timeout = timeoutMilliseconds * 1_000_000
    }

    package func start(_ call: TransactionCall) {
        precondition(ready == nil, "one call at a time")
        ordinal += 1
        guard !process.isDead else { return answer(.failed(Self.failure(.anew, .timedOut)), ordinal) }
        if let isBroken { return answer(.failed(Self.failure(.anew, isBroken)), ordinal) }
        guard let fault = try? process.enter(call.name) as Fault?? else {
            return answer(.failed(Self.failure(.anew, .timedOut)), ordinal)
        }
        send(call, fault, ordinal)
    }

    package func answer() -> TransactionAnswer? {
        if process.isDead { return .failed(Self.failure(.anew, .timedOut)) }
        if ready == nil { cluster.advance(cluster.random.within(10_000...200_000)) }
        defer { ready = nil }
        return ready
    }

    package func changelogEnd(_ partition: Int32) -> Offset? { ends[partition] }
    package func onAnswer(_ body: @escaping @Sendable () -> Void) {}
    package func close() { isClosed = true }

    private func answer(_ answer: TransactionAnswer, _ ordinal: Int) {
        if ordinal == self.ordinal && !isClosed { ready = answer }
    }

    private static func failure(
        _ remedy: TransactionFailure.Remedy, _ error: BrokerError
    ) -> TransactionFailure {
        TransactionFailure(remedy, SluiceError(.delivery, error.rawValue, retry: remedy == .anew ? .fatal : .later))
    }

    // MARK: - The way there and back

    private func send(_ call: TransactionCall, _ fault: Fault?, _ ordinal: Int) {
        let amount = (fault?.amount ?? 0) * 1_000_000
        // These two are counted where they have an effect.
        if let fault, fault.kind != .duplicated, fault.kind != .refused { process.strike(fault) }
        switch fault?.kind {
        case .crashAfter:
            // The request is on its way; nobody waits for the answer.
            arrive(call, after: cluster.latency()) { _ in }
            process.die(fault?.amount == 1)
        case .lost: cluster.after(amount) { [self] in answer(.failed(unanswered(call)), ordinal) }
        case .lostReply:
            // A client gives a request up after its own time-out, which is longer than any way there.
            arrive(call, after: cluster.latency()) { [self] _ in
                cluster.after(amount) { [self] in answer(.failed(unanswered(call)), ordinal) }
            }
        case .indefinite:
            isBroken = .timedOut
            arrive(call, after: cluster.random.within(0...max(1, amount))) { _ in }
            cluster.after(cluster.latency()) { [self] in answer(.failed(Self.failure(.anew, .timedOut)), ordinal) }
        case .fatal:
            isBroken = .producerFenced
            if case .produce = call { arrive(call, after: cluster.latency(), prefix: true) { _ in } }
            cluster.after(2 * cluster.latency()) { [self] in
                answer(.failed(Self.failure(.anew, .producerFenced)), ordinal)
            }
        case .refused:
            if let fault, refuse(call, ordinal) { process.strike(fault) }
        case .duplicated:
            arrive(call, after: cluster.latency(), twice: fault) { [self] in reply($0, to: call, ordinal, 0) }
        case .delayed:
            arrive(call, after: cluster.latency() + amount) { [self] in reply($0, to: call, ordinal, 0) }
        default: arrive(call, after: cluster.latency()) { [self] in reply($0, to: call, ordinal, 0) }
        }
    }

    /// Refused so that the transaction must be aborted; a call that has none of that is refused for good.
    ///
    /// - Returns: whether it is.
    private func refuse(_ call: TransactionCall, _ ordinal: Int) -> Bool {
        switch call {
        case .produce:
            arrive(call, after: cluster.latency(), prefix: true) { [self] _ in
                cluster.after(cluster.latency()) { [self] in
                    answer(.failed(Self.failure(.abort, .timedOut)), ordinal)
                }
            }
        case .commit where !isOpen:
            // Decided already, by a call whose answer was lost: that cannot be taken back.
            arrive(call, after: cluster.latency()) { [self] in reply($0, to: call, ordinal, 0) }
            return false
        case .sendPositions, .commit:
            cluster.after(4 * cluster.latency()) { [self] in
                answer(.failed(Self.failure(.abort, .timedOut)), ordinal)
            }
        case .initialise, .abort:
            isBroken = .producerFenced
            cluster.after(2 * cluster.latency()) { [self] in
                answer(.failed(Self.failure(.anew, .producerFenced)), ordinal)
            }
        }
        return true
    }

    /// What a client says when no answer came: the messages of a transaction have timed out, other calls can be made
    /// again and go on where they were.
    private func unanswered(_ call: TransactionCall) -> TransactionFailure {
        if case .produce = call { return Self.failure(.abort, .timedOut) }
        return Self.failure(.again, .timedOut)
    }

    private func arrive(
        _ call: TransactionCall, after: Int64, prefix: Bool = false, twice: Fault? = nil,
        _ body: @escaping (BrokerError?) -> Void
    ) {
        cluster.after(after) { [self] in
            var error: BrokerError?
            do throws(BrokerError) {
                guard !process.isCutOff else { throw .timedOut }
                try apply(call, prefix: prefix, twice: twice)
            } catch let met { error = met }
            body(error)
        }
    }

    private func reply(_ error: BrokerError?, to call: TransactionCall, _ ordinal: Int, _ tries: Int) {
        guard let error else {
            return cluster.after(cluster.latency()) { [self] in answer(.done, ordinal) }
        }
        if error.isRetriable, tries < Self.retriesMaximum, !isClosed, !process.isDead {
            return arrive(call, after: Self.retryNanoseconds) { [self] in reply($0, to: call, ordinal, tries + 1) }
        }
        let isOver = error.isFencing && error != .fencedInstance || error == .outOfOrderSequence
        if isOver { isBroken = error }
        var failure = Self.failure(isOver ? .anew : .abort, error)
        if error == .messageTooLarge, let refusal { failure = TransactionFailure(.abort, refusal) }
        if error.isRetriable && !isOver { failure = unanswered(call) }
        cluster.after(cluster.latency()) { [self] in answer(.failed(failure), ordinal) }
    }
}
