import Foundation
import SluiceCore
import SluiceState
import SluiceTestKit
import Testing

@testable import SluiceStore

/// A damaged store is what it was at some write, or says that it is damaged; it is never anything else.
@Suite struct RocksDamageTests {
    private enum Outcome { case whole, older, refused }

    private static let last: Offset = 150
    private static let durabilities: [WriteDurability] = [.synced, .cached]

    /// A store with tables, a log of writes that has not been flushed, and what it was after each write.
    private static func filled(
        _ folder: TemporaryFolder, _ durability: WriteDurability
    ) throws -> (files: [String: Data], states: [Offset: Entries]) {
        let store = try folder.stores(durability).open(0)
        var states = try Writes.fill(store, 1...last)
        states[0] = [:]
        store.close()
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: partition(folder)) where name != "LOCK" {
            files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(partition(folder))/\(name)"))
        }
        return (files, states)
    }

    private static func partition(_ folder: TemporaryFolder) -> String { folder.path + "/state/observations-0" }

    /// Opens a store of these files and reads all of it, in both ways.
    private static func outcome(
        _ files: [String: Data], _ states: [Offset: Entries], _ durability: WriteDurability, _ what: String
    ) throws -> Outcome {
        let folder = try TemporaryFolder()
        let stores = try folder.stores(durability)
        try FileManager.default.createDirectory(atPath: partition(folder), withIntermediateDirectories: true)
        for (name, bytes) in files {
            try bytes.write(to: URL(fileURLWithPath: "\(partition(folder))/\(name)"))
        }
        var store: (any PartitionStore)?
        do {
            let opened = try stores.open(0)
            store = opened
            let offset = opened.position?.offset ?? 0
            if let position = opened.position { #expect(position == stored(offset), "\(what)") }
            #expect(try opened.entries() == states[offset], "\(what)")
            let read = try (states[offset] ?? [:]).allSatisfy { key, value in try opened.value(key) == value }
            #expect(read, "\(what)")
            opened.close()
            return offset == last ? .whole : .older
        } catch let error as SluiceError {
            store?.close()
            #expect(error.code == .invalidState, "\(what): \(error)")
            #expect(error.description.contains(partition(folder)), "\(what): \(error)")
            try stores.discard(0)
            #expect(try stores.open(0).entries().isEmpty, "\(what)")
            return .refused
        }
    }

    @Test(arguments: durabilities) func flippedBytesAreNeverWrongEntries(_ durability: WriteDurability) throws {
        let folder = try TemporaryFolder()
        let (files, states) = try Self.filled(folder, durability)
        let kinds = ["CURRENT", "MANIFEST", ".sst", durability == .synced ? ".log" : ".sst"]
        var refused = 0
        for seed in 0..<120 as Range<UInt64> {
            var random = Generator(seed: seed)
            let kind = kinds[Int(seed) % kinds.count]
            let matching = files.filter { $0.key.contains(kind) && !$0.value.isEmpty }.keys.sorted()
            try #require(!matching.isEmpty, "no file of \(kind)")
            let name = matching[random.below(matching.count)]
            var damaged = files
            let place = random.below(files[name]?.count ?? 0)
            let mask = UInt8(1 + random.below(255))
            damaged[name]?[place] ^= mask
            let what = "seed \(seed), \(name) at \(place) ^ \(mask)"
            if try Self.outcome(damaged, states, durability, what) == .refused { refused += 1 }
        }
        #expect(refused > 30)
    }

    /// A record that says it is longer than the file looks like one that was torn, and what is behind it like nothing.
    @Test(arguments: durabilities) func damageAtTheEndOfAFileIsNeverAGap(_ durability: WriteDurability) throws {
        let folder = try TemporaryFolder()
        let (files, states) = try Self.filled(folder, durability)
        for name in files.keys.sorted() where name.contains("MANIFEST") || name.hasSuffix(".log") {
            let count = files[name]?.count ?? 0
            for place in max(0, count - 160)..<count {
                var damaged = files
                damaged[name]?[place] ^= 0xFF
                _ = try Self.outcome(damaged, states, durability, "\(name) at \(place) of \(count)")
            }
        }
    }

    @Test(arguments: durabilities) func missingAndShortFilesAreNeverAGap(_ durability: WriteDurability) throws {
        let folder = try TemporaryFolder()
        let (files, states) = try Self.filled(folder, durability)
        #expect(try Self.outcome(files, states, durability, "undamaged") == .whole)
        for name in files.keys.sorted() where !name.hasPrefix("LOG") && !name.hasPrefix("OPTIONS") {
            var damaged = files
            damaged[name] = nil
            let outcome = try Self.outcome(damaged, states, durability, "without \(name)")
            if name == "CURRENT" || name.hasSuffix(".sst") { #expect(outcome == .refused, "without \(name)") }
            guard let whole = files[name], !name.contains("MANIFEST") else { continue }
            for seed in 0..<10 as Range<UInt64> where !whole.isEmpty {
                var random = Generator(seed: seed)
                damaged[name] = whole.prefix(random.below(whole.count))
                _ = try Self.outcome(damaged, states, durability, "\(name) cut to \(damaged[name]?.count ?? 0)")
            }
        }
    }

    @Test func aPositionThatIsDamagedOrMissingIsRefused() throws {
        var arena = ByteArena()
        stored(3).write(to: &arena)
        let whole = Array(arena.bytes)
        #expect(whole.withUnsafeBytes { StoredPosition($0) } == stored(3))
        for place in whole.indices {
            for mask in [1, 0x80, 0xFF] as [UInt8] {
                var damaged = whole
                damaged[place] ^= mask
                #expect(damaged.withUnsafeBytes { StoredPosition($0) } == nil)
            }
            #expect(whole[..<place].withUnsafeBytes { StoredPosition($0) } == nil)
        }
        #expect((whole + [0]).withUnsafeBytes { StoredPosition($0) } == nil)
        for batch in [[StoredPosition.key], [[1]]] {
            let folder = try TemporaryFolder()
            let stores = try folder.stores()
            try Self.write(batch, to: folder)
            let refusal = try #require(sluiceError { _ = try stores.open(0) })
            #expect(refusal.code == .invalidState && refusal.message.contains(Self.partition(folder)))
        }
    }

    /// As it was written before it said with how many partitions.
    @Test func aPositionOfVersionOneIsRead() throws {
        var arena = ByteArena()
        stored(3).write(to: &arena)
        var old = Array(arena.bytes.dropLast(8))
        old[0] = 1
        old.removeSubrange(54..<58)
        withUnsafeBytes(of: old.withUnsafeBytes { xxHash64($0) }.littleEndian) { old += $0 }
        var expected = stored(3)
        expected.partitions = nil
        #expect(old.withUnsafeBytes { StoredPosition($0) } == expected)
        old[0] = 3
        #expect(old.withUnsafeBytes { StoredPosition($0) } == nil)
    }

    /// Past the store, which writes no entry without its position.
    private static func write(_ keys: [[UInt8]], to folder: TemporaryFolder) throws {
        let options = RocksOptions(cache: BlockCache(bytes: 1 << 20))
        try FileManager.default.createDirectory(atPath: folder.path + "/state", withIntermediateDirectories: true)
        let database = try RocksDatabase(partition(folder), options, isSynced: true)
        let batch = RocksBatch()
        for key in keys { key.withUnsafeBytes { batch.put($0, $0) } }
        try database.write(batch)
    }
}
