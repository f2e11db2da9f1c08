import SluiceCore
import SluiceState

/// Stores that keep no marker.
final class UnmarkedStores: PartitionStores {
    private let stores: SimulatedStores

    init(_ stores: SimulatedStores) { self.stores = stores }

    func open(_ partition: Int32) throws -> any PartitionStore { UnmarkedStore(try stores.open(partition)) }
    func onWritten(_ body: @escaping @Sendable () -> Void) { stores.onWritten(body) }
    func discard(_ partition: Int32) throws { try stores.discard(partition) }
}

private final class UnmarkedStore: PartitionStore {
    private let store: any PartitionStore

    init(_ store: any PartitionStore) { self.store = store }

    var position: StoredPosition? { store.position }
    var bytesOnDisk: Int { store.bytesOnDisk }

    func put(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if !key.starts(with: ChangelogKey.markers) { store.put(key: key, value: value) }
    }
    func remove(key: UnsafeRawBufferPointer) { store.remove(key: key) }
    func startWrite(_ position: StoredPosition) throws { try store.startWrite(position) }
    func isWritten(waits: Bool) throws -> Bool { try store.isWritten(waits: waits) }
    func read(key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        try store.read(key: key, body)
    }
    func scan(
        prefix: [UInt8], after: [UInt8]?, limit: Int,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
    ) throws -> [UInt8]? {
        try store.scan(prefix: prefix, after: after, limit: limit, body)
    }
    func close() { store.close() }
}
