import SluiceCore
import SluiceLog
import SluiceSchema
import SluiceState
import Synchronization

@testable import SluiceEngine

/// The process dies here.
struct Crash: Error {}

/// What outlives a crash: topics, committed offsets, saved states. And the fault: the call at which the process dies.
///
/// It must survive: a crash before or after every call that has an effect outside, with any part of what the producer
/// holds delivered or not. Confined to one thread.
final class SimulatedLog {
    static let input = "observations"
    static let control = "pumps.control"
    static let events = "pumps.events"
    static let slots = "pumps.slots"

    var inputs: [Int32: [Record]] = [:]
    /// First offset still in a partition.
    var lows: [Int32: Offset] = [:]
    /// Marks of transactions behind the last record of a partition.
    var marks: [Int32: Offset] = [:]
    var controls: [Int32: [Record]] = [:]
    var controlLow: Offset = 0
    /// Marks of transactions behind the last command of a control partition.
    var controlMarks: Offset = 0
    /// First record that retention has left of the audit.
    var auditLow: Offset = 0
    /// A changelog of one partition.
    var changelog: [Record] = []
    /// Records that a reader is given in one poll.
    var readLimit = Int.max
    /// In the order of delivery.
    var outputs: [Output] = []
    var committed: [Int32: CommittedPosition] = [:]
    /// What is stored of a partition on this machine.
    struct Saved: Equatable {
        var position: StoredPosition
        var entries: [[UInt8]: [UInt8]] = [:]
    }
    var saved: [Int32: Saved] = [:]

    /// Calls with an effect so far in this life of the process, and the one at which it ends.
    private(set) var calls = 0
    var crashAt = Int.max
    private(set) var isDead = false
    /// Whether the effect of the last call still happens.
    var crashesAfter = false
    /// Writes that were begun are done when somebody waits for them, and not before.
    var isDiskSlow = false
    var tellWritten: (@Sendable () -> Void)?
    /// Names of the calls, for the reader of a failed test.
    private(set) var trace: [String] = []

    func revive() {
        (calls, crashAt, isDead, trace) = (0, .max, false, [])
    }

    /// One call with an effect; it is where a crash happens.
    func call(_ name: String, _ effect: () throws -> Void) throws {
        if isDead { throw Crash() }
        calls += 1
        trace.append(name)
        guard calls >= crashAt else { return try effect() }
        isDead = true
        if crashesAfter { try effect() }
        throw Crash()
    }

    /// Behind the last record and the marks there.
    func high(_ partition: Int32) -> Offset {
        ((inputs[partition]?.last?.offset).map { $0 + 1 } ?? lows[partition] ?? 0) + (marks[partition] ?? 0)
    }

    /// Writes inputs behind what is there.
    func append(_ records: [Record]) {
        for record in records {
            var record = record
            record.offset = high(record.partition)
            marks[record.partition] = 0
            inputs[record.partition, default: []].append(record)
        }
    }

    func command(
        _ id: String, _ target: Target?, to partition: Int32 = 0, type: MessageType = .reset, model: String? = nil,
        snapshot: [UInt8]? = nil
    ) {
        let command = Command(
            id: id, type: type, target: target, model: model, snapshot: snapshot, by: "test", time: 1_700_000_000_000)
        var arena = ByteArena()
        let range = command.encode(into: &arena)
        write(Array(arena.bytes(range)), toControl: partition)
    }

    func write(_ value: [UInt8], toControl partition: Int32) {
        let offset = (controls[partition]?.last?.offset).map { $0 + 1 } ?? controlLow
        controls[partition, default: []].append(Record(key: nil, value: value, partition: partition, offset: offset))
    }

    /// The audit has one partition.
    var audit: [Record] {
        outputs.filter { $0.topic == .events }.enumerated().map {
            Record(key: $1.key, value: $1.value, offset: Offset($0))
        }.filter { $0.offset >= auditLow }
    }

    var events: [Event] {
        get throws {
            let messages = try MessageDecoder()
            return try audit.map { record in try withLogRecords([record]) { try messages.event($0[0].value) } }
        }
    }

    /// What was predicted or refused of an input partition, in order.
    func answers(_ partition: Int32 = 0) -> [Output] {
        outputs.filter { output in
            switch output.topic {
            case .predictions: output.partition == partition
            case .rejects: output.header("sluice-source")?.hasPrefix("\(Self.input)/\(partition)/") == true
            default: false
            }
        }
    }
}

final class ManualClock: EngineClock {
    private let now = Atomic<Int64>(1)
    func monotonicNanoseconds() -> Int64 { now.load(ordering: .relaxed) }
    func wallMilliseconds() -> Int64 { 0 }
    func pause(milliseconds: Int) { advance(Int64(milliseconds) * 1_000_000) }
    func advance(_ nanoseconds: Int64) { now.wrappingAdd(nanoseconds, ordering: .relaxed) }
}

final class Notes: EngineObserver {
    struct Seen {
        var notes: [String] = []
        var applied: [(event: Event, matched: Int)] = []
        var blocked: [Bool] = []
        var live: [(partition: Int32, report: RestoreReport)] = []
        var replayed = 0
        var predictions = 0
        var commits = 0
        var faults: [TransactionFault] = []
        var produced: [(records: Int, nanoseconds: Int64)] = []
    }
    private let state = Mutex(Seen())
    var seen: Seen { state.withLock { $0 } }

    func batchDone(_ report: BatchReport) {
        state.withLock { seen in
            seen.replayed += report.replayed
            seen.predictions += report.predictions
        }
    }
    func rejected(_ counts: [String: Int]) {}
    func produced(_ records: Int, after nanoseconds: Int64) {
        state.withLock { $0.produced.append((records, nanoseconds)) }
    }
    func committed(_ report: CommitReport) { state.withLock { $0.commits += 1 } }
    func transactionFailed(_ fault: TransactionFault) { state.withLock { $0.faults.append(fault) } }
    func restoring(_ progress: [Int32: Double]) {}
    func live(_ partition: Int32, _ report: RestoreReport) {
        state.withLock { $0.live.append((partition, report)) }
    }
    func commandApplied(_ event: Event, matched: Int) { state.withLock { $0.applied.append((event, matched)) } }
    func outputBlocked(_ isBlocked: Bool) { state.withLock { $0.blocked.append(isBlocked) } }
    func note(_ message: String, _ partition: Int32?, error: SluiceError?) {
        state.withLock { $0.notes.append(message) }
    }
}
