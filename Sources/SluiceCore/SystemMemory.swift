internal import CXXHash

/// `calloc`, for modules that import no C library: of much memory the system makes each page zero when it is touched,
/// not all at once. Aligned for everything.
public func allocateZeroed(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard let memory = calloc(byteCount, 1) else { preconditionFailure("out of memory") }
    return memory
}

/// Of `allocateZeroed` alone.
public func freeZeroed(_ memory: UnsafeMutableRawPointer) { free(memory) }

/// Gives the system back what was freed, so that the process's size is that of what it holds.
public func returnFreedMemory() { malloc_trim(0) }
