public import SluiceCore

/// One prediction, its bytes borrowed.
public struct Prediction {
    /// The stream's name, UTF-8.
    public var stream: UnsafeRawBufferPointer
    public var time: EpochMilliseconds
    /// Nil base address: null.
    public var sequence: UnsafeRawBufferPointer
    public var step: Int64
    public var warm: Bool
    /// In the order of the layout's outputs; finite.
    public var outputs: UnsafePointer<Float>
    /// In [0, 1]; nil: null.
    public var anomaly: Float?
    /// The source topic's name, UTF-8.
    public var topic: UnsafeRawBufferPointer
    public var partition: Int32
    public var offset: Offset

    public init(
        stream: UnsafeRawBufferPointer, time: EpochMilliseconds, sequence: UnsafeRawBufferPointer, step: Int64,
        warm: Bool,
        outputs: UnsafePointer<Float>, anomaly: Float?, topic: UnsafeRawBufferPointer, partition: Int32, offset: Offset
    ) {
        self.stream = stream
        self.time = time
        self.sequence = sequence
        self.step = step
        self.warm = warm
        self.outputs = outputs
        self.anomaly = anomaly
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }
}

extension PredictionLayout {
    /// Appends the prediction's JSON (`schemas/prediction.schema.json`) and returns where it is. No allocation but
    /// the arena's.
    public func encode(_ prediction: Prediction, into arena: inout ByteArena) -> Range<Int> {
        let start = arena.count
        let room =
            256 + text.count + (pieces.count + 6) * JSONText.numberBytesMax
            + 6 * (prediction.stream.count + prediction.sequence.count + prediction.topic.count)
        var writer = Writer(at: arena.reserve(room))
        let first = writer.at
        writer.put("{\"stream\":")
        writer.at += JSONText.write(prediction.stream, to: writer.at)
        writer.put(",\"time\":\"")
        writer.at += Timestamp.write(prediction.time, to: writer.at)
        writer.put("\",\"sequence\":")
        if prediction.sequence.baseAddress == nil {
            writer.put("null")
        } else {
            writer.at += JSONText.write(prediction.sequence, to: writer.at)
        }
        writer.put(",\"step\":")
        writer.at += JSONText.write(prediction.step, to: writer.at)
        if prediction.warm { writer.put(",\"warm\":true") } else { writer.put(",\"warm\":false") }
        text.withUnsafeBytes { text in
            for index in 0..<pieces.count {
                let piece = pieces[index]
                writer.put(text, piece.start, piece.count)
                writer.at += JSONText.write(prediction.outputs[piece.output], to: writer.at)
            }
            writer.put(text, closing.lowerBound, closing.count)
        }
        if let anomaly = prediction.anomaly {
            writer.at += JSONText.write(anomaly, to: writer.at)
        } else {
            writer.put("null")
        }
        writer.put(",\"source\":{\"topic\":")
        writer.at += JSONText.write(prediction.topic, to: writer.at)
        writer.put(",\"partition\":")
        writer.at += JSONText.write(Int64(prediction.partition), to: writer.at)
        writer.put(",\"offset\":")
        writer.at += JSONText.write(prediction.offset, to: writer.at)
        writer.put("}}")
        assert(writer.at - first <= room)
        arena.advance(by: writer.at - first)
        return start..<arena.count
    }

    /// Writes onto memory that was reserved for the whole message.
    private struct Writer {
        var at: UnsafeMutableRawPointer

        @inline(__always)
        mutating func put(_ literal: StaticString) {
            at.copyMemory(from: literal.utf8Start, byteCount: literal.utf8CodeUnitCount)
            at += literal.utf8CodeUnitCount
        }

        @inline(__always)
        mutating func put(_ source: UnsafeRawBufferPointer, _ start: Int, _ count: Int) {
            guard count > 0, let base = source.baseAddress else { return }
            at.copyMemory(from: base + start, byteCount: count)
            at += count
        }
    }
}
