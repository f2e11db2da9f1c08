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
    /// What there is of each feature, `[I]`.
    @inline(__always)
    var features: UnsafeMutableRawPointer { unsafe base + layout.featureOffset }

    /// A feature's mean with, in the bits that this leaves free, its count; then deviation and carried value, Floats.
    @inline(__always)
    private func feature(_ input: Int) -> UnsafeMutableRawPointer {
        unsafe features + input * SlotLayout.featureBytes
    }

    @inline(__always)
    public func statistics(_ input: Int) -> StreamStatistics {
        let feature = unsafe feature(input)
        return unsafe StreamStatistics(
            meanAndCount: feature.loadUnaligned(as: UInt64.self),
            deviation: feature.load(fromByteOffset: 8, as: Float.self))
    }

    @inline(__always)
    public func store(_ statistics: StreamStatistics, _ input: Int) {
        let feature = unsafe feature(input)
        unsafe feature.storeBytes(of: statistics.meanAndCount, as: UInt64.self)
        unsafe feature.storeBytes(of: statistics.deviation, toByteOffset: 8, as: Float.self)
    }

    /// The last present value since the boundary, NaN for none.
    @inline(__always)
    public func carried(_ input: Int) -> Float { unsafe feature(input).load(fromByteOffset: 12, as: Float.self) }

    @inline(__always)
    public func carry(_ value: Float, _ input: Int) {
        unsafe feature(input).storeBytes(of: value, toByteOffset: 12, as: Float.self)
    }
}
