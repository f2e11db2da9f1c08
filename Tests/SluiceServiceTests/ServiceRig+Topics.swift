import CLibrdkafka
import Foundation
import SluiceConfiguration
import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceModels
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceKafka
@testable import SluiceService

/// An observation to be produced; nil is null.
struct Input: Sendable {
    var partition: Int32
    var key: String?
    var value: String?

    init(_ partition: Int32, _ key: String?, _ value: String?) {
        self.partition = partition
        self.key = key
        self.value = value
    }

    /// The `minute`-th observation of a stream.
    init(_ partition: Int32, _ stream: String, minute: Int, x: Double) {
        self.init(partition, stream, #"{"time":\#(60_000 * minute),"values":{"x":\#(x)}}"#)
    }
}

/// A record as it was read; nil is null.
struct Output: Sendable, Equatable {
    var partition: Int32
    var offset: Offset
    var key: String?
    var value: String?
    var headers: [String: String] = [:]

    /// The end of a prediction, which names its input.
    var source: Substring { value.map { $0.suffix(from: $0.lastIndex(of: "{") ?? $0.startIndex) } ?? "" }

    /// What a prediction says of itself.
    var prediction: PredictionText {
        get throws { try JSONDecoder().decode(PredictionText.self, from: Data((value ?? "").utf8)) }
    }
}

struct PredictionText: Decodable {
    struct Source: Decodable, Hashable {
        var topic: String
        var partition: Int32
        var offset: Offset
    }
    var stream: String
    var step: Int
    var source: Source
}

extension ServiceRig {
    /// Produces to the input topic and waits for the delivery.
    func produce(_ inputs: [Input]) throws {
        let producer = try KafkaProducer(
            kafka, topics: [.observations: configuration.input.topic], health: Self.health, logger: Self.quiet)
        defer { producer.close() }
        var batch = OutputBatch()
        for input in inputs { batch.add(input) }
        while try !producer.produce(&batch) { try producer.poll(timeoutMilliseconds: 10) }
        #expect(try producer.flush(timeoutMilliseconds: 60_000))
    }

    /// Reads a topic from its beginning until `isEnough`, for a minute at most; what was read by then is returned.
    /// Records are in the order of their partition.
    func read(_ topic: String, until isEnough: @escaping @Sendable ([Output]) -> Bool) async throws -> [Output] {
        try await onThread { try self.readNow(topic, until: isEnough) }
    }

    /// Waits for the predictions of so many inputs. One that was made twice, as when a rebalance came before its
    /// commit, must have the same bytes and is returned once.
    func predictions(_ count: Int) async throws -> [Output] {
        let found = try await read(configuration.output.topic) { Set($0.map(\.source)).count >= count }
        var values: [Substring: String?] = [:]
        let distinct = found.filter { output in
            let earlier = values.updateValue(output.value, forKey: output.source)
            #expect(earlier == nil || earlier == output.value)
            return earlier == nil
        }
        #expect(distinct.count == count)
        return distinct
    }

    /// All that a topic holds at present.
    func readAll(_ topic: String) async throws -> [Output] {
        let count = try await onThread {
            let reader = try KafkaReader(self.kafka, health: Self.health, logger: Self.quiet)
            defer { reader.close() }
            return try (0..<Int32(try self.partitions(of: topic))).reduce(0) { sum, partition in
                let key = TopicPartition(topic: topic, partition: partition)
                return sum + Int(try reader.watermarks(key, timeoutMilliseconds: 20_000).high)
            }
        }
        return try await read(topic) { $0.count >= count }
    }

    private func readNow(_ topic: String, until isEnough: ([Output]) -> Bool) throws -> [Output] {
        let count = try partitions(of: topic)
        let handle = try KafkaHandle(.reader, kafka, health: Self.health, logger: Self.quiet)
        let queue = rd_kafka_queue_new(handle.pointer)
        let opened = rd_kafka_topic_new(handle.pointer, topic, nil)
        for partition in 0..<Int32(count) { rd_kafka_consume_start_queue(opened, partition, 0, queue) }
        defer {
            for partition in 0..<Int32(count) { rd_kafka_consume_stop(opened, partition) }
            rd_kafka_topic_destroy(opened)
            rd_kafka_queue_destroy(queue)
            handle.close()
        }
        var outputs: [Output] = []
        // The service may wait for a thread of the pool as long as other tests hold them.
        let end = ContinuousClock.now + .seconds(300)
        while !isEnough(outputs), .now < end {
            var timeout: Int32 = 100
            while let message = rd_kafka_consume_queue(queue, timeout) {
                if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR { outputs.append(Output(message)) }
                rd_kafka_message_destroy(message)
                timeout = 0
            }
        }
        return outputs.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }
}

extension Output {
    fileprivate init(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        func text(_ start: UnsafeRawPointer?, _ count: Int) -> String? {
            start.map { String(decoding: UnsafeRawBufferPointer(start: $0, count: count), as: UTF8.self) }
        }
        self.init(
            partition: message.pointee.partition, offset: message.pointee.offset,
            key: text(message.pointee.key, message.pointee.key_len),
            value: text(message.pointee.payload, message.pointee.len))
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        for index in 0..<rd_kafka_header_cnt(list) {
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            rd_kafka_header_get_all(list, index, &name, &value, &size)
            if let name { headers[String(cString: name)] = text(value, size) }
        }
    }
}

extension OutputBatch {
    fileprivate mutating func add(_ input: Input) {
        func append(_ text: String) -> Range<Int> {
            let start = arena.count
            arena.append(text)
            return start..<arena.count
        }
        entries.append(
            Entry(
                topic: .observations, partition: input.partition, key: input.key.map(append),
                value: input.value.map(append)))
    }
}

extension ServiceRig {
    /// The models that fold among recorded commands, from the service's registry.
    private func models(of events: [Event]) throws -> [String: (FoldSpecification, InputSpecification)] {
        let versions = Scorer.models(of: events)
        guard !versions.isEmpty else { return [:] }
        let registry = try ModelRegistry(stateDirectory: configuration.state.directory)
        return try Dictionary(
            uniqueKeysWithValues: versions.map { version in
                let model = try registry.model(version: version)
                return (
                    version,
                    (
                        try configuration.foldSpecification(model),
                        try configuration.inputSpecification(
                            .field, for: model.manifest.inputs, fileFormat: .json)
                    )
                )
            })
    }

    /// What `score` answers to the same inputs, given the offsets they have in their partitions: by partition, in
    /// order. Inputs must all be readable.
    func scored(_ inputs: [Input], events: [Event] = []) throws -> [Int32: [String]] {
        let scorer = try Scorer(
            configuration.foldSpecification(model),
            input: configuration.inputSpecification(.field, for: ["x"], fileFormat: .json), topic: "none", batch: 64,
            events: events, models: try models(of: events))
        var offsets: [Int32: Offset] = [:]
        var lines: [Int32: [String]] = [:]
        for input in inputs {
            let offset = offsets[input.partition, default: 0]
            offsets[input.partition] = offset + 1
            let value = try #require(input.value), key = try #require(input.key)
            let row =
                #"{"stream":"\#(key)","source":{"topic":"\#(configuration.input.topic)","#
                + #""partition":\#(input.partition),"offset":\#(offset)},"# + value.dropFirst()
            try Array(row.utf8).withUnsafeBytes { bytes in
                try scorer.score([RecordReader.Row(bytes: bytes)]) { line in
                    lines[input.partition, default: []].append(String(decoding: line, as: UTF8.self))
                } reject: { reject, _ in
                    Issue.record("row \(row) is refused: \(reject.message)")
                }
            }
        }
        return lines
    }
}
