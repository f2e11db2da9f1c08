import SluiceCore

/// Observations as JSON and as CSV, of 10,000 streams in turn, a second apart, numbers with four decimals; and what
/// they say.
final class CodecRecords {
    private static let streams = 10_000
    private static let programs = 4

    let features: Int
    @exclusivity(unchecked) private(set) var keys: [Range<Int>] = []
    @exclusivity(unchecked) private(set) var json: [Range<Int>] = []
    /// The same, written by four programs in turn, each with its members in an order of its own.
    @exclusivity(unchecked) private(set) var mixedJSON: [Range<Int>] = []
    /// The same, each with its members in another order than the one before.
    @exclusivity(unchecked) private(set) var varyingJSON: [Range<Int>] = []
    @exclusivity(unchecked) private(set) var csv: [Range<Int>] = []
    @exclusivity(unchecked) private(set) var times: [EpochMilliseconds] = []
    /// `[records, features]`.
    @exclusivity(unchecked) private(set) var numbers: [Float] = []
    /// `[records]`: what is predicted, with all digits of a Float.
    @exclusivity(unchecked) private(set) var forecasts: [Float] = []
    /// `[records]`, in [0, 1).
    @exclusivity(unchecked) private(set) var scores: [Float] = []
    @exclusivity(unchecked) private var arena = ByteArena(capacity: 1 << 20)

    init(features: Int, count: Int) {
        self.features = features
        let names = BenchModel.names(features)
        var generator = SplitMix64(state: 3)
        let orders = (0..<Self.programs).map { _ in (0..<features).shuffled(using: &generator) }
        var texts = [[String]](repeating: [], count: 5)
        for index in 0..<count {
            let time = 1_767_225_600_000 + Int64(index) * 1_000
            let row = (0..<features).map { _ in Double(generator.uniform(-3, 3) * 10_000).rounded() / 10_000 }
            times.append(time)
            numbers += row.map { Float($0) }
            forecasts.append(generator.uniform(-3, 3))
            scores.append(generator.uniform(0, 1))
            texts[0].append("sensor-\(100_000 + index % Self.streams)")
            let members = zip(names, row).map { "\"\($0)\":\($1)" }
            let text = "\"time\":\"\(Timestamp.text(time))\""
            texts[1].append("{\(text),\"values\":{\(members.joined(separator: ","))}}")
            let mixed = orders[index % Self.programs].map { members[$0] }.joined(separator: ",")
            texts[2].append("{\(text),\"values\":{\(mixed)}}")
            let values = "\"values\":{\(members.shuffled(using: &generator).joined(separator: ","))}"
            texts[3].append(index % 2 == 0 ? "{\(text),\(values)}" : "{\(values),\(text)}")
            texts[4].append(([Timestamp.text(time)] + row.map { "\($0)" }).joined(separator: ","))
        }
        // Each kind in one piece, as the messages of a fetch are: what is measured is not memory.
        let kept = texts.map { $0.map { append($0) } }
        (keys, json, mixedJSON, varyingJSON, csv) = (kept[0], kept[1], kept[2], kept[3], kept[4])
    }

    /// Keeps a text.
    func append(_ text: String) -> Range<Int> {
        let start = arena.count
        arena.append(text)
        return start..<arena.count
    }

    /// The pointers hold until a text is kept, or the records go.
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { arena.bytes(range) }
}
