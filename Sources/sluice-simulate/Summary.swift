import SluiceSimulation

/// What the runs so far came to.
struct Summary {
    private var seeds = 0
    private var inputs = 0
    /// Faults that had an effect.
    private var struck: [FaultKind: Int] = [:]
    private var transactions = TransactionCoordinator.Tally()
    private var seconds: Int64 = 0
    private var rejects: [String: Int] = [:]
    private var coldStarts = 0

    mutating func add(_ outcome: Outcome) {
        seeds += 1
        inputs += outcome.inputs
        seconds += outcome.simulatedMilliseconds / 1_000
        for (strike, count) in outcome.struck { struck[strike.kind, default: 0] += count }
        coldStarts += outcome.coldStarts
        rejects.merge(outcome.rejects, uniquingKeysWith: +)
        transactions.committed += outcome.transactions.committed
        transactions.aborted += outcome.transactions.aborted
        transactions.timedOut += outcome.transactions.timedOut
        transactions.fenced += outcome.transactions.fenced
    }

    private var faults: [(String, Int)] {
        FaultKind.allCases.compactMap { kind in struck[kind].map { (kind.rawValue, $0) } }
    }

    var text: String {
        let total = faults.reduce(0) { $0 + $1.1 }
        let kinds = faults.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        let codes = rejects.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return """
            \(seeds) seeds, \(inputs) inputs, \(seconds) simulated seconds
            transactions: \(transactions.committed) committed, \(transactions.aborted) aborted (\
            \(transactions.timedOut) by time, \(transactions.fenced) by a successor)
            rejects: \(codes)
            cold starts: \(coldStarts)
            \(total) faults that had an effect: \(kinds)
            """
    }

    var json: String {
        let kinds = faults.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
        let codes = rejects.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\($0.value)" }
            .joined(separator: ",")
        return """
            {"seeds":\(seeds),"inputs":\(inputs),"simulatedSeconds":\(seconds),"committed":\(transactions.committed),\
            "aborted":\(transactions.aborted),"timedOut":\(transactions.timedOut),"fenced":\(transactions.fenced),\
            "rejects":{\(codes)},"coldStarts":\(coldStarts),"faults":{\(kinds)}}
            """
    }

    /// - Parameter short: the line with fewer faults.
    static func failure(seed: UInt64, message: String, repeat line: String, short: String?) -> String {
        let fewer = short.map { ",\"short\":\(quoted($0))" } ?? ""
        return "{\"seed\":\(seed),\"violation\":\(quoted(message)),\"repeat\":\(quoted(line))\(fewer)}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
