import SluiceCore
import SluiceState

/// The disk of one machine: it outlives its process, and loses at a crash of the machine what was not synced.
package final class SimulatedDisk {
    struct Image {
        var entries: [[UInt8]: [UInt8]] = [:]
        var position: StoredPosition?
    }

    private struct Volume {
        var image = Image()
        /// States before writes that are not synced, oldest first.
        var unsynced: [Image?] = []
        var isCorrupt = false
    }

    private var volumes: [Int32: Volume] = [:]
    private var held: Set<Int32> = []
    /// Nanoseconds of the cluster's time until which nothing can be written.
    package var fullUntil: Int64 = 0

    package init() {}

    package var partitions: [Int32] { volumes.keys.sorted() }

    func hold(_ partition: Int32) throws -> Image {
        guard !held.contains(partition) else {
            throw SluiceError(.file, "the store of partition \(partition) is held by somebody else")
        }
        if volumes[partition]?.isCorrupt == true { throw Self.corrupt(partition) }
        held.insert(partition)
        return volumes[partition]?.image ?? Image()
    }

    static func corrupt(_ partition: Int32) -> SluiceError {
        SluiceError(.invalidState, "a block of the store of partition \(partition) has a wrong checksum")
    }

    func isCorrupt(_ partition: Int32) -> Bool { volumes[partition]?.isCorrupt ?? false }
    func release(_ partition: Int32) { held.remove(partition) }
    func releaseAll() { held = [] }

    func discard(_ partition: Int32) throws {
        guard !held.contains(partition) else {
            throw SluiceError(.file, "the store of partition \(partition) is open")
        }
        volumes[partition] = nil
    }

    func write(_ partition: Int32, _ image: Image, syncs: Bool) {
        var volume = volumes[partition] ?? Volume()
        volume.unsynced.append(volumes[partition]?.image)
        volume.image = image
        if syncs { volume.unsynced.removeAll() }
        volumes[partition] = volume
    }

    /// The machine goes down: of the writes since the last sync a prefix is left.
    func loseUnsynced(_ random: inout SimulationRandom) {
        for partition in partitions {
            guard var volume = volumes[partition], !volume.unsynced.isEmpty else { continue }
            let kept = random.below(volume.unsynced.count + 1)
            if kept < volume.unsynced.count {
                guard let image = volume.unsynced[kept] else {
                    volumes[partition] = nil
                    continue
                }
                volume.image = image
            }
            volume.unsynced.removeAll()
            volumes[partition] = volume
        }
    }

    /// A bit of a stored block flips; its checksum will tell.
    package func corrupt(_ random: inout SimulationRandom) {
        if let partition = random.pick(partitions) { volumes[partition]?.isCorrupt = true }
    }
}
