internal import CAllocationCounter

/// Heap allocations of the calling thread since it began, of Swift, C and C++ alike.
package func allocationCount() -> Int { Int(sluice_allocation_count()) }

/// Heap allocations of the calling thread while `body` runs.
package func allocations(_ body: () throws -> Void) rethrows -> Int {
    let before = allocationCount()
    try body()
    return allocationCount() - before
}

/// Bytes of heap that the calling thread asks for while `body` runs.
package func allocatedBytes(_ body: () throws -> Void) rethrows -> Int {
    let before = sluice_allocated_bytes()
    try body()
    return Int(sluice_allocated_bytes() - before)
}
