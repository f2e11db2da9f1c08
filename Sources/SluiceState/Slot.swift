import SluiceCore
import SluiceLSTM

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
    /// `mean [I]`, `variance [I]` Double, `carried [I]` Float, `count [I]` UInt16, as snapshots have them; aligned to 4
    /// bytes.
    @inline(__always)
    var features: UnsafeMutableRawPointer { unsafe base + layout.featureOffset }
    @inline(__always)
    private func mean(_ input: Int) -> UnsafeMutableRawPointer { unsafe features + 8 * input }
    @inline(__always)
    private func variance(_ input: Int) -> UnsafeMutableRawPointer {
        unsafe features + 8 * (layout.shape.inputs + input)
    }
    @inline(__always)
    private func count(_ input: Int) -> UnsafeMutableRawPointer {
        unsafe features + 20 * layout.shape.inputs + 2 * input
    }
    @inline(__always)
    private func carriedValue(_ input: Int) -> UnsafeMutableRawPointer {
        unsafe features + 16 * layout.shape.inputs + 4 * input
    }

    @inline(__always)
    public func statistics(_ input: Int) -> StreamStatistics {
        unsafe StreamStatistics(
            count: count(input).load(as: UInt16.self), mean: mean(input).loadUnaligned(as: Double.self),
            variance: variance(input).loadUnaligned(as: Double.self))
    }

    @inline(__always)
    public func store(_ statistics: StreamStatistics, _ input: Int) {
        unsafe mean(input).storeBytes(of: statistics.mean, as: Double.self)
        unsafe variance(input).storeBytes(of: statistics.variance, as: Double.self)
        unsafe count(input).storeBytes(of: statistics.count, as: UInt16.self)
    }

    /// The last present value since the boundary, NaN for none.
    @inline(__always)
    public func carried(_ input: Int) -> Float { unsafe carriedValue(input).load(as: Float.self) }

    @inline(__always)
    public func carry(_ value: Float, _ input: Int) {
        unsafe carriedValue(input).storeBytes(of: value, as: Float.self)
    }
}
