import Foundation
package import SluiceCore
import SluiceLSTM
import SluiceTraining

/// What was read of a source, by file or partition.
package struct DataLedger: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package fileprivate(set) var observations = 0
        package fileprivate(set) var rejects = 0
        /// Of the first record up to behind the last: empty for files.
        package fileprivate(set) var offsets: Range<Offset> = 0..<0
        private var times: ClosedRange<EpochMilliseconds>?

        package init() {}

        /// The earliest time and the latest, not those of the first and the last record.
        var first: String? { times.map { Timestamp.text($0.lowerBound) } }
        var last: String? { times.map { Timestamp.text($0.upperBound) } }

        fileprivate mutating func extend(_ time: EpochMilliseconds) {
            times = times.map { min($0.lowerBound, time)...max($0.upperBound, time) } ?? time...time
        }
    }

    /// By number of the file, or partition.
    package private(set) var entries: [Int: Entry] = [:]
    /// Recorded commands that were repeated, and where their records lie, by partition of their topic.
    package private(set) var commands = 0
    package private(set) var commandRecords: [Int32: Range<Offset>] = [:]

    package init() {}

    /// A record was read, whatever becomes of it.
    mutating func read(_ offset: Offset, of origin: Int) {
        let known = entries[origin]?.offsets
        entries[origin, default: Entry()].offsets =
            (known?.isEmpty == false ? known?.lowerBound ?? offset : offset)..<offset + 1
    }

    mutating func observe(_ time: EpochMilliseconds, of origin: Int) {
        entries[origin, default: Entry()].observations += 1
        entries[origin]?.extend(time)
    }

    mutating func repeated(_ command: RecordedCommand) {
        commands += 1
        let known = commandRecords[command.partition]
        commandRecords[command.partition] =
            min(known?.lowerBound ?? .max, command.offset)..<max(known?.upperBound ?? 0, command.offset + 1)
    }

    mutating func reject(of origin: Int) { entries[origin, default: Entry()].rejects += 1 }
}

extension DataManifest.HeldOut {
    init(_ split: DatasetSplit, _ by: HoldOut) {
        switch by {
        case .time:
            self.init(
                by: by.rawValue, validationFrom: split.validationFrom.map(Timestamp.text),
                testFrom: split.testFrom.map(Timestamp.text))
        case .stream:
            self.init(
                by: by.rawValue, validationStreams: split.validationStreams, testStreams: split.testStreams)
        }
        (trainObservations, validationObservations) = (split.trainedRows, split.validatedRows)
        testObservations = split.testedRows
    }
}

/// SHA-256 of files of any size.
enum FileHash {
    private static let pieceBytes = 1 << 20

    /// - Throws: `file`.
    static func sha256(_ path: String) throws -> (bytes: Int, hash: String) {
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }
            var hash = SHA256()
            var bytes = 0
            while let piece = try file.read(upToCount: pieceBytes), !piece.isEmpty {
                hash.update(piece.bytes)
                bytes += piece.count
            }
            return (bytes, hash.finalize().hexadecimal)
        } catch {
            throw SluiceError(.file, "\(path) cannot be read again", cause: error)
        }
    }
}
