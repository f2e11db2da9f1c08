/// Calls in a row of which each is long enough to be asked between them whether it is enough: few of them are, of many
/// a look would be part of the time taken.
struct LongCalls {
    private static let fewAtMost = 100

    private let isFew: Bool
    private let isCancelled: () -> Bool

    /// - Parameter count: of a repetition, which has many where each is short.
    init(_ count: Int, _ isCancelled: @escaping () -> Bool) {
        isFew = count <= Self.fewAtMost
        self.isCancelled = isCancelled
    }

    /// - Throws: `CancellationError`.
    @inline(__always)
    func run(_ count: Int, _ call: () -> Void) throws {
        for _ in 0..<count {
            call()
            if isFew && isCancelled() { throw CancellationError() }
        }
        if isCancelled() { throw CancellationError() }
    }
}
