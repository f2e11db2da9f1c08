/// SplitMix64: every draw of a run comes from its seed, the same on every machine.
package struct SimulationRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 0 to `bound` − 1.
    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    package mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    /// True once in `count` times, on average.
    package mutating func once(in count: Int) -> Bool { below(count) == 0 }

    package mutating func pick<C: RandomAccessCollection>(_ choices: C) -> C.Element? {
        guard !choices.isEmpty else { return nil }
        return choices[choices.index(choices.startIndex, offsetBy: below(choices.count))]
    }

    /// Uniform over the multiples of 2⁻²³ in [−1, 1).
    package mutating func float() -> Float { Float(Int64(next() >> 40) - (1 << 23)) * 0x1p-23 }

    /// A generator of its own, so that what draws from it does not move the draws of others.
    package mutating func fork() -> SimulationRandom { SimulationRandom(seed: next()) }
}
