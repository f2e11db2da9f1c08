/// The pinned sigmoid and tanh, one number at a time. Each operation rounds once; the kernel does the same on vectors.
extension Float: ReferenceScalar {
    /// 1 / (1 + e⁻ˣ), x clamped to ±87 so that no subnormal arises.
    public static func sigmoid(_ x: Float) -> Float {
        let clamped: Float = x > 87 ? 87 : x < -87 ? -87 : x
        let (n, r) = reduced(-clamped)
        return 1 / Float(1).addingProduct(powerOfTwo(n), 1 + expMinusOne(r))
    }

    /// e / (e + 2) with e = e^2|x| − 1, and the sign of x.
    public static func tanh(_ x: Float) -> Float {
        let magnitude = x.magnitude > 9.5 ? 9.5 : x.magnitude
        let (n, r) = reduced(magnitude + magnitude)
        let power = powerOfTwo(n)
        let e = (power - 1).addingProduct(power, expMinusOne(r))
        return Float(signOf: x, magnitudeOf: e / (e + 2))
    }

    /// x = n ln 2 + r, n whole, |r| ≤ ln 2 / 2, ln 2 in two parts.
    private static func reduced(_ x: Float) -> (n: Float, r: Float) {
        let shift: Float = 0x1.8p+23
        let n = shift.addingProduct(x, 0x1.715476p+0) - shift
        return (n, x.addingProduct(n, -0x1.62e430p-1).addingProduct(n, 0x1.05c610p-29))
    }

    /// 2ⁿ; NaN stays NaN.
    private static func powerOfTwo(_ n: Float) -> Float {
        n.isNaN ? n : Float(sign: .plus, exponent: Int(n), significand: 1)
    }

    /// eʳ − 1 for |r| ≤ ln 2 / 2: r + r² p(r).
    private static func expMinusOne(_ r: Float) -> Float {
        let coefficients: [Float] = [0x1.123988p-7, 0x1.5558b0p-5, 0x1.555492p-3, 0x1.fffffcp-2]
        let p = coefficients.reduce(0x1.6a4ce4p-10) { $1.addingProduct($0, r) }
        return r.addingProduct(r * r, p)
    }
}
