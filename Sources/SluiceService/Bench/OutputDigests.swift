import SluiceCore
import SluiceLog

/// What the outputs of each partition come to, in their order: runs over the same inputs agree in it as far as both
/// have come, for the same log gives the same outputs, byte for byte.
struct OutputDigests: Sendable {
    /// Outputs of a partition between two digests that are kept.
    static let step = 100
    /// Odd, so that each place weighs differently.
    private static let weight: UInt64 = 0x9E37_79B1_85EB_CA87

    private struct Partition {
        var count = 0
        var digest: UInt64 = 0
        /// Behind each `step` of outputs.
        var kept: [UInt64] = []
    }

    private var partitions: [Int32: Partition] = [:]

    /// Takes in the next output of its partition.
    mutating func add(_ record: LogRecord) {
        var partition = partitions.removeValue(forKey: record.partition) ?? Partition()
        partition.count += 1
        for part in [record.key, record.value] { partition.digest = partition.digest &* Self.weight &+ xxHash64(part) }
        if partition.count % Self.step == 0 { partition.kept.append(partition.digest) }
        partitions[record.partition] = partition
    }

    /// The first place where another run has another output: it is among the last `step` of so many. Nil where both
    /// agree, or have no partition in common.
    func difference(from other: OutputDigests) -> (partition: Int32, outputs: Int)? {
        for (number, partition) in partitions.sorted(by: { $0.key < $1.key }) {
            let others = other.partitions[number]?.kept ?? []
            if let place = zip(partition.kept, others).enumerated().first(where: { $1.0 != $1.1 }) {
                return (number, (place.offset + 1) * Self.step)
            }
        }
        return nil
    }
}
