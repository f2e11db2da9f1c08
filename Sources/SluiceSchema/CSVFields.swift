internal import CSimdJSON
internal import SluiceCore

/// Splits one CSV record (RFC 4180) into the same results a JSON document gives. Owner of the results.
struct CSVFields: ~Copyable {
    private let columns: [sluice_csv_column]
    let values: UnsafeMutablePointer<sluice_json_value>
    /// The record, which is unquoted where it lies, and zeros behind it: it is looked at in blocks.
    private var line = ByteArena(capacity: 256)
    private static let padding = 64

    init(columns: [sluice_csv_column], slots: Int) {
        self.columns = columns
        values = .allocate(capacity: max(1, slots))
        // Columns that are not there stay missing.
        values.initialize(repeating: sluice_json_value(), count: max(1, slots))
    }

    deinit { values.deallocate() }

    /// Nil when the record is good, else what is wrong with it (a constant). The results are valid until the next.
    mutating func split(_ record: UnsafeRawBufferPointer) -> UnsafePointer<CChar>? {
        line.removeAll()
        let start = line.reserve(record.count + Self.padding)
        if let base = record.baseAddress { start.copyMemory(from: base, byteCount: record.count) }
        (start + record.count).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
        return columns.withUnsafeBufferPointer {
            sluice_csv_split(
                $0.baseAddress, $0.count, start.assumingMemoryBound(to: CChar.self), record.count, values)
        }
    }
}

extension FieldSlots {
    /// What each column becomes. Throws `configuration-invalid` for a column given twice or one that is needed and
    /// not there.
    func columns(
        named columns: [String], _ specification: InputSpecification
    ) throws(SluiceError) -> [sluice_csv_column] {
        var needed = specification.features.map(\.name)
        if stream >= 0 { needed += ["stream", "time"] }
        for name in needed where columns.count(where: { $0 == name }) != 1 {
            throw SluiceError(
                .invalidConfiguration, "the CSV columns \(columns) must have \"\(name)\" once",
                remedy: "the columns are stream, time, one per feature, and optionally sequence, boundary, label")
        }
        return columns.map { name in
            let feature = specification.features.firstIndex { $0.name == name }
            let (role, slot) =
                switch name {
                case _ where feature != nil: (SLUICE_CSV_NUMBER, feature ?? -1)
                case "stream": (SLUICE_CSV_TEXT, stream)
                case "time": (SLUICE_CSV_TIME, time)
                case "label": (SLUICE_CSV_LABEL, label)
                case "sequence": (SLUICE_CSV_TEXT, sequence)
                case "boundary": (SLUICE_CSV_TEXT, boundary)
                default: (SLUICE_CSV_IGNORED, -1)
                }
            return slot < 0
                ? sluice_csv_column(role: SLUICE_CSV_IGNORED, slot: 0)
                : sluice_csv_column(role: role, slot: UInt32(slot))
        }
    }
}
