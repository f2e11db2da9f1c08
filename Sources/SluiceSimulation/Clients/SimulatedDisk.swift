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
        /// Streams of which each has the other's value.
        var exchanged: [[UInt8]: [UInt8]] = [:]
    }

    private var volumes: [Int32: Volume] = [:]
    private var held: Set<Int32> = []
    /// Nanoseconds of the cluster's time until which nothing can be written.
    package var fullUntil: Int64 = 0

    /// Called when somebody meets what has befallen it.
    package var onMeet: (FaultKind) -> Void = { _ in }

    package init() {}

    package var partitions: [Int32] { volumes.keys.sorted() }

    func hold(_ partition: Int32) throws -> Image {
        guard !held.contains(partition) else {
            throw SluiceError(.file, "the store of partition \(partition) is held by somebody else", retry: .later)
        }
        // What stands nowhere is no store.
        let isTorn = volumes[partition].map { $0.image.position == nil && !$0.image.entries.isEmpty } ?? false
        if isTorn || isCorrupt(partition) { throw Self.corrupt(partition) }
        held.insert(partition)
        return volumes[partition]?.image ?? Image()
    }

    static func corrupt(_ partition: Int32) -> SluiceError {
        SluiceError(.invalidState, "a block of the store of partition \(partition) has a wrong checksum")
    }

    func isCorrupt(_ partition: Int32) -> Bool {
        guard volumes[partition]?.isCorrupt == true else { return false }
        onMeet(.bitFlip)
        return true
    }

    /// - Throws: `ENOSPC`.
    func checkSpace(now: Int64) throws {
        guard now < fullUntil else { return }
        onMeet(.diskFull)
        throw SluiceError(.file, "no space left on device", retry: .later)
    }

    func release(_ partition: Int32) { held.remove(partition) }
    func releaseAll() { held = [] }

    func discard(_ partition: Int32) throws {
        guard !held.contains(partition) else {
            throw SluiceError(.file, "the store of partition \(partition) is open", retry: .later)
        }
        volumes[partition] = nil
    }

    /// Where the value of a key really lies.
    func place(_ partition: Int32, _ key: [UInt8]) -> [UInt8] {
        guard let other = volumes[partition]?.exchanged[key] else { return key }
        onMeet(.misdirect)
        return other
    }

    func write(_ partition: Int32, _ image: Image, syncs: Bool, changed: [[UInt8]]) {
        var volume = volumes[partition] ?? Volume()
        if changed.contains(where: { volume.exchanged[$0] != nil }) { volume.exchanged = [:] }
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

    /// The machine goes down within a write.
    ///
    /// - Parameter isDetected: false: nothing tells that only a part of the batch is there.
    func tear(
        _ partition: Int32, _ next: Image, changed: [[UInt8]], isDetected: Bool, _ random: inout SimulationRandom
    ) {
        var volume = volumes[partition] ?? Volume()
        if isDetected {
            volume.isCorrupt = random.once(in: 2)
        } else {
            for key in changed where random.once(in: 2) { volume.image.entries[key] = next.entries[key] }
            if !random.once(in: 3) { volume.image.position = next.position }
            volume.unsynced.removeAll()
        }
        volumes[partition] = volume
    }

    // MARK: - Models

    /// What has befallen the files of models by their index, and until when.
    private var models: [Int: (fault: FaultKind, until: Int64)] = [:]

    func spoilModel(_ index: Int, _ fault: FaultKind, until: Int64) { models[index] = (fault, until) }

    func mendModels() { models = [:] }
    func hasSpoiltModels(now: Int64) -> Bool { models.values.contains { now < $0.until } }

    /// - Throws: what a registry of models does when the file is so.
    func checkModel(_ index: Int, now: Int64) throws {
        guard let spoilt = models[index], now < spoilt.until else { return }
        onMeet(spoilt.fault)
        throw switch spoilt.fault {
        case .modelGone: SluiceError(.unknownModel, "the file of the model is gone")
        case .modelDamaged: SluiceError(.invalidModel, "the file of the model is cut short")
        default: SluiceError(.file, "the file of the model cannot be read", retry: .later)
        }
    }

    /// Two values of streams lie in each other's place; their checksums are right.
    ///
    /// - Returns: whether there are two.
    package func misdirect(_ random: inout SimulationRandom) -> Bool {
        guard let partition = random.pick(partitions), var volume = volumes[partition] else { return false }
        let keys = volume.image.entries.keys.filter { $0.first != 0xFF }.sorted { $0.lexicographicallyPrecedes($1) }
        guard keys.count > 1, volume.exchanged.isEmpty else { return false }
        let (one, other) = (keys[random.below(keys.count - 1)], keys[keys.count - 1])
        volume.exchanged = [one: other, other: one]
        volumes[partition] = volume
        return true
    }

    /// A bit of a stored block flips; its checksum will tell.
    ///
    /// - Returns: whether there is a block.
    package func corrupt(_ random: inout SimulationRandom) -> Bool {
        guard let partition = random.pick(partitions) else { return false }
        volumes[partition]?.isCorrupt = true
        return true
    }
}
