package import SluiceCore

/// As the API writes it: RFC 3339 in UTC, milliseconds only if not zero.
extension Timestamp: JSONWritable, Decodable {
    package func write(to json: inout JSONWriter) { json.string(description) }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = Timestamp.parse(text), Timestamp.range.contains(time) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not a time")
        }
        self.init(time)
    }
}
