/// How surprising an observation is: 16 one-octave integer bins of the nonconformity r, from 2⁻¹⁰ to 2⁶, clamped.
///
/// The score is the share of earlier r below this one, linear within its bin; it does not forget suddenly, because all
/// bins are halved when their sum reaches 4096. Integers only, so it is the same on every machine.
public struct AnomalyBins: Sendable {
    public static let minimumTotal = 64
    private static let halvingTotal = 4096
    public var counts = InlineArray<16, UInt16>(repeating: 0)

    public init() {}

    private var total: Int { (0..<16).reduce(0) { $0 + Int(counts[$1]) } }
    /// What `score` keeps to.
    var isPlausible: Bool { total < Self.halvingTotal }

    /// Scores `r` against what came before, then adds it. Nil until 64 values are known.
    ///
    /// - Parameter r: not negative, not NaN.
    public mutating func score(adding r: Double) -> Float? {
        var total = 0
        for bin in 0..<16 { total += Int(counts[bin]) }
        let bin = Self.bin(of: r)
        var score: Float?
        if total >= Self.minimumTotal {
            var below = 0
            for lower in 0..<bin { below += Int(counts[lower]) }
            score = Float((Double(below) + Double(counts[bin]) * Self.fraction(of: r, in: bin)) / Double(total))
        }
        counts[bin] += 1
        if total + 1 >= Self.halvingTotal {
            for bin in 0..<16 { counts[bin] /= 2 }
        }
        return score
    }

    static func bin(of r: Double) -> Int {
        guard r >= 0x1p-10 else { return 0 }
        guard r < 0x1p6 else { return 15 }
        return Int(r.exponent) + 10
    }

    /// How far `r` lies into its octave, 0 to 1.
    static func fraction(of r: Double, in bin: Int) -> Double {
        let low = Double(sign: .plus, exponent: bin - 10, significand: 1)
        let position = (r - low) / low
        return position < 0 ? 0 : position > 1 ? 1 : position
    }
}
