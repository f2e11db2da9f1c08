package import SluiceCore

/// 200 of a command to one stream: applied.
package struct AppliedCommand: Hashable, Sendable, Decodable {
    package var id: String
    package var stream: String
    package var partition: Int32
    /// The first input folded from the fresh state, or from the imported one.
    package var offset: Offset

    package init(id: String, stream: String, partition: Int32, offset: Offset) {
        self.id = id
        self.stream = stream
        self.partition = partition
        self.offset = offset
    }
}

/// Answer to a reset of many streams; a dry run has no id.
package struct ManyReset: Hashable, Sendable, Decodable {
    package var id: String?
    package var matched: Int

    package init(id: String?, matched: Int) {
        self.id = id
        self.matched = matched
    }
}

/// 202 of a command to one stream: recorded, not applied yet.
package struct PendingCommand: Hashable, Sendable, Decodable {
    package var id: String

    package init(id: String) { self.id = id }
}

extension AppliedCommand: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("id", id)
            $0.member("stream", stream)
            $0.member("partition", partition)
            $0.member("offset", offset)
        }
    }
}

extension ManyReset: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            if let id { $0.member("id", id) }
            $0.member("matched", matched)
        }
    }
}

extension PendingCommand: JSONWritable {
    package func write(to json: inout JSONWriter) { json.object { $0.member("id", id) } }
}
