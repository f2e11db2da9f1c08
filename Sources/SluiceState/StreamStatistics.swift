/// The running mean and variance of one feature of one stream (`training.md`, "Scaling"): double precision, + − × ÷ √
/// only, in offset order, so that every machine gets the same bits.
public struct StreamStatistics: Equatable {
    public static let countMaximum: UInt16 = 4096
    /// Values before a stream counts as warm.
    public static let warmCount: UInt16 = 16

    public var count: UInt16
    public var mean: Double
    public var variance: Double

    public init(count: UInt16 = 0, mean: Double = 0, variance: Double = 0) {
        self.count = count
        self.mean = mean
        self.variance = variance
    }

    /// Takes a present value in.
    @inline(__always)
    public mutating func add(_ value: Float) {
        count = count < Self.countMaximum ? count + 1 : Self.countMaximum
        let n = Double(count)
        let d = Double(value) - mean
        mean += d / n
        variance = (1 - 1 / n) * (variance + d * d / n)
    }

    /// s, the scale; a degenerate one counts as the floor below.
    @inline(__always)
    public var scale: Double {
        let s = variance.squareRoot()
        let floor = Self.floor(mean)
        return s <= floor ? floor : s
    }

    /// The value in units of s, rounded once; 0 where s is degenerate.
    @inline(__always)
    public func scaled(_ value: Float) -> Float {
        Self.scaled(value, mean: mean, scale: variance.squareRoot())
    }

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
