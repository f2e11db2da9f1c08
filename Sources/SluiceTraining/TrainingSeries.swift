/// One stream in the order of the log, as training needs it: scaled and settled by the very fold that serves it, from
/// empty, so that what the network sees here is what it sees in service.
///
/// Arrays of rows are row-major: N rows (observations), I inputs, T targets.
package struct TrainingSeries: Sendable {
    package let name: String
    /// `[N × I]`: scaled inputs, missing values settled.
    package var inputs: Column<Float>
    /// `[N × I]`: inputs as observed, NaN where missing. Empty where nobody measures a scaler by them.
    package var raw: Column<Float> = []
    /// `[N × T]`: targets as observed, NaN where missing. Empty for classifiers.
    package var targets: Column<Float>
    /// `[N × T]`: m and s of each target's scaler at that row; a degenerate s is already raised to its floor. A
    /// forecast made at row t of what row t + k shows is normalised with those of row t.
    package var center: Column<Double>
    package var scale: Column<Double>
    /// `[N]`: classes from 0, NaN or −1 where missing. Empty for forecasts.
    package var labels: Column<Float>
    /// `[N]`: whether the state is reset before that row.
    package var boundary: Column<Bool>
    /// `[N]`: losses of rows that are not warm are masked, as in service.
    package var warm: Column<Bool>
    /// `[N]`: milliseconds since 1970.
    package var times: Column<Int64>

    /// A stream without rows, to be filled.
    package init(name: String) {
        self.name = name
        (inputs, targets, center, scale, labels, boundary, warm, times) = ([], [], [], [], [], [], [], [])
    }

    /// N.
    package var count: Int { times.count }

    /// Rows older than a time, wherever they are.
    func count(before time: Int64) -> Int { times.withUnsafeBufferPointer { $0.count { $0 < time } } }

    /// Rows older than the one before them.
    var outOfOrder: Int {
        times.withUnsafeBufferPointer { times in times.indices.dropFirst().count { times[$0] < times[$0 - 1] } }
    }
}
