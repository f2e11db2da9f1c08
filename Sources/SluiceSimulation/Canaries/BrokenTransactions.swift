import SluiceCore
import SluiceLog
import SluiceState

/// A transactional producer that changes what it is given, or does a part of it at the wrong time.
final class BrokenTransactions: TransactionalProducer {
    private let producer: SimulatedTransactions
    private let canary: Canary
    private let cluster: SimulatedCluster

    init(_ producer: SimulatedTransactions, _ canary: Canary, _ cluster: SimulatedCluster) {
        self.producer = producer
        self.canary = canary
        self.cluster = cluster
    }

    var messageBytesMax: Int { producer.messageBytesMax }
    func answer() -> TransactionAnswer? { producer.answer() }
    func changelogEnd(_ partition: Int32) -> Offset? { producer.changelogEnd(partition) }
    func onAnswer(_ body: @escaping @Sendable () -> Void) { producer.onAnswer(body) }
    func close() { producer.close() }

    func start(_ call: TransactionCall) {
        switch call {
        case .produce(let transaction): producer.start(.produce(spoiled(transaction)))
        case .sendPositions(let transaction, let member) where canary == .earlyPositions:
            // Outside of the transaction: committed whatever becomes of it.
            try? cluster.group.commit(transaction.positions, of: member)
            producer.start(.sendPositions(transaction, member))
        default: producer.start(call)
        }
    }

    private func spoiled(_ transaction: Transaction) -> Transaction {
        let copy = Transaction()
        copy.positions = transaction.positions
        transaction.outputs.entries.indices.forEach { copy.outputs.append($0, of: transaction.outputs) }
        let entries = copy.outputs.entries
        switch canary {
        case .doubledOutput:
            if let last = entries.last(where: { $0.topic == .predictions }), cluster.random.once(in: 3) {
                copy.outputs.entries.append(last)
            }
        case .doubledEvent:
            if let event = entries.first(where: { $0.topic == .events }) { copy.outputs.entries.append(event) }
        case .swappedOutputs: swapNeighbours(copy)
        case .shiftedSwap: shiftSwap(copy)
        case .looseSnapshots: loosen(copy)
        case .lateReplay: forgetDirty(copy)
        case .lostMarker:
            copy.outputs.entries = entries.filter { entry in
                entry.topic != .slots || !bytes(entry.key, copy).starts(with: ChangelogKey.markers)
            }
        default: break
        }
        return copy
    }

    /// The last two predictions of a stream.
    private func swapNeighbours(_ copy: Transaction) {
        let predictions = copy.outputs.entries.indices.filter { copy.outputs.entries[$0].topic == .predictions }
        guard let last = predictions.last else { return }
        let key = bytes(copy.outputs.entries[last].key, copy)
        let other = predictions.dropLast().last {
            bytes(copy.outputs.entries[$0].key, copy) == key
                && copy.outputs.entries[$0].partition == copy.outputs.entries[last].partition
        }
        if let other { copy.outputs.entries.swapAt(other, last) }
    }

    private func bytes(_ range: Range<Int>?, _ copy: Transaction) -> [UInt8] {
        range.map { Array(copy.outputs.arena.bytes($0)) } ?? []
    }

    private func shiftSwap(_ copy: Transaction) {
        for index in copy.outputs.entries.indices where copy.outputs.entries[index].topic == .events {
            let text = String(decoding: bytes(copy.outputs.entries[index].value, copy), as: UTF8.self)
            guard text.contains("\"swap\""), let offset = SnapshotText.member("offset", of: Array(text.utf8)) else {
                continue
            }
            let parts = text.split(separator: "\"offset\":\(offset)", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let start = copy.outputs.arena.count
            copy.outputs.arena.append("\(parts[0])\"offset\":\(max(0, offset - 3))\(parts[1])")
            copy.outputs.entries[index].value = start..<copy.outputs.arena.count
        }
    }

    /// Heads say that nothing is dirty.
    private func forgetDirty(_ copy: Transaction) {
        for index in copy.outputs.entries.indices where copy.outputs.entries[index].topic == .slots {
            let value = bytes(copy.outputs.entries[index].value, copy)
            guard bytes(copy.outputs.entries[index].key, copy) == ChangelogKey.head,
                let offset = SnapshotText.member("offset", of: value),
                let from = SnapshotText.member("replayFrom", of: value)
            else { continue }
            let text = String(decoding: value, as: UTF8.self)
            let parts = text.split(
                separator: "\"replayFrom\":\(from)", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let start = copy.outputs.arena.count
            copy.outputs.arena.append("\(parts[0])\"replayFrom\":\(offset)\(parts[1])")
            copy.outputs.entries[index].value = start..<copy.outputs.arena.count
        }
    }

    /// Snapshots go out at once, and are there whether or not the transaction commits.
    private func loosen(_ copy: Transaction) {
        for (partition, record) in Topics.records(copy.outputs, 0..<copy.outputs.entries.count, cluster)
        where partition.topic == Topics.slots && record.key?.first != 0xFF {
            _ = try? cluster.log(partition).append([record])
        }
        let entries = copy.outputs.entries
        copy.outputs.entries = entries.filter { entry in
            entry.topic != .slots || bytes(entry.key, copy).first == 0xFF
        }
    }
}

extension OutputBatch {
    /// Appends an entry of another batch with all that belongs to it.
    mutating func append(_ index: Int, of other: borrowing OutputBatch) {
        var entry = other.entries[index]
        entry.key = entry.key.map { copy($0, of: other) }
        entry.value = entry.value.map { copy($0, of: other) }
        let first = headers.count
        for header in other.headers[entry.headers] {
            headers.append(Header(name: header.name, value: copy(header.value, of: other)))
        }
        entry.headers = first..<headers.count
        entries.append(entry)
    }

    private mutating func copy(_ range: Range<Int>, of other: borrowing OutputBatch) -> Range<Int> {
        let start = arena.count
        arena.append(other.arena.bytes(range))
        return start..<arena.count
    }
}
