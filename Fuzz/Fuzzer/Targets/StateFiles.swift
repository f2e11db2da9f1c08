import Foundation
import SluiceCore
import SluiceEngine
import SluiceState

@testable import SluiceStore

/// A partition's file in the state directory: as it is, and with every frame and snapshot sealed.
struct StateFiles: FuzzTarget {
    /// What is loaded: a position and the slots' snapshots in the order of their keys; nil for nothing usable.
    private struct Loaded: Equatable {
        var position: StorePosition
        var snapshots: [[UInt8]]
    }

    private let directory: StateDirectory
    private let fold: Fold

    init() throws {
        directory = try Self.openDirectory()
        fold = try SampleModels.fold(SampleModels.all[0])
    }

    private static func openDirectory() throws -> StateDirectory {
        let folder = "\(NSTemporaryDirectory())/sluice-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
        return try StateDirectory(
            folder, identity: StateIdentity(cluster: "c", application: "pumps", topic: "observations"))
    }

    static func seeds() throws -> [Seed] {
        let directory = try openDirectory()
        let store = directory.makeStore()
        let slots = try SampleSlots(SampleModels.fold(SampleModels.all[0]))
        try slots.fold(["a", "b"], sequences: ["s", nil])
        try slots.save(to: store, StorePosition(offset: 9, controlOffset: 0, modelHash: slots.modelHash))
        try slots.fold(["c", "b"], sequences: [nil])
        slots.end("a")
        try slots.save(to: store, StorePosition(offset: 12, controlOffset: 3, modelHash: slots.modelHash))
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        return [Seed("seed-frames", try Data(contentsOf: URL(filePath: directory.file(0))))]
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        var file = Array(bytes)
        try read(file)
        Sealing.seal(frames: &file)
        try read(file)
    }

    private func read(_ file: [UInt8]) throws {
        try Data(file).write(to: URL(filePath: directory.file(0)))
        let store = directory.makeStore()
        let slots = try SampleSlots(fold)
        guard var loaded = try load(store, slots) else {
            // As the worker does with what it cannot use.
            store.discard(0)
            return check(store.wantsEverything(0), "without a usable state the next save holds everything")
        }
        try check(store.modelHash(0) != nil, "a state names its model")
        check(!store.wantsEverything(0), "a state that was loaded can be added to")
        // Saved in the name of the model at hand, which the worker has made sure of.
        loaded.position.modelHash = slots.modelHash
        try slots.save(to: store, loaded.position)
        try check(load(store, SampleSlots(fold)) == loaded, "a state that was added to is the same")
        store.discard(0)
        try slots.save(to: store, loaded.position)
        try check(load(store, SampleSlots(fold)) == loaded, "a state loads as it was saved")
    }

    private func load(_ store: FileStateStore, _ slots: SampleSlots) throws -> Loaded? {
        let position = try expecting(.invalidState, .foreignState) { try slots.load(store) }
        guard let position = position ?? nil else { return nil }
        return Loaded(position: position, snapshots: try slots.snapshots())
    }
}
