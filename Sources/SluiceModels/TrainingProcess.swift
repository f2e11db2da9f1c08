internal import Foundation
package import SluiceCore
internal import Synchronization

/// One training in a process of its own, so that whatever becomes of it leaves serving alone: it may crash, hang, or
/// take all memory.
///
/// The child ends when its standard input does: it never outlives a service that was killed.
package struct TrainingProcess: Sendable {
    /// Silence after which a child counts as hanging: it tells its progress every few seconds.
    package static let silenceSeconds = 300.0
    private static let lineBytesMaximum = 1 << 20
    private static let complaintBytes = 4_096
    private static let graceSeconds = 5.0

    private let executable: String
    private let arguments: [String]
    private let environment: [String: String]
    private let silenceSeconds: Double

    /// - Parameters:
    ///   - executable: a `sluice`, called with `arguments`, which make it write `TrainingReport`s to stdout.
    ///   - environment: all that it has of one.
    package init(
        executable: String, arguments: [String], environment: [String: String] = [:],
        silenceSeconds: Double = TrainingProcess.silenceSeconds
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.silenceSeconds = silenceSeconds
    }

    /// Runs it to its end, on the calling thread.
    ///
    /// - Parameters:
    ///   - started: told the child's process id.
    ///   - progress: called for every line but the last.
    ///   - isCancelled: asked a few times a second.
    /// - Returns: the last line.
    /// - Throws: `training-failed` when it could not be started, ended by itself without a result, was killed or hung;
    ///   `CancellationError`.
    package func run(
        started: (Int32) -> Void = { _ in }, isCancelled: () -> Bool, progress: (TrainingReport) -> Void
    ) throws -> TrainingReport {
        let child = Child(executable, arguments, environment)
        try child.start()
        started(child.id)
        var lines = Lines(limit: Self.lineBytesMaximum)
        var complaint: [UInt8] = []
        var result: TrainingReport?
        var heard = ContinuousClock.now
        while true {
            let (output, errors, isOver) = child.read(milliseconds: 250)
            if !output.isEmpty { heard = .now }
            complaint = (complaint + errors).suffix(Self.complaintBytes)
            for line in lines.take(output) {
                guard let report = TrainingReport(line: line) else { continue }
                if report.done == true { result = report } else { progress(report) }
            }
            if isOver { break }
            if isCancelled() {
                child.end(graceSeconds: Self.graceSeconds)
                throw CancellationError()
            }
            if (.now - heard) > .seconds(silenceSeconds) {
                child.end(graceSeconds: 0)
                throw Self.failure("it said nothing for \(Int(silenceSeconds)) s, and was killed", complaint)
            }
        }
        if let reason = child.wait() { throw Self.failure(reason, complaint) }
        guard let result else { throw Self.failure("it ended without a result", complaint) }
        return result
    }

    private static func failure(_ reason: String, _ complaint: [UInt8]) -> SluiceError {
        let text = String(decoding: complaint, as: UTF8.self)
            .split(whereSeparator: \.isNewline).suffix(3).joined(separator: " | ")
        return SluiceError(
            .trainingFailed, "the training process failed: \(reason)" + (text.isEmpty ? "" : ": \(text)"), retry: .later
        )
    }

    /// Cuts a stream of bytes into lines; one that never ends is dropped.
    private struct Lines {
        let limit: Int
        private var rest: [UInt8] = []

        init(limit: Int) { self.limit = limit }

        mutating func take(_ bytes: [UInt8]) -> [[UInt8]] {
            rest += bytes
            var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
            rest = lines.removeLast()
            if rest.count > limit { rest = [] }
            return lines
        }
    }
}

/// A child process with its pipes. Confined to one thread.
private final class Child {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()
    private var open: Set<Int32> = []
    private let hasEnded = DispatchSemaphore(value: 0)

    init(_ executable: String, _ arguments: [String], _ environment: [String: String]) {
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
    }

    func start() throws {
        process.terminationHandler = { [hasEnded] _ in hasEnded.signal() }
        do {
            try process.run()
        } catch {
            throw SluiceError(.trainingFailed, "no training process could be started", retry: .later, cause: error)
        }
        open = [output.fileHandleForReading.fileDescriptor, errors.fileHandleForReading.fileDescriptor]
    }

    var id: Int32 { process.processIdentifier }

    /// Waits for something to read; `isOver` when both pipes are closed.
    func read(milliseconds: Int32) -> (output: [UInt8], errors: [UInt8], isOver: Bool) {
        var waiting = open.sorted().map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard !waiting.isEmpty else { return ([], [], true) }
        poll(&waiting, nfds_t(waiting.count), milliseconds)
        var bytes: [Int32: [UInt8]] = [:]
        for entry in waiting where entry.revents != 0 {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = Glibc.read(entry.fd, &buffer, buffer.count)
            if count > 0 {
                bytes[entry.fd] = Array(buffer[..<count])
            } else if count == 0 || errno != EINTR && errno != EAGAIN {
                open.remove(entry.fd)
            }
        }
        return (
            bytes[output.fileHandleForReading.fileDescriptor] ?? [],
            bytes[errors.fileHandleForReading.fileDescriptor] ?? [], open.isEmpty
        )
    }

    /// Asks it to end, then makes it.
    func end(graceSeconds: Double) {
        if graceSeconds > 0 {
            process.terminate()
            if hasEnded.wait(timeout: .now() + graceSeconds) == .success { return }
        }
        kill(id, SIGKILL)
        hasEnded.wait()
    }

    /// Waits for its end; says what was wrong with it, nil for nothing.
    func wait() -> String? {
        hasEnded.wait()
        if process.terminationReason == .uncaughtSignal { return "signal \(process.terminationStatus) ended it" }
        return process.terminationStatus == 0 ? nil : "it ended with exit code \(process.terminationStatus)"
    }
}

extension SluiceError.Code {
    package static let trainingFailed = SluiceError.Code("training-failed")
}
