import SluiceCore
import SluiceLog

/// The inputs of a run and when they are written.
struct Workload {
    struct Input {
        var at: Int64
        var partition: Int32
        var record: SimulatedRecord
    }

    var inputs: [Input] = []

    init(_ scenario: Scenario) {
        var random = SimulationRandom(seed: scenario.workloadSeed)
        var time: Int64 = 1_700_000_000_000
        for _ in 0..<scenario.inputs {
            let stream = random.below(scenario.streams)
            time += random.once(in: 40) ? 10_000_000 : Int64(random.below(60_000))
            inputs.append(
                Input(
                    at: random.within(0...scenario.milliseconds), partition: Int32(stream % scenario.partitions),
                    record: Self.record("stream-\(stream)", time, scenario, &random)))
        }
        // In the order of their times: what is late is drawn.
        for (index, at) in inputs.map(\.at).sorted().enumerated() { inputs[index].at = at }
        if let huge = scenario.huge { enlarge(huge, scenario) }
    }

    /// Gives some records values that floats hold and a step does not.
    private mutating func enlarge(_ count: Int, _ scenario: Scenario) {
        var random = SimulationRandom(seed: scenario.workloadSeed ^ 3)
        for index in inputs.indices where random.once(in: count) {
            let time = inputs[index].record.timestamp
            guard time > 0, inputs[index].record.value != nil else { continue }
            let value = random.once(in: 2) ? "3e38" : "-3e38"
            inputs[index].record.value = Array("{\"time\":\(time),\"values\":{\"a\":\(value),\"b\":1}}".utf8)
        }
    }

    private static func record(
        _ stream: String, _ time: Int64, _ scenario: Scenario, _ random: inout SimulationRandom
    ) -> SimulatedRecord {
        func value(_ isMissing: Bool) -> String { isMissing ? "null" : "\(random.float() * 20)" }
        let body = "\"values\":{\"a\":\(value(random.once(in: 9))),\"b\":\(value(random.once(in: 9)))}"
        var more = ""
        var header: String?
        var isEnd = false
        var at = time
        switch random.below(30) {
        case 0: isEnd = true
        case 1: more = ",\"sequence\":\"\(random.below(3))\""
        case 2: header = random.once(in: 2) ? "start" : "end"
        case 3: more = ",\"boundary\":\"end\""
        case 4: at -= 3_600_000
        default: break
        }
        var record = SimulatedRecord(
            key: Array(stream.utf8), value: isEnd ? nil : Array("{\"time\":\(at),\(body)\(more)}".utf8), timestamp: time
        )
        if let header {
            record.headers.append(SimulatedRecord.Header(name: boundaryHeader, value: Array(header.utf8)))
        }
        if let poison = scenario.poison, random.once(in: poison) { spoil(&record, body, &random) }
        return record
    }

    private static func spoil(_ record: inout SimulatedRecord, _ body: String, _ random: inout SimulationRandom) {
        switch random.below(6) {
        case 0: record.value = Array("not JSON".utf8)
        case 1: record.value = Array(repeating: UInt8(ascii: "x"), count: 3_000)
        case 2: record.value = Array("{\"time\":1,\"values\":{\"a\":NaN,\"b\":1}}".utf8)
        case 3:
            // No time in the record, none in its value: Kafka's −1 is no time of 1969.
            record.value = Array("{\(body)}".utf8)
            record.timestamp = .absent
        case 4: record.key = nil
        default: record.value = []
        }
    }
}

extension SimulatedCluster {
    /// Writes the inputs when their time comes.
    func schedule(_ workload: Workload, transactional: Bool, _ random: inout SimulationRandom) {
        var sequences: [Int32: Int32] = [:]
        for input in workload.inputs {
            let partition = TopicPartition(topic: Topics.input, partition: input.partition)
            var stamp: ProducerStamp?
            if transactional {
                stamp = ProducerStamp(
                    producer: Int64(input.partition), epoch: 0, sequence: sequences[input.partition] ?? 0,
                    isTransactional: true)
                sequences[input.partition] = (sequences[input.partition] ?? 0) + 1
            }
            let marks = transactional && random.once(in: 4)
            let commits = !random.once(in: 5)
            after(input.at * 1_000_000) { [unowned self] in
                guard let log = try? log(partition) else { return }
                _ = try? log.append([input.record], stamp)
                guard marks else { return }
                log.mark(producer: Int64(input.partition), epoch: 0, commits: commits, at: wallMilliseconds)
            }
        }
        guard transactional else { return }
        let end = (workload.inputs.last?.at ?? 0) * 1_000_000 + 1
        for index in topics[Topics.input, default: []].indices {
            after(end) { [unowned self] in
                guard let log = try? log(TopicPartition(topic: Topics.input, partition: Int32(index))) else { return }
                log.mark(producer: Int64(index), epoch: 0, commits: true, at: wallMilliseconds)
            }
        }
    }
}
