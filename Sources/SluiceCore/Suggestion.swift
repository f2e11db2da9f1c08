/// The "did you mean" of unknown names.
public enum Suggestion {
    /// `; did you mean "hidden"?` for the candidate nearest to `name`, empty if none is near enough to be meant.
    public static func text(for name: String, among candidates: some Sequence<String>) -> String {
        nearest(to: name, among: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    public static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        let folded = Array(name.lowercased().replacing("-", with: "_"))
        let scored = candidates.map { candidate in
            (candidate, distance(folded, Array(candidate.lowercased().replacing("-", with: "_"))))
        }
        guard let best = scored.min(by: { ($0.1, $0.0) < ($1.1, $1.0) }) else { return nil }
        return best.1 <= max(1, folded.count / 3) ? best.0 : nil
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
    public static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var current = [i + 1]
            for j in 0..<b.count {
                var cost = min(current[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[b.count]
    }
}
