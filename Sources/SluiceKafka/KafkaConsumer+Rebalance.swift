internal import CLibrdkafka
internal import Logging
package import SluiceCore
internal import SluiceLog

extension KafkaConsumer {
    /// Between two tries of a seek that librdkafka refused because the partition is not set up yet.
    static let startRetryMilliseconds = 5
    /// About ten seconds of tries.
    private static let startAttempts = 2_000
    private static let seekMilliseconds: Int32 = 2_000

    /// Called by librdkafka on the consuming thread, from inside `poll`.
    func rebalance(_ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        let partitions = unsafe (0..<Int(list.pointee.cnt)).map { unsafe list.pointee.elems[$0].partition }
        switch code {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            hasBeenAssigned = true
            unsafe assign(partitions, list)
            // Also of nothing: then it is a member.
            listener?.partitionsAssigned(partitions)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            revoked(partitions)
            unsafe unassign(list)
        default:
            handle.context.logger.error("rebalance failed", metadata: ["error": "\(KafkaError(code))"])
            unsafe report(rd_kafka_assign(handle.pointer, nil))
        }
        seekAnew()
        // The caller of poll learns of it now, not when a record arrives.
        waker.wake()
    }

    /// What stays is sought anew from where it stands.
    ///
    /// librdkafka stops all partitions of a member for a cooperative rebalance and goes on behind what it has taken out
    /// of its queue, also where it did not hand that over: `rd_kafka_consume_batch_queue` destroys what it has taken so
    /// far of a partition when it meets the mark of the stop ("poor consumer batch API messaging guarantees" in the
    /// release notes of 2.0; mended in part in 2.1, and later again). Those records would never come. Every stop is
    /// followed by a call of the rebalance callback, and the seek comes behind both.
    private func seekAnew() {
        for index in gates.indices where gates[index].phase == .open {
            gates[index] = Gate(phase: .starting, next: gates[index].next)
            hasStarts = true
        }
    }

    /// Called from inside `close`: librdkafka takes the first answer, whatever it is, for the end of the assignment.
    ///
    /// Where a rebalance had waited to be served there is a second call, and by then the group may be ending. What is
    /// asked of it at that moment librdkafka before 2.10 throws away unanswered (`rd_kafka_cgrp_terminated`), while
    /// `rd_kafka_assign` and its like wait without a bound. Nor is there a wake: librdkafka would take it for the end
    /// of its own wait, leave the group half, and wait for ever in `rd_kafka_destroy`.
    func rebalanceWhileLeaving(
        _ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        let partitions = unsafe (0..<Int(list.pointee.cnt)).map { unsafe list.pointee.elems[$0].partition }
        if code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS { revoked(partitions) }
        guard !hasUnassigned else { return }
        hasUnassigned = true
        unsafe report(rd_kafka_assign(handle.pointer, nil))
    }

    private func revoked(_ partitions: [Int32]) {
        // A cooperative round that changes nothing here has empty lists.
        guard !partitions.isEmpty else { return }
        if unsafe rd_kafka_assignment_lost(handle.pointer) != 0 {
            listener?.partitionsLost(partitions)
        } else {
            listener?.partitionsRevoked(partitions)
        }
        setPhase(.foreign, partitions)
    }

    private func assign(_ partitions: [Int32], _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        // A concrete offset, paused, and sought away from in `start`. Not a logical one such as the end: librdkafka 2.0
        // asks the broker for it, and where a seek crosses that query it asks again 500 ms later and goes there, past
        // whatever was to be read.
        for index in 0..<partitions.count { unsafe list.pointee.elems[index].offset = 0 }
        setPhase(.gated, partitions)
        if isCooperative {
            unsafe report(rd_kafka_incremental_assign(handle.pointer, list))
        } else {
            unsafe report(rd_kafka_assign(handle.pointer, list))
        }
        unsafe report(rd_kafka_pause_partitions(handle.pointer, list))
    }

    private func unassign(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        if isCooperative {
            unsafe report(rd_kafka_incremental_unassign(handle.pointer, list))
        } else {
            unsafe report(rd_kafka_assign(handle.pointer, nil))
        }
    }

    /// Whether the group it has joined rebalances cooperatively; false before it has joined one.
    var isCooperative: Bool {
        guard let name = unsafe rd_kafka_rebalance_protocol(handle.pointer) else { return false }
        return unsafe String(cString: name) == "COOPERATIVE"
    }

    private func setPhase(_ phase: Gate.Phase, _ partitions: [Int32]) {
        for partition in partitions {
            grow(&gates, to: partition)
            gates[Int(partition)] = Gate(phase: phase)
        }
    }

    /// A callback cannot throw; what fails here shows as a partition that never starts.
    private func report(_ code: rd_kafka_resp_err_t) {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        handle.context.logger.error("assignment failed", metadata: ["error": "\(KafkaError(code))"])
    }

    private func report(_ error: OpaquePointer?) {
        guard let error = unsafe error else { return }
        handle.context.logger.error("assignment failed", metadata: ["error": "\(unsafe KafkaError(consuming: error))"])
    }

    package func start(partition: Int32, at offset: Offset) throws {
        try requireOwned(partition)
        precondition(offset >= 0, "a start is explicit")
        gates[Int(partition)] = Gate(phase: .starting, next: offset)
        hasStarts = true
    }

    package func pause(_ partitions: [Int32]) throws {
        var running: [Int32] = []
        for partition in partitions {
            try requireOwned(partition)
            switch gates[Int(partition)].phase {
            case .open: running.append(partition)
            case .starting: break
            case .foreign, .gated, .paused: continue
            }
            gates[Int(partition)].phase = .paused
        }
        guard !running.isEmpty else { return }
        let list = PartitionList(topic: topic, running)
        let code = unsafe rd_kafka_pause_partitions(handle.pointer, list.pointer)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code).during("pausing \(topic)") }
    }

    package func resume(_ partitions: [Int32]) throws {
        for partition in partitions {
            try requireOwned(partition)
            guard gates[Int(partition)].phase == .paused else { continue }
            // Pausing has thrown away what was prefetched: sought anew from the position.
            try start(partition: partition, at: gates[Int(partition)].next)
        }
    }

    private func requireOwned(_ partition: Int32) throws {
        guard partition >= 0, Int(partition) < gates.count, gates[Int(partition)].phase != .foreign else {
            throw SluiceError(.topic, "\(topic)/\(partition) is not assigned to this consumer")
        }
    }

    /// Seeks and resumes every starting partition. Those that librdkafka is still setting up stay for the next poll.
    func performStarts() throws {
        let starting = gates.indices.filter { gates[$0].phase == .starting }.map { Int32($0) }
        hasStarts = false
        guard !starting.isEmpty else { return }
        let list = PartitionList(capacity: starting.count)
        for partition in starting { list.add(topic, partition, offset: gates[Int(partition)].next) }
        let error = unsafe rd_kafka_seek_partitions(handle.pointer, list.pointer, Self.seekMilliseconds)
        if let error = unsafe error { try tolerate(unsafe KafkaError(consuming: error), "seeking in \(topic)") }
        let ready = PartitionList(capacity: starting.count)
        for index in 0..<list.count {
            let element = list[index]
            if element.code == RD_KAFKA_RESP_ERR_NO_ERROR {
                gates[Int(element.partition)].phase = .open
                ready.add(topic, element.partition)
            } else {
                try tolerate(KafkaError(element.code), "seeking in \(topic)/\(element.partition)")
                gates[Int(element.partition)].attempts += 1
                hasStarts = true
                if gates[Int(element.partition)].attempts > Self.startAttempts {
                    gates[Int(element.partition)].attempts = 0
                    throw SluiceError(
                        .broker, "\(topic)/\(element.partition) cannot be started", retry: .later,
                        cause: KafkaError(element.code))
                }
            }
        }
        guard ready.count > 0 else { return }
        let code = unsafe rd_kafka_resume_partitions(handle.pointer, ready.pointer)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code).during("resuming \(topic)") }
    }

    /// Errors of a seek that pass when librdkafka has set the partition up.
    private func tolerate(_ error: KafkaError, _ doing: String) throws {
        switch error.code {
        case RD_KAFKA_RESP_ERR__STATE, RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, RD_KAFKA_RESP_ERR__IN_PROGRESS,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR__TIMED_OUT:
            return
        default:
            throw error.during(doing)
        }
    }
}
