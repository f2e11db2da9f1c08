import Glibc
import SluiceCore
import SluiceFiles

/// What RocksDB 7.8 does not see in the files of a database that it opens.
enum RocksFiles {
    /// - Throws: `state-invalid`, `file`.
    static func check(_ path: String) throws {
        let current = path + "/CURRENT"
        guard let name = try FileBytes.read(current, limit: 4_096) else { return try checkEmpty(path) }
        let manifest = String(decoding: name.dropLast(), as: UTF8.self)
        guard manifest.wholeMatch(of: /MANIFEST-[0-9]+/) != nil else {
            throw RocksError.invalid(path, RocksError("CURRENT names no manifest"))
        }
        let isWhole = unsafe try FileBytes.withMapped("\(path)/\(manifest)") { unsafe Self.isWhole($0) }
        // One that is missing RocksDB reports.
        guard isWhole ?? true else { throw RocksError.invalid(path, RocksError("\(manifest) ends within a record")) }
    }

    /// RocksDB takes a folder without `CURRENT` for a new database, whatever else is in it.
    private static func checkEmpty(_ path: String) throws {
        guard unsafe rmdir(path) != 0, errno == ENOTEMPTY || errno == EEXIST else { return }
        throw RocksError.invalid(path, RocksError("CURRENT is missing"))
    }

    /// Whether a manifest ends where its last record does.
    ///
    /// A record whose damaged length reaches behind the end RocksDB takes for one that was torn, and drops with all
    /// that follow, although the writes they told of are no longer in the write-ahead log: a gap. The format is that of
    /// LevelDB's logs (its `doc/log_format.md`): blocks of 32 KB; records of CRC UInt32, length UInt16, type UInt8 and
    /// content, none across two blocks; types 1 whole, 2 first, 3 middle, 4 last.
    static func isWhole(_ manifest: UnsafeRawBufferPointer) -> Bool {
        let (block, header) = (32 << 10, 7)
        var (position, type) = (0, UInt8(0))
        while position < manifest.count {
            let rest = min(block - position % block, manifest.count - position)
            guard rest >= header else {
                guard position % block + rest == block else { return false }
                position += rest
                continue
            }
            let length = unsafe Int(manifest[position + 4]) | Int(manifest[position + 5]) << 8
            unsafe type = manifest[position + 6]
            guard header + length <= rest else { return false }
            position += header + length
        }
        return type == 1 || type == 4
    }
}
