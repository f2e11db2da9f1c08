import Foundation
import SluiceCore
import SluiceLSTM
import SluiceState

@testable import SluiceStore

let modelHash = String(repeating: "a7", count: 32)

/// A folder of the test's own, gone with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sluice-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

let identity = StateIdentity(cluster: "c1", application: "pumps", topic: "observations")

/// Slots whose fences tell them apart, saved to and loaded from a store.
struct Slots {
    static let specification = FoldSpecification(
        model: Model(
            manifest: ModelManifest(name: "m", version: "v1", inputs: ["x"], targets: ["x"]),
            parameters: LSTMParameters(shape: LSTMShape(inputs: 1, hidden: 3, layers: 1, outputs: 1)), hash: modelHash))

    let table = SlotTable(
        layout: Self.specification.layout, initialState: Self.specification.initialState)
    let format: SlotSnapshot

    init() throws { format = try SlotSnapshot(layout: Self.specification.layout, modelHash: modelHash) }

    func set(_ key: String, fence: Offset) {
        var key = key
        let slot = key.withUTF8 { table.intern(UnsafeRawBufferPointer($0)) }
        table[slot].header.pointee.fence = fence
        table[slot].header.pointee.time = fence
        table[slot].header.pointee.boundaryTime = 0
        table.markDirty(slot)
    }

    func end(_ key: String) {
        var key = key
        guard let slot = key.withUTF8({ table.find(UnsafeRawBufferPointer($0)) }) else { return }
        table.end(slot)
        table.releaseIfUnused(slot)
    }

    var fences: [String: Offset] {
        var fences: [String: Offset] = [:]
        table.forEach { fences[String(decoding: table.key($0), as: UTF8.self)] = table[$0].header.pointee.fence }
        return fences
    }

    /// As the worker does.
    func save(to store: FileStateStore, _ partition: Int32 = 0, at offset: Offset, control: Offset = 0) throws {
        var changes = StoreChanges()
        let isEverything = store.wantsEverything(partition)
        if isEverything {
            table.forEach { changes.put($0, of: table, as: format) }
        } else {
            for key in table.dropped { changes.drop(key) }
            for slot in table.dirty where table[slot].header.pointee.isUsed { changes.put(slot, of: table, as: format) }
        }
        try store.save(
            partition, StorePosition(offset: offset, controlOffset: control, modelHash: modelHash), changes,
            isEverything: isEverything)
        table.clearDirty()
    }

    /// What a store has; nil for nothing.
    static func load(_ store: FileStateStore, _ partition: Int32 = 0) throws -> (StorePosition, [String: Offset])? {
        let slots = try Slots()
        let position = try store.load(partition) { kind, bytes in
            switch kind {
            case .snapshot: _ = try slots.format.restore(bytes, into: slots.table)
            case .dropped: slots.end(String(decoding: bytes, as: UTF8.self))
            }
        }
        return position.map { ($0, slots.fences) }
    }
}

extension TemporaryFolder {
    func open(_ identity: StateIdentity = identity) throws -> StateDirectory {
        try StateDirectory(path + "/state", identity: identity)
    }

    func file(_ partition: Int = 0) -> String { path + "/state/observations-\(partition).slots" }
    func read(_ partition: Int = 0) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: file(partition))))
    }
    func write(_ bytes: some Collection<UInt8>, _ partition: Int = 0) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: file(partition)))
    }
}
