import SluiceCore
import SluiceSchema
import SluiceState

@testable import SluiceEngine
@testable import SluiceStore

/// Where a partition goes on, behind a byte that says what holds it: the local store, the metadata of a commit, or the
/// manifest that RocksDB opens the store by.
struct Positions: FuzzTarget {
    private static let block = 32 << 10

    static func seeds() -> [Seed] {
        var arena = ByteArena()
        let position = StoredPosition(
            identity: "a/b", offset: 7, replayFrom: 5, controlOffset: 3, changelogOffset: 9, modelHash: "5a",
            latest: 1_767_225_600_000, storedAt: 1_767_225_601_000, partitions: 6)
        position.write(to: &arena)
        // A whole record of three bytes, and one in two parts.
        let records: [[UInt8]] = [[0, 0, 0, 0, 3, 0, 1, 9, 9, 9], [0, 0, 0, 0, 1, 0, 2, 9, 0, 0, 0, 0, 0, 0, 4]]
        return [
            Seed("seed-position", [0] + Array(arena.bytes)),
            Seed("seed-commit-all", [1] + Array("sluice3 5 3 a/b 6 2".utf8)),
            Seed("seed-commit-before", [1] + Array("sluice2 5 3 ".utf8)),
            Seed("seed-manifest", [2] + records.flatMap(\.self)),
            Seed("seed-manifest-torn", [2] + records[1].prefix(8)),
        ]
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        guard let kind = bytes.first else { return }
        let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        switch kind % 3 {
        case 0:
            stored(Array(rest))
            var sealed = Array(rest)
            Sealing.seal(position: &sealed)
            stored(sealed)
        case 1: commit(String(decoding: rest, as: UTF8.self))
        default: manifest(rest)
        }
    }

    private func stored(_ bytes: [UInt8]) {
        guard let position = bytes.withUnsafeBytes({ StoredPosition($0) }) else { return }
        var arena = ByteArena()
        position.write(to: &arena)
        check(StoredPosition(arena.bytes) == position, "a position reads back as it is written")
    }

    private func commit(_ text: String) {
        guard let metadata = CommitMetadata(text) else { return }
        check(CommitMetadata(metadata.text) == metadata, "a commit's metadata reads back as it is written: \(text)")
    }

    /// A manifest that is whole stays so with a whole record behind it, where the block has room for it.
    private func manifest(_ bytes: UnsafeRawBufferPointer) {
        guard RocksFiles.isWhole(bytes), bytes.count % Self.block + 8 <= Self.block else { return }
        let longer = Array(bytes) + [0, 0, 0, 0, 1, 0, 1, 9]
        check(longer.withUnsafeBytes { RocksFiles.isWhole($0) }, "a whole record leaves a manifest whole")
    }
}
