internal import Foundation
package import SluiceCore
internal import SluiceFiles
internal import Synchronization

extension ModelRegistry {
    /// The content of `retraining.json`: what outlives a restart, besides the models. Where it cannot be read there is
    /// none: it is bookkeeping, and no reason not to serve.
    struct Bookkeeping: Codable, Sendable {
        /// When a training was last attempted.
        var attempted: EpochMilliseconds?
        /// Versions that came from training and were never active, the latest last.
        var candidates: [String] = []
    }

    /// Candidates that are kept, to be promoted by hand: the latest.
    package static let candidatesMaximum = 3

    /// When a training was last attempted, in this life or an earlier one.
    package var attempted: EpochMilliseconds? { current.withLock { $0.books.attempted } }

    /// - Parameter time: nil takes the note back.
    /// - Throws: `file`; it holds for this life then.
    package func noteAttempt(at time: EpochMilliseconds?) throws {
        try current.withLock { current in
            current.books.attempted = time
            try write(current.books)
        }
    }

    /// Removes candidates that were never active, but for the latest of them.
    package func dropCandidates() {
        current.withLock { current in
            let dropped = current.books.candidates.dropLast(Self.candidatesMaximum)
            guard !dropped.isEmpty else { return }
            for version in dropped { try? FileManager.default.removeItem(atPath: path(of: version)) }
            dropReports()
            current.books.candidates.removeFirst(dropped.count)
            // Not written, they are dropped the next time.
            try? write(current.books)
        }
    }

    /// Keeps the report of a model's training beside the model; it goes with it.
    ///
    /// - Parameter path: a file that is moved.
    /// - Throws: `file`.
    package func keepReport(_ path: String, of version: String) throws {
        guard let bytes = try FileBytes.read(path, limit: Self.reportBytesMaximum) else {
            throw SluiceError(.file, "there is no report \(path)")
        }
        try FileBytes.replace(reportPath(version), with: bytes)
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Where the report of a model's training lies; nil for none.
    package func report(of version: String) -> String? {
        let path = reportPath(version)
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    private static let reportSuffix = ".report.html"
    private static let reportBytesMaximum = 1 << 24

    private func reportPath(_ version: String) -> String { folder.path + "/" + version + Self.reportSuffix }

    /// Those whose model is gone, by whoever's hand.
    private func dropReports() {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: folder.path)) ?? [] where name.hasSuffix(Self.reportSuffix)
        {
            let version = String(name.dropLast(Self.reportSuffix.count))
            if !files.fileExists(atPath: path(of: version)) { try? files.removeItem(atPath: reportPath(version)) }
        }
    }

    /// Takes note that a version is a candidate, or is none any longer.
    ///
    /// - Throws: `file`.
    func note(_ version: String, isCandidate: Bool, _ books: inout Bookkeeping) throws {
        guard isCandidate || books.candidates.contains(version) else { return }
        books.candidates.removeAll { $0 == version }
        if isCandidate { books.candidates.append(version) }
        try write(books)
    }

    private func write(_ books: Bookkeeping) throws {
        try FileBytes.replace(Self.books(folder).path, with: Array(try JSONEncoder().encode(books)))
    }

    static func readBooks(_ folder: URL) -> Bookkeeping {
        guard let data = try? Data(contentsOf: books(folder)) else { return Bookkeeping() }
        return (try? JSONDecoder().decode(Bookkeeping.self, from: data)) ?? Bookkeeping()
    }

    private static func books(_ folder: URL) -> URL { folder.appending(path: "retraining.json") }
}
