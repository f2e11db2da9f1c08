/// Where a process can be met by a fault: its calls to what is outside.
package enum FaultCall: String, Sendable, CaseIterable {
    case any
    case poll, committed, watermarks, plainCommit, readerPoll
    case initialise, produce, sendPositions, commit, abort
    case storeOpen, storeWrite, storeRead

    /// Those of a transaction's life.
    package static let transactional: [FaultCall] = [.initialise, .produce, .sendPositions, .commit, .abort]
    static let store: [FaultCall] = [.storeOpen, .storeWrite, .storeRead]
    /// FETCH of the two kinds of consumers, and LIST_OFFSETS.
    package static let reading: [FaultCall] = [.poll, .readerPoll, .watermarks]
    /// - Parameter isExactlyOnce: the delivery.
    package static func all(_ isExactlyOnce: Bool) -> [FaultCall] {
        let others: [FaultCall] =
            isExactlyOnce ? [.any, .plainCommit] : [.any, .initialise, .sendPositions, .commit, .abort]
        return allCases.filter { !others.contains($0) }
    }
}

/// What can go wrong, and what people can ask for meanwhile.
package enum FaultKind: String, Sendable, CaseIterable {
    // At the next matching call of a process.
    /// The process dies before the call has any effect; after it. `amount` 1: what the disk had not synced is lost.
    case crash, crashAfter
    /// The process stops for `amount` ms within the call and wakes up as if nothing had been.
    case pause
    /// The request never arrives; the answer is never seen; both take `amount` ms longer; it arrives twice.
    case lost, lostReply, delayed, duplicated
    /// Refused so that the transaction must be aborted; refused for good; nobody can say (it may happen within
    /// `amount` ms).
    case refused, fatal, indefinite
    /// A read or write of the disk fails once; what was written is there all the same, as behind an fsync that failed.
    case diskError, syncError
    /// The machine goes down within a write to a store. RocksDB finds what is torn by its checksums: an earlier state
    /// is left, or one that cannot be opened. It does not, and a part of the batch is left.
    case torn, tornUnseen
    // At a time.
    /// A process leaves in good order and comes back after `amount` ms.
    case leave
    case rebalance
    case coordinatorMove, brokerDown, brokerSlow, slowMarks, outputBlocked
    case compaction, retention
    /// All processes die when states need answered inputs, and come back after `amount` ms, when retention has taken
    /// some.
    case retentionPast
    /// All processes are away for longer than the group's positions, or transactional ids, are kept.
    case offsetsExpired, producersExpired
    /// Somebody else begins a transaction under a worker's name, and leaves it.
    case hijack
    case diskFull, bitFlip
    /// For `amount` ms the file of a model, or of all, is gone from a machine; it is no model; reading it fails.
    case modelGone, modelDamaged, modelUnreadable
    /// What was written for one stream lies where another's is looked for.
    case misdirect
    /// A process is cut off from the brokers for `amount` ms, and they from it; a worker of it does not come to its
    /// next poll for as long.
    case isolate, stall
    case wallJump
    // What people do: `process` is the partition, `amount` which stream or model.
    case reset, resetPrefix, resetAll, swap
    /// A stream goes on from a state that a stream of its partition has had.
    case move
    /// The last command once more, under the same id.
    case sameCommand
    /// Somebody asks for a stream's state as of an earlier offset.
    case rewind
    /// The input gets another partition, which it must not.
    case grow
    /// All topics get another partition while the whole service is away.
    case growAway

    package var isAtCall: Bool {
        switch self {
        case .crash, .crashAfter, .pause, .lost, .lostReply, .delayed, .duplicated, .refused, .fatal, .indefinite,
            .diskError, .syncError, .torn, .tornUnseen:
            true
        default: false
        }
    }
    /// The calls at which it has an effect, with one delivery or the other.
    package func calls(_ isExactlyOnce: Bool) -> [FaultCall] {
        let all = FaultCall.all(isExactlyOnce)
        return calls.filter { all.contains($0) }
    }

    /// The calls at which it has an effect.
    package var calls: [FaultCall] {
        switch self {
        case .crash, .crashAfter, .pause: FaultCall.allCases.filter { $0 != .any }
        // No answer comes, or the partition's leader has moved.
        case .lost, .delayed, .refused: FaultCall.transactional + [.plainCommit, .committed] + FaultCall.reading
        case .lostReply, .fatal, .indefinite: FaultCall.transactional + [.plainCommit, .committed]
        // Who reads twice has read.
        case .duplicated: FaultCall.transactional + [.plainCommit]
        case .diskError: FaultCall.store
        case .syncError, .torn, .tornUnseen: [.storeWrite]
        default: []
        }
    }
    /// Kinds are drawn in groups, each from a seed of its own: with new ones in the draw of the others every seed would
    /// be another run.
    var draw: UInt64 {
        switch self {
        case .syncError, .torn, .tornUnseen, .retentionPast, .hijack, .modelGone, .modelDamaged, .modelUnreadable: 4
        case .offsetsExpired, .producersExpired, .rewind: 16
        default: 0
        }
    }
    package var isCommand: Bool { [.reset, .resetPrefix, .resetAll, .swap, .move, .sameCommand].contains(self) }
}

/// One entry of a plan. Its text is `kind@milliseconds:process:call:amount`.
package struct Fault: Sendable, Equatable {
    package var kind: FaultKind
    /// Milliseconds of the run; one at a call comes with the first such call from then on.
    package var at: Int64
    package var process: Int
    package var call: FaultCall
    package var amount: Int64

    package init(_ kind: FaultKind, at: Int64, process: Int = 0, call: FaultCall = .any, amount: Int64 = 0) {
        self.kind = kind
        self.at = at
        self.process = process
        self.call = call
        self.amount = amount
    }

    /// Nil for a text that is none.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "@", maxSplits: 1)
        guard parts.count == 2, let kind = FaultKind(rawValue: String(parts[0])) else { return nil }
        let fields = parts[1].split(separator: ":")
        guard fields.count == 4, let at = Int64(fields[0]), let process = Int(fields[1]),
            let call = FaultCall(rawValue: String(fields[2])), let amount = Int64(fields[3])
        else { return nil }
        self.init(kind, at: at, process: process, call: call, amount: amount)
    }
}

extension Fault: CustomStringConvertible {
    package var description: String { "\(kind.rawValue)@\(at):\(process):\(call.rawValue):\(amount)" }
}

/// The faults of a run, in the order of their times.
package struct FaultPlan: Sendable, Equatable {
    package var faults: [Fault]

    package init(_ faults: [Fault]) { self.faults = faults.sorted { $0.at < $1.at } }

    /// A list of faults separated by commas; nil if one of them is none.
    package init?(text: String) {
        let parts = text.split(separator: ",")
        let faults = parts.compactMap { Fault($0) }
        guard faults.count == parts.count else { return nil }
        self.init(faults)
    }
}

extension FaultPlan: CustomStringConvertible {
    package var description: String { faults.map(\.description).joined(separator: ",") }
}
