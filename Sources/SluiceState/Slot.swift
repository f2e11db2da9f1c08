import SluiceCore

/// Typed pointers into one slot's block; see `SlotLayout`. Valid as long as its table.
@safe public struct Slot {
    public let base: UnsafeMutableRawPointer
    public let layout: SlotLayout

    @inline(__always)
    init(base: UnsafeMutableRawPointer, layout: SlotLayout) {
        unsafe self.base = unsafe base
        self.layout = layout
    }

    /// `[L][h, c][Hp]`.
    @inline(__always)
    public var state: UnsafeMutablePointer<Float> { unsafe base.assumingMemoryBound(to: Float.self) }
    @inline(__always)
    public var scalars: UnsafeMutableRawPointer { unsafe base + layout.stateBytes }
    @inline(__always)
    public var header: UnsafeMutablePointer<SlotHeader> { unsafe scalars.assumingMemoryBound(to: SlotHeader.self) }
    /// `[R][T] (value, width)`.
    @inline(__always)
    public var ring: UnsafeMutablePointer<Float> {
        unsafe (base + layout.ringOffset).assumingMemoryBound(to: Float.self)
    }
}

/// Typed pointers into a scalar block, in a slot or in the staging row of a step.
@safe public struct SlotScalars {
    public let base: UnsafeMutableRawPointer
    public let layout: SlotLayout

    @inline(__always)
    public init(base: UnsafeMutableRawPointer, layout: SlotLayout) {
        unsafe self.base = unsafe base
        self.layout = layout
    }

    @inline(__always)
    public var header: UnsafeMutablePointer<SlotHeader> { unsafe base.assumingMemoryBound(to: SlotHeader.self) }
    /// `[I]`.
    @inline(__always)
    public var means: UnsafeMutablePointer<Double> {
        unsafe (base + layout.meanOffset).assumingMemoryBound(to: Double.self)
    }
    /// `[I]`.
    @inline(__always)
    public var variances: UnsafeMutablePointer<Double> {
        unsafe (base + layout.varianceOffset).assumingMemoryBound(to: Double.self)
    }
    /// `[I]`: last present value since the boundary, NaN for none.
    @inline(__always)
    public var carried: UnsafeMutablePointer<Float> {
        unsafe (base + layout.carriedOffset).assumingMemoryBound(to: Float.self)
    }
    /// `[I]`.
    @inline(__always)
    public var counts: UnsafeMutablePointer<UInt16> {
        unsafe (base + layout.countOffset).assumingMemoryBound(to: UInt16.self)
    }

    @inline(__always)
    public func statistics(_ input: Int) -> StreamStatistics {
        unsafe StreamStatistics(count: counts[input], mean: means[input], variance: variances[input])
    }

    @inline(__always)
    public func store(_ statistics: StreamStatistics, _ input: Int) {
        unsafe counts[input] = statistics.count
        unsafe means[input] = statistics.mean
        unsafe variances[input] = statistics.variance
    }
}
