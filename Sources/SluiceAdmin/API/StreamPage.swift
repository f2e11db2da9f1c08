package import SluiceCore

/// `GET /v1/streams`: streams in the byte order of their keys.
package struct StreamPage: Hashable, Sendable, Decodable {
    package var streams: [StreamSummary]
    /// What to pass as `after` for the following page; nil on the last.
    package var next: String?

    package init(streams: [StreamSummary], next: String?) {
        self.streams = streams
        self.next = next
    }
}

/// One stream in a list.
package struct StreamSummary: Hashable, Sendable, Decodable {
    package var stream: String
    package var partition: Int32
    /// Observations applied since the last boundary.
    package var step: Int64
    package var sequence: String?
    /// Latest event time applied.
    package var time: Timestamp?
    /// The latest forecast of the first target at the smallest horizon.
    package var forecast: Float?
    /// In [0, 1]; nil until the slot is warm.
    package var anomaly: Float?
    /// Rolling mean absolute error.
    package var error: Float?
    /// Latest values of the first target, oldest first; only on request.
    package var values: [StreamValue]?

    package init(
        stream: String, partition: Int32, step: Int64, sequence: String? = nil, time: Timestamp? = nil,
        forecast: Float? = nil, anomaly: Float? = nil, error: Float? = nil, values: [StreamValue]? = nil
    ) {
        self.stream = stream
        self.partition = partition
        self.step = step
        self.sequence = sequence
        self.time = time
        self.forecast = forecast
        self.anomaly = anomaly
        self.error = error
        self.values = values
    }
}

/// One value of a stream in a list.
package struct StreamValue: Hashable, Sendable, Decodable {
    package var offset: Offset
    package var value: Float?

    package init(offset: Offset, value: Float?) {
        self.offset = offset
        self.value = value
    }
}

extension StreamPage: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("streams", streams)
            $0.member("next", next)
        }
    }
}

extension StreamSummary: JSONWritable {
    package func write(to json: inout JSONWriter) { json.object { writeMembers(to: &$0) } }

    func writeMembers(to json: inout JSONWriter) {
        json.member("stream", stream)
        json.member("partition", partition)
        json.member("step", step)
        json.member("sequence", sequence)
        json.member("time", time)
        json.member("forecast", forecast)
        json.member("anomaly", anomaly)
        json.member("error", error)
        if let values { json.member("values", values) }
    }
}

extension StreamValue: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("offset", offset)
            $0.member("value", value)
        }
    }
}
