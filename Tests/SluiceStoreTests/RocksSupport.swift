import Foundation
import SluiceCore
import SluiceState
import SluiceTestKit

@testable import SluiceStore

typealias Entries = [[UInt8]: [UInt8]]

extension TemporaryFolder {
    /// With buffers so small that a few writes fill files of every kind.
    func stores(_ durability: WriteDurability = .synced, writeBufferBytes: Int = 64 << 10) throws -> RocksStores {
        RocksStores(directory: try open(), durability: durability, writeBufferBytes: writeBufferBytes)
    }
}

func stored(_ offset: Offset) -> StoredPosition {
    StoredPosition(
        identity: "log-\(offset)", offset: offset, replayFrom: offset - 3, controlOffset: offset / 2,
        changelogOffset: 5 * offset, modelHash: modelHash, latest: 1_000 * offset, storedAt: 10 * offset,
        partitions: 4)
}

extension PartitionStore {
    func put(_ key: [UInt8], _ value: [UInt8]) {
        key.withUnsafeBytes { key in value.withUnsafeBytes { put(key: key, value: $0) } }
    }

    func put(_ key: String, _ value: String) { put(Array(key.utf8), Array(value.utf8)) }
    func remove(_ key: [UInt8]) { key.withUnsafeBytes { remove(key: $0) } }
    func remove(_ key: String) { remove(Array(key.utf8)) }

    func value(_ key: [UInt8]) throws -> [UInt8]? {
        var value: [UInt8]?
        let isThere = try key.withUnsafeBytes { try read(key: $0) { value = Array($0) } }
        return isThere ? value : nil
    }

    func text(_ key: String) throws -> String? {
        try value(Array(key.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    func keys(
        _ prefix: [UInt8] = [], after: [UInt8]? = nil, limit: Int = .max
    ) throws -> (keys: [[UInt8]], last: [UInt8]?) {
        var keys: [[UInt8]] = []
        let last = try scan(prefix: prefix, after: after, limit: limit) { key, _ in keys.append(Array(key)) }
        return (keys, last)
    }

    func entries() throws -> Entries {
        var entries: Entries = [:]
        _ = try scan(prefix: [], after: nil, limit: .max) { entries[Array($0)] = Array($1) }
        return entries
    }
}

/// Writes that follow from their number, and what they make of a store.
struct Writes {
    static let keys = 120

    /// Puts and removes the entries of write `offset`, and does the same to `entries`.
    static func make(_ offset: Offset, _ entries: inout Entries, in store: any PartitionStore) {
        var random = Generator(seed: UInt64(offset))
        for _ in 0..<20 {
            let key = Array("stream-\(random.below(keys))".utf8)
            if random.below(8) == 0 {
                entries[key] = nil
                store.remove(key)
            } else {
                let value = (0..<40).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
                entries[key] = value
                store.put(key, value)
            }
        }
    }

    /// Writes `offsets`, and returns what the store has after each.
    static func fill(_ store: any PartitionStore, _ offsets: ClosedRange<Offset>) throws -> [Offset: Entries] {
        var entries: Entries = [:]
        var states: [Offset: Entries] = [:]
        for offset in offsets {
            make(offset, &entries, in: store)
            try store.write(stored(offset))
            states[offset] = entries
        }
        return states
    }

    /// What a store has after the writes up to `offset`.
    static func expected(_ offset: Offset) -> Entries {
        var entries: Entries = [:]
        for offset in 1...max(1, offset) { make(offset, &entries, in: Nowhere()) }
        return entries
    }
}

/// A store that forgets.
private final class Nowhere: PartitionStore {
    var position: StoredPosition? { nil }
    var bytesOnDisk: Int { 0 }
    func put(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {}
    func remove(key: UnsafeRawBufferPointer) {}
    func startWrite(_ position: StoredPosition) throws {}
    func isWritten(waits: Bool) throws -> Bool { true }
    func read(key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool { false }
    func scan(
        prefix: [UInt8], after: [UInt8]?, limit: Int,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
    ) throws -> [UInt8]? { nil }
    func close() {}
}

func sluiceError(_ body: () throws -> Void) -> SluiceError? {
    do {
        try body()
        return nil
    } catch { return error as? SluiceError }
}
