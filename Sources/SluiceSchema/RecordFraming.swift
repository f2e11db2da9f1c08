/// Where records end in a file of many.
package enum RecordFraming {
    /// The length of the first record with its line end, nil when the end is not among the bytes. NDJSON: a line.
    /// CSV: a line, but line ends within quotes do not count; a quote opens only where a field begins.
    package static func firstRecord(of bytes: UnsafeRawBufferPointer, isCSV: Bool) -> Int? {
        var isQuoted = false
        var opens = true
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0A && !isQuoted { return index + 1 }
            guard isCSV else { continue }
            if byte == 0x22 {
                // A quote right behind a closing one is an escaped quote: the field goes on.
                if isQuoted { opens = true }
                isQuoted = isQuoted ? false : opens
            } else if !isQuoted {
                opens = byte == 0x2C
            }
        }
        return nil
    }

    /// The column names of a CSV file's header line; a byte order mark before them is passed over. Nil when it is
    /// malformed.
    package static func header(_ line: UnsafeRawBufferPointer) -> [String]? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = line.starts(with: mark) ? UnsafeRawBufferPointer(rebasing: line[mark.count...]) : line
        var isQuoted = false
        var count = 1
        for byte in text {
            if byte == 0x22 { isQuoted.toggle() }
            if byte == 0x2C && !isQuoted { count += 1 }
        }
        var fields = CSVFields(roles: (0..<count).map { .text(slot: $0) }, slots: count)
        guard fields.split(text) == nil else { return nil }
        return (0..<count).map { fields.values[$0].string }
    }
}
