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
            current.books.candidates.removeFirst(dropped.count)
            // Not written, they are dropped the next time.
            try? write(current.books)
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
