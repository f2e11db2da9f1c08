/// The running mean and deviation of one feature of one stream (`training.md`, "Scaling"): double precision, + − × ÷ √
/// only, in offset order, so that every machine gets the same bits.
///
/// Between observations they are kept in 12 bytes: the mean with 40 significant bits, the deviation as Float. Values
/// are Floats, and a deviation below a millionth of the mean counts as none: with n ≤ 4096 what 40 bits keep a mean
/// from following is below 1/200 of the smallest deviation that counts, and a deviation is off by 1/4000 of itself at
/// most.
public struct StreamStatistics: Equatable {
    public static let countMaximum: UInt16 = 4096
    /// Values before a stream counts as warm.
    public static let warmCount: UInt16 = 16
    /// The bits of a mean that count for nothing, in which the count is kept.
    private static let countBits: UInt64 = 0x1FFF

    public private(set) var count: UInt16 = 0
    public private(set) var mean = 0.0
    /// √ of the variance.
    public private(set) var deviation: Float = 0

    public init() {}

    @inline(__always)
    init(meanAndCount: UInt64, deviation: Float) {
        count = UInt16(truncatingIfNeeded: meanAndCount & Self.countBits)
        mean = Double(bitPattern: meanAndCount & ~Self.countBits)
        self.deviation = deviation
    }

    @inline(__always)
    var meanAndCount: UInt64 { mean.bitPattern | UInt64(count) }

    /// Whether a slot can have come to these numbers.
    var isPlausible: Bool { mean.isFinite && deviation.isFinite && deviation >= 0 && count <= Self.countMaximum }

    /// Takes a present value in.
    @inline(__always)
    public mutating func add(_ value: Float) {
        count = count < Self.countMaximum ? count + 1 : Self.countMaximum
        let n = Double(count)
        let d = Double(value) - mean
        let s = Double(deviation)
        let variance = (1 - 1 / n) * (s * s + d * d / n)
        mean = Self.rounded(mean + d / n)
        deviation = min(Float(variance.squareRoot()), .greatestFiniteMagnitude)
    }

    /// The nearest number that leaves the count its bits; halfway between two the larger magnitude.
    @inline(__always)
    private static func rounded(_ mean: Double) -> Double {
        Double(bitPattern: (mean.bitPattern &+ (countBits + 1) / 2) & ~countBits)
    }

    /// s, the scale; a degenerate one counts as the floor below.
    @inline(__always)
    public var scale: Double {
        let s = Double(deviation)
        let floor = Self.floor(mean)
        return s <= floor ? floor : s
    }

    /// The value in units of s, rounded once; 0 where s is degenerate.
    @inline(__always)
    public func scaled(_ value: Float) -> Float { Self.scaled(value, mean: mean, scale: Double(deviation)) }

    @inline(__always)
    public static func scaled(_ value: Float, mean: Double, scale: Double) -> Float {
        scale <= floor(mean) ? 0 : Float((Double(value) - mean) / scale)
    }

    /// 1e-6 · max(|m|, 1e-6): below it a feature is constant.
    @inline(__always)
    public static func floor(_ mean: Double) -> Double {
        let magnitude = mean < 0 ? -mean : mean
        return 1e-6 * (magnitude > 1e-6 ? magnitude : 1e-6)
    }
}
