import Glibc
import SluiceCore
package import SluiceSchema
import SystemPackage

/// Reads a file of records in bounded pieces: NDJSON lines, or CSV records behind their header line. Blank lines are
/// passed over. What cannot be a record, a record of any size included, is handed over as refused, and reading goes on
/// behind it.
package final class RecordReader {
    private static let chunkBytes = 1 << 20
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    package let name: String
    package private(set) var format: InputSpecification.Format
    /// Bytes of the file, 0 where unknown.
    package private(set) var size: Int64 = 0
    /// Bytes taken so far.
    package private(set) var position: Int64 = 0
    private let file: FileDescriptor
    private let ownsFile: Bool
    /// Holds the largest record and what is read behind it.
    private var buffer = [UInt8](repeating: 0, count: Limits.observationBytes + 2 * chunkBytes)
    /// What of the buffer is not taken yet.
    private var waiting = 0..<0
    private var isBegun = false
    private var isAtEnd = false
    /// Of the record at hand, from 1.
    private var line = 1
    private var framing: RecordFraming
    /// The record at hand, once it is too large to be held.
    private var large: LargeRecord?

    package enum FileFormat: String, Sendable, CaseIterable {
        case ndjson, csv
    }

    /// Opens a file; `-` is the standard input.
    ///
    /// - Parameter fileFormat: nil: by the name's extension, NDJSON unless it is `.csv`.
    /// - Throws: `file` when it cannot be read, `input-invalid` for a CSV file without a sound header line.
    package init(_ path: String, fileFormat: FileFormat?) throws {
        let isCSV = (fileFormat ?? (path.lowercased().hasSuffix(".csv") ? .csv : .ndjson)) == .csv
        name = path == "-" ? "-" : FilePath(path).lastComponent?.string ?? path
        ownsFile = path != "-"
        framing = RecordFraming(isCSV: isCSV)
        format = isCSV ? .csv(columns: []) : .json
        do {
            file =
                ownsFile
                ? try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
                : FileDescriptor.standardInput
            if ownsFile {
                size = try file.seek(offset: 0, from: .end)
                try file.seek(offset: 0, from: .start)
            }
        } catch let error as Errno {
            throw SluiceError(.file, "\(path) cannot be read", cause: error)
        }
        if isCSV { format = .csv(columns: try readHeader(path)) }
    }

    deinit { if ownsFile { try? file.close() } }

    private func readHeader(_ path: String) throws -> [String] {
        var columns: [String]?
        var isRead = false
        while !isRead,
            try next(
                limit: 1,
                { rows in
                    isRead = true
                    if rows[0].refusal == nil { columns = RecordFraming.header(rows[0].bytes) }
                })
        {}
        guard let columns else {
            throw SluiceError(
                .invalidInput, "\(path) has no header line",
                remedy: "the first line of a CSV file names its columns: stream,time and one per feature")
        }
        return columns
    }

    /// Calls `body` with the next rows, at most `limit`; false at the end of the file. While it passes over a large
    /// record it comes back without any, so that callers stay able to stop. The bytes die when `body` returns.
    package func next(limit: Int, _ body: (borrowing [Row]) throws -> Void) throws -> Bool {
        try begin()
        while large == nil {
            let (taken, isEmpty) = try buffer.withUnsafeBytes { bytes in
                var rest = UnsafeRawBufferPointer(rebasing: bytes[waiting])
                var rows: [Row] = []
                while rows.count < limit, let record = framing.record(in: rest, isAtEnd: isAtEnd) {
                    if let row = row(UnsafeRawBufferPointer(rebasing: rest[..<record.length]), record) {
                        rows.append(row)
                    }
                    line += record.lines
                    rest = UnsafeRawBufferPointer(rebasing: rest[record.length...])
                }
                if !rows.isEmpty { try body(rows) }
                return (waiting.count - rest.count, rows.isEmpty)
            }
            take(taken)
            if !isEmpty { return true }
            if isAtEnd { return false }
            if waiting.count > Limits.observationBytes {
                large = LargeRecord(line: line)
                line += framing.abandon()
            } else {
                try fill()
            }
        }
        try passOver(body)
        return true
    }

    /// A record as a row; nil for a blank line.
    private func row(_ record: UnsafeRawBufferPointer, _ found: RecordFraming.Record) -> Row? {
        let bytes = record.trimmed
        if bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { return nil }
        if bytes.count > Limits.observationBytes {
            var large = LargeRecord(line: line)
            large.append(bytes)
            let kept = UnsafeRawBufferPointer(rebasing: bytes[..<Limits.rejectBodyBytes])
            return Row(bytes: kept, refusal: large.refusal())
        }
        guard found.isUnclosed else { return Row(bytes: bytes) }
        let opening = line + found.lines - 1
        return Row(
            bytes: bytes,
            refusal: Refusal(code: .csvInvalid, message: "line \(opening) opens a quote that is not closed"))
    }

    /// Takes what there is of a record that is too large to be held, and hands it over when its end is there.
    private func passOver(_ body: (borrowing [Row]) throws -> Void) throws {
        let (taken, isOver) = buffer.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[waiting])
            let length = RecordFraming.line(in: rest)
            large?.append(UnsafeRawBufferPointer(rebasing: rest[..<(length.map { $0 - 1 } ?? rest.count)]))
            return (length ?? rest.count, length != nil || isAtEnd)
        }
        take(taken)
        guard isOver, let finished = large.take() else { return try fill() }
        let kept = finished.kept
        let refusal = finished.refusal()
        try kept.withUnsafeBytes { try body([Row(bytes: $0, refusal: refusal)]) }
    }

    private func take(_ count: Int) {
        waiting = (waiting.lowerBound + count)..<waiting.upperBound
        position += Int64(count)
    }

    /// A byte order mark is no part of the first record.
    private func begin() throws {
        guard !isBegun else { return }
        isBegun = true
        while waiting.count < Self.byteOrderMark.count, !isAtEnd { try fill() }
        if buffer[waiting].starts(with: Self.byteOrderMark) { take(Self.byteOrderMark.count) }
    }

    /// Reads on, once for all that has been taken: what waits is moved only when a chunk has come since.
    private func fill() throws {
        if buffer.count - waiting.upperBound < Self.chunkBytes {
            buffer.withUnsafeMutableBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                memmove(base, base + waiting.lowerBound, waiting.count)
            }
            waiting = 0..<waiting.count
        }
        do {
            let read = try buffer.withUnsafeMutableBytes { bytes in
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[waiting.upperBound...]))
            }
            waiting = waiting.lowerBound..<(waiting.upperBound + read)
            isAtEnd = read == 0
        } catch let error as Errno {
            throw SluiceError(.file, "\(name) cannot be read", cause: error)
        }
    }
}
