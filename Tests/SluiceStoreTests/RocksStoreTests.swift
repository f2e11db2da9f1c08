import Dispatch
import Foundation
import SluiceCore
import SluiceState
import Testing

@testable import SluiceStore

@Suite struct RocksStoreTests {
    @Test(arguments: [WriteDurability.synced, .cached])
    func whatIsWrittenIsThereAfterClosing(_ durability: WriteDurability) throws {
        let folder = try TemporaryFolder()
        do {
            let store = try folder.stores(durability).open(0)
            #expect(store.position == nil)
            #expect(try store.entries().isEmpty)
            store.put("a", "1")
            store.put("b", "2")
            store.put("", "")
            try store.write(stored(7))
            store.put("a", "3")
            store.remove("b")
            store.remove("never")
            try store.write(stored(8))
            store.close()
        }
        let store = try folder.stores(durability).open(0)
        #expect(store.position == stored(8))
        #expect(try store.text("a") == "3")
        #expect(try store.text("b") == nil)
        #expect(try store.text("") == "")
        #expect(try store.keys().keys == [[], Array("a".utf8)])
        #expect(store.bytesOnDisk > 0)
    }

    @Test(arguments: [WriteDurability.synced, .cached])
    func aWriteGoesOnBesideItsOwner(_ durability: WriteDurability) throws {
        let folder = try TemporaryFolder()
        do {
            let store = try folder.stores(durability).open(0)
            store.put("a", "1")
            try store.write(stored(7))
            store.put("a", "2")
            try store.startWrite(stored(8))
            #expect(store.position == stored(7), "until its owner has asked")
            let text = try store.text("a")
            #expect(text == "1" || text == "2")
            #expect(try store.isWritten(waits: true))
            #expect(store.position == stored(8))
            #expect(try store.text("a") == "2")
            #expect(try store.isWritten(waits: false), "nothing is under way")
            store.put("a", "3")
            try store.startWrite(stored(9))
            store.close()
        }
        let store = try folder.stores(durability).open(0)
        #expect(store.position == stored(9), "what was begun is waited for")
        #expect(try store.text("a") == "3")
    }

    @Test func aWriteBesideItsOwnerIsToldWhenItIsDone() throws {
        let folder = try TemporaryFolder()
        let stores = try folder.stores(.synced)
        let store = try stores.open(0)
        let told = DispatchSemaphore(value: 0)
        stores.onWritten { told.signal() }
        for offset: Offset in 1...20 {
            store.put("a", "\(offset)")
            try store.startWrite(stored(offset))
            try #require(told.wait(timeout: .now() + 20) == .success)
            #expect(try store.isWritten(waits: false))
        }
        store.close()
    }

    @Test(arguments: [WriteDurability.synced, .cached])
    func manyWritesOverManyFilesAreThere(_ durability: WriteDurability) throws {
        let folder = try TemporaryFolder()
        let last: Offset = 200
        do {
            let store = try folder.stores(durability).open(0)
            let states = try Writes.fill(store, 1...last)
            #expect(try store.entries() == states[last])
            store.close()
        }
        let store = try folder.stores(durability).open(0)
        #expect(store.position == stored(last))
        let expected = Writes.expected(last)
        #expect(try store.entries() == expected)
        for key in (0..<Writes.keys).map({ Array("stream-\($0)".utf8) }) {
            #expect(try store.value(key) == expected[key])
        }
    }

    /// A worker that was expelled from the group holds it until it polls again.
    @Test func aStoreThatIsHeldIsOpenedLater() throws {
        let folder = try TemporaryFolder()
        let stores = try folder.stores()
        let store = try stores.open(0)
        let refusal = #expect(throws: SluiceError.self) { try stores.open(0) }
        #expect(refusal?.code == .file && refusal?.retry == .later)
        store.close()
        try stores.open(0).close()
    }

    @Test func whatIsNotWrittenIsNotSeen() throws {
        let folder = try TemporaryFolder()
        do {
            let store = try folder.stores().open(0)
            store.put("a", "1")
            try store.write(stored(1))
            store.put("a", "2")
            store.put("b", "2")
            store.remove("a")
            #expect(try store.text("a") == "1")
            #expect(try store.text("b") == nil)
            #expect(store.position == stored(1))
            store.close()
        }
        let store = try folder.stores().open(0)
        #expect(try store.entries() == [Array("a".utf8): Array("1".utf8)])
        #expect(store.position == stored(1))
    }

    @Test func theLastOfAWriteCounts() throws {
        let folder = try TemporaryFolder()
        let store = try folder.stores().open(0)
        store.put("a", "1")
        store.remove("a")
        store.remove("b")
        store.put("b", "2")
        store.put("b", "3")
        try store.write(stored(1))
        #expect(try store.text("a") == nil)
        #expect(try store.text("b") == "3")
        try store.write(stored(2))
        #expect(store.position == stored(2))
    }

    @Test func aPositionOfAnyFieldsComesBack() throws {
        let folder = try TemporaryFolder()
        for position in [
            StoredPosition(offset: 0, replayFrom: 0, controlOffset: 0, modelHash: ""),
            StoredPosition(
                identity: String(repeating: "é", count: 300), offset: .max, replayFrom: .min, controlOffset: -1,
                changelogOffset: 1 << 40, modelHash: "m", latest: .absent, storedAt: 1),
        ] {
            do {
                let store = try folder.stores().open(0)
                try store.write(position)
                store.close()
            }
            #expect(try folder.stores().open(0).position == position)
        }
    }

    @Test func partitionsAreIndependent() throws {
        let folder = try TemporaryFolder()
        let stores = try folder.stores()
        let (one, two) = (try stores.open(1), try stores.open(2))
        one.put("a", "1")
        two.put("a", "2")
        two.put("b", "2")
        try one.write(stored(1))
        try two.write(stored(2))
        #expect(try one.text("a") == "1")
        #expect(try two.text("a") == "2")
        one.close()
        try stores.discard(1)
        #expect(try two.text("b") == "2")
        #expect(try stores.open(1).position == nil)
        #expect(two.position == stored(2))
    }

    @Test func whatIsDiscardedIsGoneAndItsFolderToo() throws {
        let folder = try TemporaryFolder()
        let stores = try folder.stores()
        try stores.discard(0)
        let store = try stores.open(0)
        _ = try Writes.fill(store, 1...50)
        store.close()
        let path = folder.path + "/state/observations-0"
        #expect(FileManager.default.fileExists(atPath: path))
        try stores.discard(0)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try stores.open(0).entries().isEmpty)
    }

    /// By the fields that tell times: a cache that is never full would else stand where it was opened.
    @Test func whatIsInMemoryIsWrittenToFilesInTime() throws {
        let folder = try TemporaryFolder()
        let store = try folder.stores(.cached).open(0)
        func write(_ minute: Int64) throws {
            var position = stored(minute)
            position.storedAt = 60_000 * minute
            store.put("a", "\(minute)")
            try store.write(position)
        }
        try write(10)
        try write(14)
        #expect(try !Self.hasTables(folder))
        try write(15)
        #expect(try Self.waitForTables(folder))
    }

    /// What is put and not yet written stays for the write that follows.
    @Test(arguments: [WriteDurability.synced, .cached])
    func whatGaveItsMemoryBackIsInFilesAndGoesOn(_ durability: WriteDurability) throws {
        let folder = try TemporaryFolder()
        let store = try folder.stores(durability, writeBufferBytes: 8 << 20).open(0)
        var entries = try #require(try Writes.fill(store, 1...3)[3])
        #expect(try !Self.hasTables(folder))
        store.releaseMemory()
        #expect(try Self.waitForTables(folder))
        Writes.make(4, &entries, in: store)
        store.releaseMemory()
        try store.write(stored(4))
        #expect(try store.entries() == entries)
    }

    private static func hasTables(_ folder: TemporaryFolder) throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state/observations-0")
            .contains { $0.hasSuffix(".sst") }
    }

    private static func waitForTables(_ folder: TemporaryFolder) throws -> Bool {
        let limit = ContinuousClock.now + .seconds(60)
        while try !hasTables(folder), .now < limit { usleep(1_000) }
        return try hasTables(folder)
    }
}
