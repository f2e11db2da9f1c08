import Foundation
import SluiceCore
package import SluiceLSTM
package import SluiceSchema

/// Recorded observations, to be read from their beginning as often as needed.
package protocol ObservationSource: Sendable {
    /// Whether streams are named by the record's key or by a field.
    var kind: InputSpecification.Source { get }
    /// What was read, to be stored with a model: of each file or partition what the ledger counted.
    func describe(_ ledger: DataLedger) throws -> (files: [DataManifest.File], topic: DataManifest.Topic?)
    /// The recorded commands among it; nil where none are looked for.
    func commands(_ ledger: DataLedger) -> DataManifest.Commands?
    /// Hands over all records in order, in batches; the bytes die with each call.
    func forEach(_ body: (ObservationBatch) throws -> Void) throws
}

package struct ObservationBatch {
    /// The number of the file, or of the partition, that these are from.
    package var origin: Int
    /// Recorded commands that take effect before these records.
    package var commands: [RecordedCommand] = []
    package var records: [InputRecord]
    /// What of the source is no record.
    package var refused: [RecordReader.Refusal] = []
    /// The format that begins here; nil: as configured, or as before.
    package var format: InputSpecification.Format?
    /// Share of the source read, 0 to 1.
    package var share: Double
}

/// Files of observations, one after the other.
package struct FileSource: ObservationSource {
    private let paths: [String]
    private let fileFormat: RecordReader.FileFormat?

    package init(_ paths: [String], fileFormat: RecordReader.FileFormat? = nil) {
        self.paths = paths
        self.fileFormat = fileFormat
    }

    package var kind: InputSpecification.Source { .field }

    package func forEach(_ body: (ObservationBatch) throws -> Void) throws {
        for (index, path) in paths.enumerated() {
            let reader = try RecordReader(path, fileFormat: fileFormat)
            var format: InputSpecification.Format? = reader.format
            var share = 0.0
            var isEmpty = true
            while try reader.next(
                limit: Limits.batchRecords,
                { rows in
                    isEmpty = false
                    try body(
                        ObservationBatch(
                            origin: index,
                            records: rows.filter { $0.refusal == nil }.map { InputRecord(value: $0.bytes) },
                            refused: rows.compactMap(\.refusal), format: format,
                            share: (Double(index) + share) / Double(paths.count)))
                    format = nil
                })
            {
                share = reader.size > 0 ? min(1, Double(reader.position) / Double(reader.size)) : 0
            }
            if isEmpty { throw Self.isEmpty(path) }
        }
    }

    package func describe(
        _ ledger: DataLedger
    ) throws -> (files: [DataManifest.File], topic: DataManifest.Topic?) {
        let files = try paths.enumerated().map { index, path in
            let (bytes, hash) = try FileHash.sha256(path)
            let entry = ledger.entries[index] ?? DataLedger.Entry()
            return DataManifest.File(
                name: path.split(separator: "/").last.map(String.init) ?? path, bytes: bytes, sha256: hash,
                observations: entry.observations, rejects: entry.rejects, first: entry.first, last: entry.last)
        }
        return (files, nil)
    }

    package func commands(_ ledger: DataLedger) -> DataManifest.Commands? { nil }

    static func isEmpty(_ path: String) -> SluiceError {
        SluiceError(.invalidInput, "\(path) holds no observations", remedy: "fill it, or leave it out of --data")
    }
}
