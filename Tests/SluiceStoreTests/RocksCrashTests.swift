import Foundation
import SluiceCore
import SluiceState
import Synchronization
import Testing

@testable import SluiceStore

/// Crashes, full disks and other processes, each in a child process.
@Suite struct RocksCrashTests {
    @Test func aStoreThatIsOpenIsOpenedByNoOther() throws {
        let folder = try TemporaryFolder()
        let stores = try folder.stores()
        let store = try stores.open(0)
        let refusal = try #require(sluiceError { _ = try stores.open(0) })
        #expect(refusal.code == .file && refusal.message.contains("observations-0"))
        store.close()
        #expect(sluiceError { _ = try stores.open(0) } == nil)
    }

    /// Past the claim on the directory: a link from another one.
    @Test func aStoreThatAnotherProcessHoldsIsNotOpened() async throws {
        let folder = try TemporaryFolder()
        let store = try folder.stores().open(0)
        _ = try Writes.fill(store, 1...3)
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let other = path + "/other"
            let directory = try StateDirectory(other, identity: identity)
            try FileManager.default.createSymbolicLink(
                atPath: other + "/observations-0", withDestinationPath: path + "/state/observations-0")
            let refusal = sluiceError { _ = try directory.makeStores(.synced).open(0) }
            #expect(refusal?.code == .file)
            #expect(refusal?.message.contains("in use") == true)
        }
        _ = try Writes.fill(store, 1...3)
    }

    @Test func afterAKillAmidWritesEveryWriteIsWholeOrNotThere() async throws {
        for acknowledged in [1, 30, 90] {
            let folder = try TemporaryFolder()
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = folder.path as String, acknowledged = acknowledged as Int] in
                let store = try Self.open(path, .synced)
                let count = Atomic<Int>(0)
                let killer = Thread { kill(getpid(), SIGKILL) }
                var entries: Entries = [:]
                for offset in 1...100_000 as ClosedRange<Offset> {
                    Writes.make(offset, &entries, in: store)
                    if count.load(ordering: .relaxed) == acknowledged { killer.start() }
                    try store.write(stored(offset))
                    count.add(1, ordering: .relaxed)
                }
            }
            let store = try folder.stores().open(0)
            let offset = try #require(store.position?.offset)
            #expect(offset >= acknowledged, "what was acknowledged is there")
            #expect(store.position == stored(offset))
            #expect(try store.entries() == Writes.expected(offset))
        }
    }

    @Test func afterAKillACacheStandsAtAnEarlierWrite() async throws {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
            let store = try Self.open(path, .cached)
            _ = try Writes.fill(store, 1...200)
            kill(getpid(), SIGKILL)
        }
        let store = try folder.stores(.cached).open(0)
        let offset = store.position?.offset ?? 0
        #expect(offset <= 200)
        #expect(try store.entries() == (offset == 0 ? [:] : Writes.expected(offset)))
    }

    /// A limit on the size of files stands for a disk that is full: it fails the same calls.
    @Test func whatAFullDiskRefusedIsWrittenWhenThereIsRoom() async throws {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let store = try Self.open(path, .synced)
            let states = try Writes.fill(store, 1...20)
            Self.limitFiles(to: 4 << 10)
            var entries = try #require(states[20])
            Writes.make(21, &entries, in: store)
            for _ in 0..<3 {
                let refusal = sluiceError { try store.write(stored(21)) }
                #expect(refusal?.code == .file && refusal?.retry == .later, "\(String(describing: refusal))")
            }
            Self.limitFiles(to: nil)
            try store.write(stored(21))
            #expect(store.position == stored(21))
            #expect(try store.entries() == entries)
            Writes.make(22, &entries, in: store)
            try store.write(stored(22))
            store.close()
        }
        #expect(try folder.stores().open(0).entries() == Writes.expected(22))
    }

    /// What was in memory alone is lost with the write that failed; the store says so instead of going on with a gap.
    @Test func aCacheThatAFullDiskSetBackIsRefused() async throws {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            let store = try Self.open(path, .cached)
            var entries = try #require(try Writes.fill(store, 1...20)[20])
            Self.limitFiles(to: 4 << 10)
            var offset: Offset = 20
            var refusal: SluiceError?
            while refusal == nil, offset < 10_000 {
                offset += 1
                Writes.make(offset, &entries, in: store)
                refusal = sluiceError { try store.write(stored(offset)) }
            }
            #expect(refusal?.code == .file && refusal?.retry == .later, "\(String(describing: refusal))")
            Self.limitFiles(to: nil)
            if let again = sluiceError({ try store.write(stored(offset)) }) {
                #expect(again.code == .invalidState, "\(again)")
            } else {
                #expect(try store.entries() == entries)
            }
        }
    }

    private static func open(_ path: String, _ durability: WriteDurability) throws -> any PartitionStore {
        let directory = try StateDirectory(path + "/state", identity: identity)
        return try RocksStores(directory: directory, durability: durability, writeBufferBytes: 64 << 10).open(0)
    }

    private static func limitFiles(to bytes: UInt64?) {
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        limit.rlim_cur = bytes.map { rlim_t($0) } ?? limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    }
}
