internal import CStepKernel

/// Asks for `count` bytes to be brought into the cache, some work ahead of their use.
@inline(__always)
public func prefetch(_ start: UnsafeRawPointer, count: Int) {
    unsafe sluice_prefetch(start, count)
}
