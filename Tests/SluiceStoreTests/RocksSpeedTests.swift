import Foundation
import SluiceCore
import SluiceState
import SluiceTestKit
import Testing

@testable import SluiceStore

/// Prints how fast the store is; judges nothing by time. `SLUICE_EXHAUSTIVE=1 swift test -c release
/// -Xswiftc -enable-testing --filter RocksSpeedTests`.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["SLUICE_EXHAUSTIVE"] == "1"))
struct RocksSpeedTests {
    private static let count = 1_000_000
    private static let batch = 10_000
    /// As a snapshot of 64 hidden units: a head of which little changes, 128 floats, 60 bytes of the features.
    private static let valueBytes = 700

    @Test(arguments: [WriteDurability.synced, .cached]) func aMillionSlots(_ durability: WriteDurability) throws {
        let folder = try TemporaryFolder()
        let stores = try folder.open().makeStores(durability)
        var store = try stores.open(0)
        var random = Generator(seed: 1)
        var written: Offset = 0
        for pass in ["first", "replaced in random order"] {
            let time = try ContinuousClock().measure {
                for start in stride(from: 0, to: Self.count, by: Self.batch) {
                    for index in start..<start + Self.batch {
                        Self.put(written == 0 ? index : random.below(Self.count), &random, in: store)
                    }
                    try store.write(stored(Offset(start + 1)))
                }
            }
            written = Offset(Self.count)
            Self.report(durability, "write, \(pass)", Self.count, time, "\(store.bytesOnDisk / 1_000_000) MB")
        }
        let closing = ContinuousClock().measure { store.close() }
        Self.report(durability, "close", 1, closing)
        let opening = try ContinuousClock().measure { store = try stores.open(0) }
        Self.report(durability, "open", 1, opening)
        for _ in 0..<2 {
            var (entries, bytes) = (0, 0)
            let time = try ContinuousClock().measure {
                _ = try store.scan(prefix: [], after: nil, limit: .max) { _, value in
                    entries += 1
                    bytes += value.count
                }
            }
            #expect(entries == Self.count && bytes == Self.count * Self.valueBytes)
            Self.report(durability, "scan", entries, time, "\(store.bytesOnDisk / 1_000_000) MB")
        }
        let reads = 100_000
        var found = 0
        let time = try ContinuousClock().measure {
            for _ in 0..<reads {
                let isThere = try Self.withKey(random.below(Self.count)) { try store.read(key: $0) { _ in } }
                if isThere { found += 1 }
            }
        }
        #expect(found == reads)
        Self.report(durability, "random read", reads, time)
    }

    private static func withKey<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        // Spread over the alphabet, as keys that come in no order are: 7,919 is prime to a million.
        var key = "customer-" + String(1_000_000_000 + index * 7_919 % count)
        return try key.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
    }

    private static func put(_ index: Int, _ random: inout Generator, in store: any PartitionStore) {
        withUnsafeTemporaryAllocation(byteCount: valueBytes, alignment: 8) { value in
            value.initializeMemory(as: UInt8.self, repeating: 0)
            value.storeBytes(of: UInt64(index), toByteOffset: 12, as: UInt64.self)
            for unit in 0..<128 { value.storeBytes(of: random.float(), toByteOffset: 180 + 4 * unit, as: Float.self) }
            withKey(index) { store.put(key: $0, value: UnsafeRawBufferPointer(value)) }
        }
    }

    private static func report(
        _ durability: WriteDurability, _ what: String, _ count: Int, _ time: Duration, _ more: String = ""
    ) {
        let seconds = time / .seconds(1)
        print("store \(durability): \(what): \(count) in \(seconds) s, \(Int(Double(count) / seconds))/s \(more)")
    }
}
