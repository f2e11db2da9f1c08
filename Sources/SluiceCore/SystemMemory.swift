internal import CXXHash

/// `mmap`, for modules that import no C library: pages of the system's own, zero, taken only as they are touched, and
/// given back when they are unmapped; without the header of a block of `malloc`, which begins one more page. Of a
/// multiple of the system's page size nothing is lost.
public func mapMemory(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != UnsafeMutableRawPointer(bitPattern: -1) else { preconditionFailure("out of memory") }
    return memory
}

/// Of `mapMemory` alone.
public func unmapMemory(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) { munmap(memory, byteCount) }

/// Gives the system back what was freed, so that the process's size is that of what it holds.
public func returnFreedMemory() { malloc_trim(0) }

/// So many heaps of the C library's at most where it would make eight for each processor: each keeps what was freed in
/// it. To be called before there are threads.
public func limitHeaps(to count: Int) { mallopt(M_ARENA_MAX, CInt(clamping: count)) }
