package import SluiceCore

/// A process of the service: what its clients have in common. It can die at every call and stop within one.
package final class SimulatedProcess {
    package let index: Int
    package let cluster: SimulatedCluster
    package let faults: FaultInjector
    package let disk: SimulatedDisk
    /// Lets the others go on for so many nanoseconds while this one stands still.
    package var onPause: (Int64) -> Void
    private var hasDied = false
    /// A run that does not come to rest ends for all.
    package var isDead: Bool { hasDied || cluster.isExhausted }
    package private(set) var isPaused = false
    /// It has stood still: others may have done its work meanwhile.
    private(set) var hasSlept = false
    /// Calls of a life, named, newest last: for the reader of a failure.
    package private(set) var trace: [String] = []

    package init(index: Int, cluster: SimulatedCluster, faults: FaultInjector, disk: SimulatedDisk) {
        self.index = index
        self.cluster = cluster
        self.faults = faults
        self.disk = disk
        onPause = { cluster.advance($0) }
    }

    /// Nanoseconds of the cluster's time until which nothing comes through to the brokers or back.
    package var isolatedUntil: Int64 = 0

    package var isRunning: Bool { !isDead && !isPaused }
    package var isIsolated: Bool {
        guard cluster.now < isolatedUntil else { return false }
        faults.meet(.isolate, process: index)
        return true
    }
    /// No broker answers this process.
    package var isCutOff: Bool { isIsolated || cluster.isAway }

    /// A call that waits for its answer: it may be met by a fault, and takes time.
    ///
    /// - Parameter tear: what is left of a write when the machine goes down within it.
    /// - Throws: `Crash`; what the effect throws; `broker`, to be tried again, where request or answer is lost.
    package func call<Result>(
        _ call: FaultCall, tear: (_ isDetected: Bool) -> Void = { _ in }, _ effect: () throws -> Result
    ) throws -> Result {
        guard let fault = try enter(call) else { return try effect() }
        switch fault.kind {
        case .crashAfter:
            _ = try? effect()
            try finish(fault)
        case .lostReply, .indefinite, .syncError, .duplicated: _ = try effect()
        case .torn, .tornUnseen: tear(fault.kind == .torn)
        default: break
        }
        strike(fault)
        switch fault.kind {
        case .lost, .refused, .lostReply, .indefinite: throw Self.unanswered(call)
        case .fatal: throw SluiceError(.broker, "\(call.rawValue): refused for good", retry: .fatal)
        case .delayed: cluster.advance(fault.amount * 1_000_000)
        case .diskError: throw SluiceError(.file, "the disk failed", retry: .later)
        case .syncError: throw SluiceError(.file, "what was written may not be on the disk", retry: .later)
        case .torn, .tornUnseen: throw die(true)
        default: break
        }
        return try effect()
    }

    /// The end of a call that needs no answer: what it brought was handed over, and the process dies before it does
    /// anything more with it.
    package func finish(_ fault: Fault?) throws {
        if isDead { throw Crash() }
        guard let fault, fault.kind == .crashAfter else { return }
        strike(fault)
        throw die(fault.amount == 1)
    }

    /// A fault that met a call had an effect.
    package func strike(_ fault: Fault) { faults.strike(fault.kind, fault.call) }

    /// The beginning of a call: the process may die or stop here; any other fault is for the caller.
    package func enter(_ call: FaultCall) throws -> Fault? {
        cluster.spend()
        guard !isDead else { throw Crash() }
        let fault = faults.take(call, process: index, milliseconds: cluster.now / 1_000_000)
        if trace.count > 400 { trace.removeFirst(200) }
        trace.append("\(cluster.now / 1_000_000):\(call.rawValue)\(fault.map { " \($0)" } ?? "")")
        guard let fault else { return nil }
        switch fault.kind {
        case .crash:
            strike(fault)
            throw die(fault.amount == 1)
        case .pause:
            strike(fault)
            isPaused = true
            hasSlept = true
            onPause(fault.amount * 1_000_000)
            isPaused = false
            return nil
        default: return fault
        }
    }

    /// A fault that comes with an answer instead of a call.
    package static func unanswered(_ call: FaultCall) -> SluiceError {
        SluiceError(.broker, "\(call.rawValue): \(BrokerError.timedOut.rawValue)", retry: .later)
    }

    /// Ends this life.
    ///
    /// - Parameter losesDisk: the machine went down with it, and what was written but not synced.
    @discardableResult
    package func die(_ losesDisk: Bool = false) -> Crash {
        guard !isDead else { return Crash() }
        hasDied = true
        if losesDisk { disk.loseUnsynced(&cluster.random) }
        disk.releaseAll()
        return Crash()
    }
}
