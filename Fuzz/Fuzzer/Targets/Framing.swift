import SluiceCore
import SluiceSchema

/// A file of records, in the pieces in which it arrives: the first byte is their size, in thousandths of the file if it
/// is large. A byte 0xFF stands for a stretch
/// of text, so that small inputs reach the limit of a quoted record.
struct Framing: FuzzTarget {
    private static let stretch = [UInt8](repeating: UInt8(ascii: "x"), count: 12_000)
    private static let fileBytesMax = 100_000

    static func seeds() -> [Seed] {
        let quoted = Array("\u{7}a,\"b\nc\"\"\n".utf8)
        return [
            Seed("seed-csv", "\u{3}stream,time,\"load, kW\"\r\na,1,2\r\n\"b\n\"\"c\",2,\n"),
            Seed("seed-ndjson", "\u{10}{\"stream\":\"a\"}\n\n{\"stream\":\"b\"}"),
            Seed("seed-mark", "\u{1}\u{FEFF}stream, time ,\"a,\"\"b\"\"\"\r\n"),
            Seed("seed-unclosed", "\u{2}a,\"b\nc,d\ne\"f,g\n\"h"),
            Seed("seed-long", quoted + [UInt8](repeating: 0xFF, count: 6) + Array("\nd,e\n".utf8)),
        ]
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        guard let first = bytes.first else { return }
        var file: [UInt8] = []
        for byte in bytes.dropFirst() where file.count < Self.fileBytesMax {
            if byte == 0xFF { file += Self.stretch } else { file.append(byte) }
        }
        let size = (Int(first) + 1) * (1 + file.count / 1_000)
        for isCSV in [false, true] {
            let whole = Self.records(file, isCSV: isCSV, arriving: max(1, file.count))
            check(whole == Self.records(file, isCSV: isCSV, arriving: size), "pieces are no matter to the records")
            var start = 0
            for record in whole {
                check(record.length > 0 && record.length <= file.count - start, "a record lies within the file")
                let text = file[start..<start + record.length]
                let lineEnds = text.count { $0 == 0x0A }
                check(record.lines == lineEnds + (text.last == 0x0A ? 0 : 1), "a record knows its lines")
                check(isCSV || lineEnds == 0 || lineEnds == 1 && text.last == 0x0A, "an NDJSON record is a line")
                start += record.length
            }
            check(start == file.count, "every byte belongs to a record")
        }
        Self.readHeader(of: file)
    }

    private static func records(_ file: [UInt8], isCSV: Bool, arriving size: Int) -> [RecordFraming.Record] {
        var framing = RecordFraming(isCSV: isCSV)
        var records: [RecordFraming.Record] = []
        var (start, end, isAtEnd) = (0, 0, false)
        file.withUnsafeBytes { file in
            while !isAtEnd {
                isAtEnd = end == file.count
                end = min(file.count, end + size)
                while let record = framing.record(
                    in: UnsafeRawBufferPointer(rebasing: file[start..<end]), isAtEnd: isAtEnd)
                {
                    records.append(record)
                    start += record.length
                }
            }
        }
        return records
    }

    /// A header that names the columns needed is followed by rows, as in a file for `score`.
    private static func readHeader(of file: [UInt8]) {
        let line = file.prefix { $0 != 0x0A }
        guard let columns = withBytes(Array(line), RecordFraming.header) else { return }
        let features = columns.filter { !["stream", "time", "sequence", "boundary", "label"].contains($0) }
        let specification = InputSpecification(
            source: .field, format: .csv(columns: columns), features: features.map { InputSpecification.Feature($0) })
        guard var decoder = try? ObservationDecoder(specification) else { return }
        var rows = ObservationColumns(featureCount: features.count, rowsExpected: 1)
        _ = withBytes(Array(file.dropFirst(line.count + 1))) { decoder.append(InputRecord(value: $0), to: &rows) }
    }
}
