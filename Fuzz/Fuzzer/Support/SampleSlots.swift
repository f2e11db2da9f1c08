import Foundation
import SluiceCore
import SluiceEngine
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState

/// Small models of every kind of slot, each with its fold.
enum SampleModels {
    static func folds() throws -> [Fold] { try all.map(fold) }

    static func fold(_ model: Model) throws -> Fold {
        let specification = FoldSpecification(
            model: model, boundaries: BoundaryPolicy(sequenceChange: true, gap: 5, every: 100))
        let features = model.manifest.inputs.map { InputSpecification.Feature($0) }
        return try Fold(specification: specification, input: InputSpecification(features: features))
    }

    static let all = [
        model(.point, hidden: 1),
        model(.gaussian, inputs: 3, hidden: 5, layers: 2, targets: ["f1", "f2"], horizons: [3, 7]),
        model(.quantile, inputs: 2, hidden: 2, horizons: [2], quantiles: [0.1, 0.5, 0.9]),
        model(.categorical, inputs: 2, hidden: 3, classes: 4),
    ]

    private static func model(
        _ head: HeadKind, inputs: Int = 1, hidden: Int, layers: Int = 1, targets: [String] = ["f0"],
        horizons: [Int] = [1], quantiles: [Double] = [], classes: Int? = nil
    ) -> Model {
        let manifest = ModelManifest(
            name: "sample", version: "v1", inputs: (0..<inputs).map { "f\($0)" },
            targets: head.classifies ? [] : targets, horizons: head.classifies ? [] : horizons, head: head,
            quantiles: quantiles, scaling: .perStream, classes: classes)
        let shape = LSTMShape(inputs: inputs, hidden: hidden, layers: layers, outputs: manifest.outputs)
        var parameters = LSTMParameters(shape: shape)
        for index in parameters.values.indices { parameters.values[index] = Float(index % 7 - 3) / 4 }
        return Model(manifest: manifest, parameters: parameters, hash: String(repeating: "5a", count: 32))
    }
}

/// One partition of a service with a sample model: its slots, and what the worker does with them.
struct SampleSlots {
    private let fold: Fold
    private let state: PartitionState
    private let format: SlotSnapshot

    /// - Parameter fold: between two batches it is as new, and making one takes longer than what is tried with it.
    init(_ fold: Fold) throws {
        self.fold = fold
        state = PartitionState(partition: 0, fold: fold, recentCapacity: 4)
        format = try fold.specification.snapshots
    }

    var modelHash: String { fold.specification.model.hash }
    var table: SlotTable { state.table }

    /// Restores a snapshot; its key.
    func restore(_ snapshot: [UInt8]) throws -> [UInt8] {
        try snapshot.withUnsafeBytes { Array(table.key(try format.restore($0, into: table))) }
    }

    /// Every slot's snapshot in the order of their keys.
    func snapshots() throws -> [[UInt8]] {
        var found: [(key: [UInt8], snapshot: [UInt8])] = []
        table.forEach { slot in
            var arena = ByteArena()
            let header = table[slot].header.pointee
            // Behind what the fold has applied, and where the restored one stood.
            let held = table.held(slot)
            format.write(
                slot, of: table, position: max(held?.position ?? 0, header.fence + 1), control: held?.control ?? 0,
                to: &arena)
            found.append((Array(table.key(slot)), Array(arena.bytes)))
        }
        return found.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.snapshot)
    }

    /// Folds observations from the whole range of times, and checks that each is answered in JSON.
    func fold(_ keys: [String], sequences: [String?]) throws {
        let times = [0, Timestamp.range.lowerBound, 1, 3, Timestamp.range.upperBound - 1]
        var outputs = OutputBatch()
        for (index, time) in times.enumerated() {
            let sequence = sequences[index % sequences.count].map { ",\"sequence\":\(JSONText.quoted($0))" } ?? ""
            let mark = index == 3 ? ",\"boundary\":\"end\"" : ""
            let value = Array("{\"time\":\(time),\"values\":{\"f0\":\(index)},\"label\":1\(sequence)\(mark)}".utf8)
            for key in keys {
                try withBytes(value) { value in
                    try withBytes(Array(key.utf8)) { key in
                        let record = LogRecord(
                            partition: 0, offset: Offset(index), timestamp: 0, key: key, value: value)
                        try withUnsafePointer(to: record) { record in
                            try fold.append(record.pointee, at: 0, of: state)
                            fold.run()
                            fold.emit(
                                UnsafeBufferPointer(start: record, count: 1), topic: "t", messageBytesMax: 1 << 20,
                                into: &outputs)
                            fold.clear()
                        }
                    }
                }
            }
        }
        check(outputs.entries.count == times.count * keys.count, "every observation is answered")
        for entry in outputs.entries where entry.topic == .predictions {
            let text = entry.value.map { Data(outputs.arena.bytes($0)) } ?? Data()
            check((try? JSONSerialization.jsonObject(with: text)) != nil, "a prediction is JSON")
        }
    }
}
