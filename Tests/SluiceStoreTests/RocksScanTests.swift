import Foundation
import SluiceCore
import SluiceState
import Testing

@testable import SluiceStore

@Suite struct RocksScanTests {
    /// In the order of their bytes.
    private static let keys: [[UInt8]] = [
        [], [0], [0, 0], [0, 1], [1], [0x61], [0x61, 0], [0x61, 0xFE], [0x61, 0xFE, 0xFF], [0x61, 0xFF],
        [0x61, 0xFF, 0xFF], [0x61, 0xFF, 0xFF, 0], [0x62], [0xFE], [0xFE, 0xFF], [0xFE, 0xFF, 0xFF], [0xFF],
        [0xFF, 0x63, 0], [0xFF, 0x63, 9], [0xFF, 0x68], [0xFF, 0x70, 0], [0xFF, 0xFF], [0xFF, 0xFF, 0xFF],
    ]

    private static func filled(_ folder: TemporaryFolder) throws -> any PartitionStore {
        let store = try folder.stores().open(0)
        for key in keys.reversed() { store.put(key, key + [1]) }
        try store.write(stored(1))
        return store
    }

    @Test func entriesComeInTheOrderOfTheirBytes() throws {
        let folder = try TemporaryFolder()
        let store = try Self.filled(folder)
        let (keys, last) = try store.keys()
        #expect(keys == Self.keys)
        #expect(last == nil)
        #expect(try store.entries().allSatisfy { $0.value == $0.key + [1] })
    }

    @Test func everyPrefixAfterAndLimitGivesWhatTheListDoes() throws {
        let folder = try TemporaryFolder()
        let store = try Self.filled(folder)
        let afters: [[UInt8]?] = [nil] + Self.keys + [[0x61, 1], [0xFF, 0x70], [0x5F]]
        for prefix in Self.keys + [[0x63], [0xFF, 0x63], [0xFE, 0xFE], [0xFF, 0x70]] {
            for after in afters {
                let all = Self.keys.filter { key in
                    key.starts(with: prefix) && (after.map { $0.lexicographicallyPrecedes(key) } ?? true)
                }
                for limit in [1, 2, 5, all.count, .max] where limit > 0 {
                    let (keys, last) = try store.keys(prefix, after: after, limit: limit)
                    #expect(keys == Array(all.prefix(limit)), "\(prefix) after \(String(describing: after)), \(limit)")
                    #expect(last == (all.count > limit ? keys.last : nil))
                }
            }
        }
    }

    @Test func pagesJoinToTheWhole() throws {
        let folder = try TemporaryFolder()
        let store = try Self.filled(folder)
        for limit in 1...Self.keys.count {
            var (joined, after): ([[UInt8]], [UInt8]?) = ([], nil)
            repeat {
                let page = try store.keys(after: after, limit: limit)
                joined += page.keys
                after = page.last
            } while after != nil
            #expect(joined == Self.keys)
        }
    }

    @Test func thePositionIsNeitherReadNorScanned() throws {
        let folder = try TemporaryFolder()
        let store = try Self.filled(folder)
        #expect(try store.value(StoredPosition.key) == nil)
        #expect(try !store.keys([0xFF]).keys.contains(StoredPosition.key))
        #expect(try store.keys(StoredPosition.key).keys == [[0xFF, 0x70, 0]])
        #expect(try store.value([0xFF, 0x68]) == [0xFF, 0x68, 1])
    }

    @Test func aScanSeesTheStoreAsItWasAndMayPut() throws {
        let folder = try TemporaryFolder()
        let store = try folder.stores().open(0)
        let states = try Writes.fill(store, 1...100)
        var seen: Entries = [:]
        _ = try store.scan(prefix: [], after: nil, limit: .max) { key, value in
            seen[Array(key)] = Array(value)
            store.remove(key: key)
        }
        #expect(seen == states[100])
        try store.write(stored(101))
        #expect(try store.entries().isEmpty)
    }

    @Test func whatTheBodyThrowsComesOut() throws {
        struct Stop: Error {}
        let folder = try TemporaryFolder()
        let store = try Self.filled(folder)
        #expect(throws: Stop.self) {
            _ = try store.scan(prefix: [], after: nil, limit: .max) { _, _ in throw Stop() }
        }
        #expect(throws: Stop.self) {
            _ = try [UInt8(0x61)].withUnsafeBytes { try store.read(key: $0) { _ in throw Stop() } }
        }
        try store.write(stored(2))
        store.close()
    }
}
