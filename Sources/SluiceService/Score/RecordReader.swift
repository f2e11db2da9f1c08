import SluiceCore
package import SluiceSchema
import SystemPackage

/// Reads a file of records in bounded pieces: NDJSON lines, or CSV records behind their header line.
package final class RecordReader {
    /// A record larger than this cannot be passed over either; the file is refused.
    private static let recordBytesMaximum = 64 << 20
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
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

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
        guard isCSV else {
            format = .json
            return
        }
        format = .csv(columns: [])
        let columns = try readHeader(path)
        format = .csv(columns: columns)
    }

    deinit { if ownsFile { try? file.close() } }

    private func readHeader(_ path: String) throws -> [String] {
        while true {
            let line = buffer.withUnsafeBytes { bytes -> (Int, [String]?)? in
                guard let length = RecordFraming.firstRecord(of: bytes, isCSV: true) ?? (isAtEnd ? bytes.count : nil)
                else { return nil }
                return (length, RecordFraming.header(UnsafeRawBufferPointer(rebasing: bytes[..<length])))
            }
            if let (length, columns) = line {
                guard let columns, length > 0 else {
                    throw SluiceError(
                        .invalidInput, "\(path) has no header line",
                        remedy: "the first line of a CSV file names its columns: stream,time and one per feature")
                }
                start = length
                position = Int64(length)
                return columns
            }
            try fill()
        }
    }

    /// Calls `body` with the next records, at most `limit`, blank lines left out; false at the end of the file. The
    /// bytes die when `body` returns.
    package func next(limit: Int, _ body: (borrowing [UnsafeRawBufferPointer]) throws -> Void) throws -> Bool {
        while true {
            let isCSV = if case .csv = format { true } else { false }
            let (start, isAtEnd) = (start, isAtEnd)
            let (taken, isEmpty) = try buffer.withUnsafeBytes { bytes in
                var records: [UnsafeRawBufferPointer] = []
                var position = start
                while records.count < limit, position < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                    guard let length = RecordFraming.firstRecord(of: rest, isCSV: isCSV) ?? (isAtEnd ? rest.count : nil)
                    else { break }
                    let record = Self.trimmed(UnsafeRawBufferPointer(rebasing: rest[..<length]))
                    if !record.isEmpty { records.append(record) }
                    position += length
                }
                if !records.isEmpty { try body(records) }
                return (position - start, records.isEmpty)
            }
            self.start += taken
            position += Int64(taken)
            if !isEmpty { return true }
            if isAtEnd && self.start == buffer.count { return false }
            try fill()
        }
    }

    /// Without its line end.
    private static func trimmed(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = line.count
        while end > 0, line[end - 1] == 0x0A || line[end - 1] == 0x0D { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: line[..<end])
    }

    private func fill() throws {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        guard buffer.count < Self.recordBytesMaximum else {
            throw SluiceError(
                .invalidInput,
                "\(name) has a record of more than \(Self.recordBytesMaximum) bytes near byte \(position)",
                remedy: "is it one record a line?")
        }
        let count = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: Self.chunkBytes))
        do {
            let read = try buffer.withUnsafeMutableBytes { bytes in
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[count...]))
            }
            buffer.removeLast(Self.chunkBytes - read)
            isAtEnd = read == 0
            if position == 0, count == 0, buffer.starts(with: Self.byteOrderMark) {
                buffer.removeFirst(Self.byteOrderMark.count)
            }
        } catch let error as Errno {
            throw SluiceError(.file, "\(name) cannot be read", cause: error)
        }
    }
}
