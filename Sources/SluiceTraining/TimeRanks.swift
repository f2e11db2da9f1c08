/// The times of all rows in order, without a sorted copy of them: those of a rank are found by counting, sixteen bits
/// at a time.
struct TimeRanks: Sendable {
    private static let digitBits = 16
    private let series: [TrainingSeries]
    let count: Int

    init(_ dataset: Dataset) {
        series = dataset.series
        count = dataset.count
    }

    /// The time that so many are before, of those in order: 0 is that of the first.
    func time(at rank: Int) -> Int64 {
        precondition((0..<count).contains(rank), "a rank of these")
        var (left, prefix) = (rank, UInt64(0))
        for shift in stride(from: UInt64.bitWidth - Self.digitBits, through: 0, by: -Self.digitBits) {
            let counts = digits(at: shift, after: prefix)
            var digit = 0
            while left >= counts[digit] {
                left -= counts[digit]
                digit += 1
            }
            prefix = prefix << Self.digitBits | UInt64(digit)
        }
        return Int64(bitPattern: prefix ^ Self.sign)
    }

    func count(before time: Int64) -> Int {
        series.reduce(0) { $0 + $1.count(before: time) }
    }

    /// Orders times as unsigned numbers.
    private static var sign: UInt64 { 1 << 63 }

    /// How many of the times that begin with `prefix` go on with each digit.
    private func digits(at shift: Int, after prefix: UInt64) -> [Int] {
        var counts = [Int](repeating: 0, count: 1 << Self.digitBits)
        for one in series {
            one.times.withUnsafeBufferPointer { times in
                for time in times {
                    let key = UInt64(bitPattern: time) ^ Self.sign
                    // A shift by all bits is 0 in Swift: the first digit comes after nothing.
                    guard key >> (shift + Self.digitBits) == prefix else { continue }
                    counts[Int(truncatingIfNeeded: key >> shift) & (counts.count - 1)] += 1
                }
            }
        }
        return counts
    }
}
