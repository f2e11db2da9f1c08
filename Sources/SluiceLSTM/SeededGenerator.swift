internal import SluiceNumerics

/// SplitMix64 (Steele, Lea, Flood 2014): its n-th draw is a mix of key + n · γ, so a draw depends on the seed, the
/// stream and its number alone. Each use of randomness has a stream of its own, and each epoch another key, so that
/// resuming needs no generator state.
public struct SeededGenerator {
    /// What the draws are for.
    public enum Stream: UInt64 {
        case weights = 1
        case shuffle, holdOut, dropout, initialState
        /// Made-up data.
        case experiment
        /// Configurations of a search.
        case tuning
    }

    private var state: UInt64

    public init(seed: UInt64, stream: Stream, index: Int = 0) {
        state = Self.mix(Self.mix(seed) ^ Self.mix(stream.rawValue << 48 ^ UInt64(index)))
    }

    /// The generator of one more key: a draw of its own for each list of keys, in any order, without those before it.
    public func forked(_ key: UInt64) -> SeededGenerator {
        var fork = self
        fork.state = Self.mix(state ^ Self.mix(key &+ 0x9E37_79B9_7F4A_7C15))
        return fork
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// Uniform in [-bound, bound), a multiple of 2⁻²³ · bound.
    public mutating func uniform(_ bound: Float) -> Float {
        (Float(next() >> 40) * 0x1p-23 - 1) * bound
    }

    /// Of mean 0 and deviation 1 (Marsaglia's polar method; one of its two draws).
    public mutating func normal() -> Float {
        while true {
            let (u, v) = (uniform(1), uniform(1))
            let square = u * u + v * v
            if square > 0, square < 1 { return u * (-2 * Activation.log(square) / square).squareRoot() }
        }
    }

    /// Uniform in 0..<bound, without bias (Lemire's rejection).
    public mutating func index(below bound: Int) -> Int {
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        while product.low < (0 &- bound) % bound { product = next().multipliedFullWidth(by: bound) }
        return Int(product.high)
    }

    /// Fisher and Yates, spelled out because the standard library does not promise the order of its own.
    public mutating func shuffle<T>(_ values: inout [T]) {
        for last in stride(from: values.count - 1, to: 0, by: -1) { values.swapAt(last, index(below: last + 1)) }
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
