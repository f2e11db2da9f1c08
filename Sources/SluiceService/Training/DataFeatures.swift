import Foundation
import SluiceCore
import SluiceSchema

/// What a file of observations says itself about its features.
package enum DataFeatures {
    private static let fields: Set<String> = ["stream", "time", "sequence", "boundary", "label"]

    /// The columns of a CSV file that are no fields, or the members of `values` of the first JSON record that are
    /// numbers or null; in the file's order. Empty where a first record does not tell.
    ///
    /// - Throws: `file`; `input-invalid` for a file without observations.
    package static func names(in path: String, fileFormat: RecordReader.FileFormat?) throws -> [String] {
        let reader = try RecordReader(path, fileFormat: fileFormat)
        var first: Data?
        while first == nil, try reader.next(limit: 1, { rows in first = Data(rows[0].bytes) }) {}
        guard let first else { throw FileSource.isEmpty(path) }
        if case .csv(let columns) = reader.format { return columns.filter { !fields.contains($0) } }
        return names(ofRecord: first)
    }

    static func names(ofRecord record: Data) -> [String] {
        guard let document = try? JSONSerialization.jsonObject(with: record) as? [String: Any],
            let values = document["values"] as? [String: Any]
        else { return [] }
        // A dictionary forgets the order, which is that of the model's inputs.
        let order = members(record)
        return values.filter { $0.value is NSNumber || $0.value is NSNull }.keys
            .sorted { (order[$0] ?? .max, $0) < (order[$1] ?? .max, $1) }
    }

    /// Where each member name first stands. The record is known to be JSON, so only strings need care.
    private static func members(_ record: Data) -> [String: Int] {
        var found: [String: Int] = [:]
        var start: Int?
        var isEscaped = false
        for (index, byte) in record.enumerated() {
            guard let first = start else {
                if byte == UInt8(ascii: "\"") { start = index }
                continue
            }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                let text = record.dropFirst(first).prefix(index - first + 1)
                if let name = try? JSONDecoder().decode(String.self, from: Data(text)), found[name] == nil {
                    found[name] = index
                }
                start = nil
            }
        }
        return found
    }
}

/// Features as a setting's text.
package enum FeatureList {
    /// `{"name": "/values/name", …}`, with other pointers where they are given.
    package static func text(_ names: [String], _ pointers: [String: String] = [:]) -> String {
        let members = names.map { name in
            let pointer = pointers[name] ?? InputSpecification.Feature(name).pointer
            return "\(JSONText.quoted(name)): \(JSONText.quoted(pointer))"
        }
        return "{" + members.joined(separator: ", ") + "}"
    }
}
