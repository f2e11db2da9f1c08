import SluiceCore
package import SluiceState

/// The stores of a process's worker on its simulated disk.
package final class SimulatedStores: PartitionStores {
    private let process: SimulatedProcess

    package init(_ process: SimulatedProcess) { self.process = process }

    package func open(_ partition: Int32) throws -> any PartitionStore {
        try process.call(.storeOpen) {
            SimulatedStore(process, partition, try process.disk.hold(partition))
        }
    }

    /// The worker looks for it by itself soon.
    package func onWritten(_ body: @escaping @Sendable () -> Void) {}
    package func discard(_ partition: Int32) throws { try process.disk.discard(partition) }
}

/// One partition's store. Writes are atomic, and synced now and then. One that was begun is done by then or later, and
/// its owner learns of it later still.
package final class SimulatedStore: PartitionStore {
    private let process: SimulatedProcess
    private let partition: Int32
    private var image: SimulatedDisk.Image
    /// What is being made up, in order; nil takes out.
    private var changes: [(key: [UInt8], value: [UInt8]?)] = []
    /// Of a write that was begun and not reported: what will be there then.
    private var underway: SimulatedDisk.Image?
    private var isPerformed = false
    private var isClosed = false

    init(_ process: SimulatedProcess, _ partition: Int32, _ image: SimulatedDisk.Image) {
        self.process = process
        self.partition = partition
        self.image = image
    }

    package var position: StoredPosition? { image.position }

    package func put(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        changes.append((Array(key), Array(value)))
    }

    package func remove(key: UnsafeRawBufferPointer) { changes.append((Array(key), nil)) }

    package func startWrite(_ position: StoredPosition) throws {
        precondition(underway == nil, "one write at a time")
        var next = image
        for change in changes { next.entries[change.key] = change.value }
        next.position = position
        (underway, isPerformed) = (next, false)
        if process.cluster.random.once(in: 2) { try perform(next) }
    }

    package func isWritten(waits: Bool) throws -> Bool {
        guard let next = underway else { return true }
        guard waits || process.cluster.random.once(in: 2) else { return false }
        if !isPerformed { try perform(next) }
        (image, underway) = (next, nil)
        changes.removeAll()
        return true
    }

    private func perform(_ next: SimulatedDisk.Image) throws {
        let (disk, changed) = (process.disk, changes.map(\.key))
        let tear = { [process, partition] isDetected in
            disk.tear(partition, next, changed: changed, isDetected: isDetected, &process.cluster.random)
        }
        do {
            try process.call(.storeWrite, tear: tear) {
                try disk.checkSpace(now: process.cluster.now)
                disk.write(partition, next, syncs: process.cluster.random.once(in: 3), changed: changed)
            }
        } catch {
            // What was put is written by another try.
            underway = nil
            throw error
        }
        isPerformed = true
    }

    package func read(key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        try process.call(.storeRead) { try check() }
        guard let value = image.entries[process.disk.place(partition, Array(key))] else { return false }
        try value.withUnsafeBytes(body)
        return true
    }

    private func check() throws {
        if process.disk.isCorrupt(partition) { throw SimulatedDisk.corrupt(partition) }
    }

    package func scan(
        prefix: [UInt8], after: [UInt8]?, limit: Int,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
    ) throws -> [UInt8]? {
        try process.call(.storeRead) { try check() }
        let keys = image.entries.keys.filter { $0.starts(with: prefix) }
            .filter { key in after.map { $0.lexicographicallyPrecedes(key) } ?? true }
            .sorted { $0.lexicographicallyPrecedes($1) }
        for key in keys.prefix(limit) {
            let value = image.entries[process.disk.place(partition, key)] ?? []
            try key.withUnsafeBytes { key in try value.withUnsafeBytes { try body(key, $0) } }
        }
        return keys.count > limit ? keys[limit - 1] : nil
    }

    package var bytesOnDisk: Int { image.entries.values.reduce(0) { $0 + $1.count } }

    package func close() {
        guard !isClosed else { return }
        isClosed = true
        if !process.isDead { process.disk.release(partition) }
    }
}
