import SluiceCore
import SluiceLog
import SluiceState
import SluiceTestKit

@testable import SluiceEngine

/// A group member of the simulated log. Each poll first runs the test's script.
final class SimulatedConsumer: LogConsumer {
    private let log: SimulatedLog
    /// Called at the start of every poll, from which rebalances may be made.
    var script: (SimulatedConsumer) throws -> Void = { _ in }
    /// Records of one poll at most, in turn.
    var batches = [7]
    private(set) var polls = 0
    /// Polls in a row that brought nothing.
    private(set) var idlePolls = 0
    private(set) var isClosed = false
    /// The next offset of each started partition; nil while it is gated.
    private(set) var positions: [Int32: Offset?] = [:]
    private(set) var paused: Set<Int32> = []
    private var queue: [Record] = []
    private weak var listener: (any RebalanceListener)?
    /// What `committed` and `watermarks` throw, so many times.
    var failures: [SluiceError] = []
    /// Why the group takes no commit at the moment.
    var refusal: SluiceError?
    /// Partitions given at the first poll.
    var assignment: [Int32]

    init(_ log: SimulatedLog, assignment: [Int32]) {
        self.log = log
        self.assignment = assignment
    }

    func subscribe(_ listener: any RebalanceListener) throws { self.listener = listener }

    func assign(_ partitions: [Int32]) {
        for partition in partitions { positions[partition] = .some(nil) }
        listener?.partitionsAssigned(partitions)
    }

    func revoke(_ partitions: [Int32]) {
        listener?.partitionsRevoked(partitions)
        for partition in partitions { positions[partition] = nil }
    }

    func lose(_ partitions: [Int32]) {
        for partition in partitions { positions[partition] = nil }
        listener?.partitionsLost(partitions)
    }

    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (UnsafeBufferPointer<LogRecord>) throws -> Void) throws {
        if log.isDead { throw Crash() }
        if polls == 0 && !assignment.isEmpty { assign(assignment) }
        polls += 1
        try script(self)
        let wanted = min(limit, batches[polls % batches.count])
        var found: [Record] = []
        // Partitions take turns record by record, so that they mix in a batch.
        var isMore = true
        while found.count < wanted && isMore {
            isMore = false
            for partition in positions.keys.sorted() where found.count < wanted && !paused.contains(partition) {
                guard let position = positions[partition] ?? nil, let records = log.inputs[partition] else { continue }
                let next = max(position, log.lows[partition] ?? 0)
                guard let start = records.firstIndex(where: { $0.offset >= next }) else {
                    positions[partition] = .some(max(next, log.high(partition)))
                    continue
                }
                found.append(records[start])
                positions[partition] = .some(records[start].offset + 1)
                isMore = true
            }
        }
        idlePolls = found.isEmpty ? idlePolls + 1 : 0
        if !found.isEmpty { try withLogRecords(found.sorted { $0.partition < $1.partition }, body) }
    }

    func start(partition: Int32, at offset: Offset) throws { positions[partition] = .some(offset) }
    func position(_ partition: Int32) -> Offset? { positions[partition] ?? nil }

    func pause(_ partitions: [Int32]) throws { paused.formUnion(partitions) }
    func resume(_ partitions: [Int32]) throws { paused.subtract(partitions) }

    func committed(_ partitions: [Int32], timeoutMilliseconds: Int) throws -> [CommittedPosition] {
        if let failure = failures.popLast() { throw failure }
        return partitions.compactMap { log.committed[$0] }
    }

    /// Commits reach no coordinator, and have no answer.
    var isSilent = false
    private var isUnanswered = false

    func isCommitAnswered(timeoutMilliseconds: Int) throws -> Bool { !isUnanswered }

    func startCommit(_ committed: [CommittedPosition]) throws {
        isUnanswered = false
        if let refusal { throw refusal }
        isUnanswered = isSilent
        guard !isSilent else { return }
        try log.call("commit") {
            for one in committed {
                guard positions[one.partition] != nil else {
                    throw SluiceError(.broker, "partition \(one.partition) is not owned", retry: .fatal)
                }
                log.committed[one.partition] = one
            }
        }
    }

    func watermarks(partition: Int32, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset) {
        (log.lows[partition] ?? 0, log.high(partition))
    }

    func membership() throws -> GroupMembership {
        if let refusal { throw refusal }
        return GroupMembership(group: "simulated", generation: 1, member: "one")
    }

    private(set) var wakes = 0
    func wake() { wakes += 1 }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        if !positions.isEmpty { revoke(positions.keys.sorted()) }
    }
}

/// A bounded queue in front of the simulated log.
final class SimulatedProducer: LogProducer {
    private let log: SimulatedLog
    var capacity = 100_000
    /// The broker takes nothing.
    var isBlocked = false
    /// Has no room for more, where others have.
    var blockedPartition: Int32?
    var messageBytesMax = 1_000_000
    /// Of a record that the broker takes.
    var recordBytesMax = Int.max
    private(set) var tellDelivery: (@Sendable () -> Void)?
    private(set) var queue: [Output] = []
    private(set) var mostQueued = 0
    /// How many entries a batch handed over had at most: what the worker keeps.
    private(set) var mostEntries = 0
    private(set) var isClosed = false
    private var generator: Generator

    init(_ log: SimulatedLog, seed: UInt64) {
        self.log = log
        generator = Generator(seed: seed)
    }

    func onDelivery(_ body: @escaping @Sendable () -> Void) { tellDelivery = body }
    var messagesMaximum: Int { capacity }
    var pending: Int { queue.count }
    /// What was produced before is awaited.
    private var isMarked = false
    var isMarkDelivered: Bool { queue.isEmpty }

    func mark() throws {
        isMarked = true
        _ = try flush(timeoutMilliseconds: 0)
    }

    func produce(_ batch: inout OutputBatch) throws -> Bool {
        mostEntries = max(mostEntries, batch.entries.count)
        if log.isDead { throw Crash() }
        try log.call("produce") {}
        for index in batch.next..<batch.entries.count where !batch.entries[index].isHandedOver {
            guard queue.count < capacity else { break }
            if batch.entries[index].partition == blockedPartition { continue }
            let output = Output(batch.entries[index], batch)
            let bytes = (output.key?.count ?? 0) + (output.value?.count ?? 0)
            guard bytes <= messageBytesMax else { throw SluiceError(.delivery, "a message of \(bytes) bytes") }
            queue.append(output)
            batch.handOver(index)
        }
        mostQueued = max(mostQueued, queue.count)
        return batch.isHandedOver
    }

    func poll(timeoutMilliseconds: Int) throws {
        if log.isDead { throw Crash() }
        if (timeoutMilliseconds > 0 || isMarked) && !isBlocked { try deliver() }
    }

    func flush(timeoutMilliseconds: Int) throws -> Bool {
        try log.call("flush") { if !isBlocked { try deliver() } }
        return queue.isEmpty
    }

    private func deliver() throws {
        let taken = queue.prefix { $0.topic != .predictions || $0.recordBytes <= recordBytesMax }
        log.outputs += taken
        queue.removeFirst(taken.count)
        guard let refused = queue.first else { return }
        throw SluiceError(
            .delivery, "a record is refused", retry: .fatal,
            cause: OutputRefusal(
                topic: refused.topic, bytes: refused.recordBytes, isTooLarge: true, isAlone: true, isBare: false,
                reason: Crash()))
    }

    /// A process that dies has delivered a part of its queue: of each topic a number of messages from its front.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        guard log.isDead else { return }
        for topic in OutputTopic.allCases {
            let own = queue.filter { $0.topic == topic }
            log.outputs += own.prefix(generator.below(own.count + 1))
        }
        queue.removeAll()
    }
}

/// Reads control partitions and the audit of the simulated log.
final class SimulatedReader: LogReader {
    private let log: SimulatedLog
    private(set) var positions: [TopicPartition: Offset] = [:]
    private(set) var isClosed = false
    var failures: [SluiceError] = []
    /// The broker's answers take longer than this life.
    var isSilent = false

    init(_ log: SimulatedLog) { self.log = log }

    private func records(_ partition: TopicPartition) -> [Record] {
        switch partition.topic {
        case SimulatedLog.events: log.audit
        case SimulatedLog.slots: log.changelog
        case SimulatedLog.input: log.inputs[partition.partition] ?? []
        default: log.controls[partition.partition] ?? []
        }
    }

    func assign(_ wanted: [TopicPartition: Offset]) throws {
        if let failure = failures.popLast() { throw failure }
        for (partition, offset) in wanted {
            let (low, high) = try watermarks(partition, timeoutMilliseconds: 0)
            // The broker answers so only at the first fetch; here it is found at once.
            guard (low...high).contains(offset) else { throw SluiceError(.broker, "\(partition): no offset \(offset)") }
        }
        positions = wanted
    }

    func poll(timeoutMilliseconds: Int, limit: Int, _ body: (String, LogRecord) throws -> Void) throws {
        if log.isDead { throw Crash() }
        if isSilent { return }
        var left = min(limit, log.readLimit)
        for partition in positions.keys.sorted(by: { $0.partition < $1.partition }) {
            let position = positions[partition] ?? 0
            let found = records(partition).filter { $0.offset >= position }.prefix(left)
            guard let last = found.last else {
                positions[partition] = max(position, try highWatermark(partition, timeoutMilliseconds: 0))
                continue
            }
            left -= found.count
            positions[partition] = last.offset + 1
            try withLogRecords(found) { for record in $0 { try body(partition.topic, record) } }
        }
    }

    func watermarks(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> (low: Offset, high: Offset) {
        let low =
            switch partition.topic {
            case SimulatedLog.control: log.controlLow
            case SimulatedLog.events: log.auditLow
            case SimulatedLog.input: log.lows[partition.partition] ?? 0
            default: Offset(0)
            }
        let marks = partition.topic == SimulatedLog.control ? log.controlMarks : 0
        return (low, ((records(partition).last?.offset).map { $0 + 1 } ?? low) + marks)
    }

    func highWatermark(_ partition: TopicPartition, timeoutMilliseconds: Int) throws -> Offset {
        try watermarks(partition, timeoutMilliseconds: timeoutMilliseconds).high
    }

    func position(_ partition: TopicPartition) -> Offset? { positions[partition] }
    func offset(_: TopicPartition, at _: EpochMilliseconds, timeoutMilliseconds: Int) throws -> Offset? { nil }
    func onArrival(_ body: @escaping @Sendable () -> Void) {}
    func close() { isClosed = true }
}

/// A state directory in memory.
final class SimulatedStores: PartitionStores {
    private let log: SimulatedLog

    init(_ log: SimulatedLog) { self.log = log }

    func open(_ partition: Int32) throws -> any PartitionStore { SimulatedStore(log, partition) }
    func onWritten(_ body: @escaping @Sendable () -> Void) { log.tellWritten = body }
    func discard(_ partition: Int32) throws { log.saved[partition] = nil }
}

final class SimulatedStore: PartitionStore {
    private let log: SimulatedLog
    private let partition: Int32
    private var changes: [(key: [UInt8], value: [UInt8]?)] = []
    private var underway: StoredPosition?

    init(_ log: SimulatedLog, _ partition: Int32) {
        self.log = log
        self.partition = partition
    }

    var position: StoredPosition? { log.saved[partition]?.position }
    var bytesOnDisk: Int { 0 }
    private var entries: [[UInt8]: [UInt8]] { log.saved[partition]?.entries ?? [:] }

    func put(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) { changes.append((Array(key), Array(value))) }
    func remove(key: UnsafeRawBufferPointer) { changes.append((Array(key), nil)) }

    func startWrite(_ position: StoredPosition) throws { underway = position }

    func isWritten(waits: Bool) throws -> Bool {
        guard let position = underway else { return true }
        guard waits || !log.isDiskSlow else { return false }
        underway = nil
        try log.call("save") {
            var saved = log.saved[partition] ?? SimulatedLog.Saved(position: position)
            for change in changes { saved.entries[change.key] = change.value }
            saved.position = position
            log.saved[partition] = saved
        }
        changes.removeAll()
        return true
    }

    func read(key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        guard let value = entries[Array(key)] else { return false }
        try value.withUnsafeBytes(body)
        return true
    }

    func scan(
        prefix: [UInt8], after: [UInt8]?, limit: Int,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws -> [UInt8]? {
        let keys = entries.keys.filter { key in
            key.starts(with: prefix) && (after.map { $0.lexicographicallyPrecedes(key) } ?? true)
        }.sorted { $0.lexicographicallyPrecedes($1) }
        for key in keys.prefix(limit) {
            try key.withUnsafeBytes { key in try (entries[Array(key)] ?? []).withUnsafeBytes { try body(key, $0) } }
        }
        return keys.count > limit ? keys[limit - 1] : nil
    }

    func close() {}
}
