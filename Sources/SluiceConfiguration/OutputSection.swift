/// `output`: the topics of predictions and of rejects.
package struct OutputSection: Sendable, Equatable {
    package let topic: String
    /// Malformed input goes here with the reason in headers.
    package let rejects: String

    init(_ reader: inout SettingsReader, input: InputSection) {
        topic = reader.read("output.topic", .topic, required: "output")
        rejects = reader.read("output.rejects", .topic, default: "\(input.topic).rejected")
        if !reader.isGiven("output.rejects"), rejects.utf8.count > 249 {
            reader.report("output.rejects", "must be given: input.topic with \".rejected\" is too long for a topic")
        }
    }
}

/// `state`: the state directory.
package struct StateSection: Sendable, Equatable {
    package let directory: String
    /// Longest time between two saves of a slot that changes.
    package let checkpoint: Duration
    /// Event time after which an idle slot is spilled to disk.
    package let idle: Duration
    /// Streams of this instance that are in memory at a time; nil: all that are not idle.
    package let streamsInMemory: Int?
    /// What becomes of streams whose inputs retention has taken before they were stored.
    package let lostInput: LostInput

    package enum LostInput: String, Sendable, CaseIterable {
        case fail
        case coldStart = "cold-start"
    }

    init(_ reader: inout SettingsReader) {
        directory = reader.read("state.directory", .text, default: "./state")
        checkpoint = reader.read("state.checkpoint", .duration, default: .seconds(10))
        idle = reader.read("state.idle", .duration, default: .seconds(7 * 86_400))
        streamsInMemory = reader.read("state.streams_in_memory", optional: .integer(1...Int(Int32.max)))
        lostInput = reader.read("state.lost_input", .choice, default: .fail)
    }
}
