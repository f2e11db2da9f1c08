import SluiceCore
package import SluiceLog

/// Produces at least once: a bounded queue in front of the cluster, idempotent within its life.
package final class SimulatedProducer: LogProducer {
    private let process: SimulatedProcess
    private let producerID: Int64
    private var queue: [(partition: TopicPartition, record: SimulatedRecord)] = []
    private var sequences: [TopicPartition: Int32] = [:]
    /// Of the queue, what was there at the last mark.
    private var marked = 0
    private var failure: SluiceError?
    private var isClosed = false
    package var capacity = 500
    /// Each record goes in a batch of its own.
    package var isAlone = false
    package var messageBytesMax = 100_000

    private var cluster: SimulatedCluster { process.cluster }

    package init(_ process: SimulatedProcess, producerID: Int64) {
        self.process = process
        self.producerID = producerID
    }

    package var messagesMaximum: Int { capacity }
    package var pending: Int { queue.count }

    package func produce(_ batch: inout OutputBatch) throws -> Bool {
        guard !process.isDead else { throw Crash() }
        // Mostly none of those that there are.
        let withoutRoom = Int32(cluster.random.below(16))
        for index in batch.next..<batch.entries.count where !batch.entries[index].isHandedOver {
            guard queue.count < capacity else { break }
            if batch.entries[index].partition == withoutRoom { continue }
            queue += Topics.records(batch, index..<index + 1, cluster)
            batch.handOver(index)
        }
        return batch.isHandedOver
    }

    package func poll(timeoutMilliseconds: Int) throws {
        guard !process.isDead else { throw Crash() }
        if timeoutMilliseconds > 0 { cluster.advance(Int64(timeoutMilliseconds) * 1_000_000) }
        deliver(cluster.random.below(queue.count + 1))
        if let failure { throw failure }
    }

    package func mark() throws {
        marked = queue.count
        _ = try attempt()
    }

    package var isMarkDelivered: Bool { marked == 0 }

    package func flush(timeoutMilliseconds: Int) throws -> Bool {
        guard try attempt() else { return queue.isEmpty }
        deliver(queue.count)
        if let failure { throw failure }
        if !queue.isEmpty { cluster.advance(Int64(timeoutMilliseconds) * 1_000_000) }
        return queue.isEmpty
    }

    /// Meets with a fault, where there is one.
    ///
    /// - Returns: whether more is delivered now.
    private func attempt() throws -> Bool {
        let fault = try process.enter(.produce)
        cluster.advance(2 * cluster.latency())
        // Counted where it has an effect.
        if let fault, fault.kind != .crashAfter, fault.kind != .duplicated, fault.kind != .lostReply {
            process.strike(fault)
        }
        switch fault?.kind {
        case .crashAfter:
            deliver(queue.count)
            try process.finish(fault)
        case .refused, .fatal, .indefinite, .lost:
            deliver(cluster.random.below(queue.count + 1))
            failure = SluiceError(.delivery, "a message was not delivered", retry: .fatal)
        case .delayed:
            cluster.advance((fault?.amount ?? 0) * 1_000_000)
            return false
        case .duplicated, .lostReply:
            if let fault, resend() { process.strike(fault) }
        default: break
        }
        if let failure { throw failure }
        return true
    }

    /// Delivers from the front of the queue, up to what is refused.
    private func deliver(_ count: Int) {
        guard !cluster.isOutputBlocked, !process.isCutOff else { return }
        var left = count
        while left > 0, failure?.refusal == nil, let first = queue.first {
            let topic = first.partition.topic
            // Where nothing is limited it makes no difference what is a batch.
            let isOne = isAlone || cluster.messageBytesMax[topic] == nil
            let batch = queue.prefix(isOne ? 1 : min(left, 20)).prefix { $0.partition == first.partition }
            do throws(BrokerError) {
                try cluster.admit(batch.map(\.record), to: topic)
                batch.forEach(append)
            } catch {
                failure = Topics.refusal(of: batch.map(\.record), by: topic, isAlone: isAlone)
            }
            queue.removeFirst(batch.count)
            marked = max(0, marked - batch.count)
            left -= batch.count
        }
    }

    /// The first message's answer is lost, and the client sends it again: the broker knows it (KIP-98).
    ///
    /// - Returns: whether there was something to send.
    private func resend() -> Bool {
        guard let first = queue.first, cluster.messageBytesMax[first.partition.topic] == nil,
            let sequence = sequences[first.partition] ?? 0 as Int32?
        else { return false }
        append(first)
        sequences[first.partition] = sequence
        return failure == nil
    }

    private func append(_ one: (partition: TopicPartition, record: SimulatedRecord)) {
        let sequence = sequences[one.partition] ?? 0
        let stamp = ProducerStamp(producer: producerID, epoch: 0, sequence: sequence, isTransactional: false)
        do {
            try cluster.log(one.partition).append([one.record], stamp)
            sequences[one.partition] = sequence + 1
        } catch {
            failure = SluiceError(.delivery, error.rawValue, retry: .fatal)
        }
    }

    /// What a dying process has sent already arrives, from the front of its queue.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        if process.isDead { deliver(cluster.random.below(queue.count + 1)) }
        queue.removeAll()
    }
}
