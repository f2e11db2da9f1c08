internal import CXXHash

/// XXH64 of some bytes: the slot index's hash, the checksum of snapshots and the key of random draws.
/// One fixed function everywhere, never Swift's seeded `Hasher`, so that files and draws agree between machines.
public func xxHash64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    XXH64(bytes.baseAddress, bytes.count, seed)
}

/// `memcmp`, for modules that import no C library.
@inline(__always)
public func memcmpBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Int32 { memcmp(a, b, count) }
