import Foundation
import SluiceLSTM

@testable import SluiceTraining

/// What plain PyTorch loops compute: `make_goldens.py`.
struct Golden: Decodable {
    /// One pass with the parameters to start from, and the parameters after 50 updates.
    let outputs, losses: Tensor
    let gradients, end: [String: Tensor]

    /// The cases of a file, by head and initial state.
    static func cases(_ arrangement: Arrangement, layers: Int) throws -> [String: Golden] {
        try read("\(arrangement.rawValue)-\(layers)", as: [String: Golden].self)
    }

    /// `make_goldens.py`: "optimizers.json".
    struct Optimizers: Decodable {
        struct Schedules: Decodable {
            let losses: [Double]
            let rates: [String: [Double]]
        }

        let ends: [String: [String: Tensor]]
        let schedules: Schedules
    }

    static func optimizers() throws -> Optimizers { try read("optimizers", as: Optimizers.self) }

    static func read<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name).json")
        return try JSONDecoder().decode(type, from: Data(contentsOf: file))
    }
}

/// Float32, little-endian, in base64.
struct Tensor: Decodable {
    let values: [Float]

    init(from decoder: any Decoder) throws {
        let data = Data(base64Encoded: try decoder.singleValueContainer().decode(String.self)) ?? Data()
        values = stride(from: 0, to: data.count, by: 4).map { start in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[start + $1]) << (8 * $1) })
        }
    }
}

/// A carry policy and an order of rows.
enum Arrangement: String, CaseIterable {
    case perBatch = "per-batch"
    case lanes = "across-batches"
    case strided = "across-batches-strided"
    case acrossSequences = "across-sequences"

    var policy: CarryPolicy {
        switch self {
        case .perBatch: .perBatch
        case .lanes, .strided: .acrossBatches
        case .acrossSequences: .acrossSequences
        }
    }

    func plan(_ segments: [Segment]) -> BatchPlan {
        .inOrder(
            segments, policy: policy, order: self == .strided ? .strided : .lanes, chunk: GoldenInputs.chunk,
            rows: GoldenInputs.rows)
    }
}

/// What the goldens start from: sizes as in the script, data and parameters from `inputs.json`.
struct GoldenInputs: Decodable {
    static let (inputs, hidden, chunk, rows, updates) = (2, 3, 4, 3, 50)
    static let seed: UInt64 = 11

    struct Stream: Decodable {
        let inputs, targets, binary, categorical: Tensor
        let lengths: [Int]
    }

    let streams: [Stream]
    let starts: [String: [String: Tensor]]

    static let all = Result { try Golden.read("inputs", as: GoldenInputs.self) }

    static func manifest(_ head: HeadKind, _ initial: InitialStateKind) -> ModelManifest {
        ModelManifest(
            name: "golden", version: "v1", inputs: ["a", "b"], targets: head.classifies ? [] : ["a"],
            horizons: [1, 2], head: head, quantiles: head == .quantile ? [0.1, 0.5, 0.9] : [], initialState: initial,
            initialStateDeviation: 0.5, initialStateRange: [-0.25, 1], classes: head == .categorical ? 3 : nil)
    }

    func dataset(_ manifest: ModelManifest) throws -> Dataset {
        let series = streams.enumerated().map { index, stream in
            var series = TrainingSeries(name: "stream \(index)")
            let count = stream.lengths.reduce(0, +)
            series.inputs = Column(stream.inputs.values)
            if manifest.head.classifies {
                series.labels = Column((manifest.head == .binary ? stream.binary : stream.categorical).values)
            } else {
                series.targets = Column(stream.targets.values)
                series.center = Column(repeating: 0, count: count)
                series.scale = Column(repeating: 1, count: count)
            }
            series.boundary = Column(stream.lengths.flatMap { length in (0..<length).map { $0 == 0 } })
            series.warm = Column(repeating: true, count: count)
            series.times = Column((0..<count).map { Int64($0) })
            return series
        }
        return try Dataset(series, for: manifest)
    }

    func start(_ manifest: ModelManifest, layers: Int) -> LSTMParameters {
        let shape = LSTMShape(
            inputs: Self.inputs, hidden: Self.hidden, layers: layers, outputs: manifest.outputs)
        var parameters = LSTMParameters(shape: shape, hasInitialState: manifest.initialState.isLearned)
        for tensor in parameters.tensors {
            parameters.values.replaceSubrange(
                tensor.range, with: starts["\(layers)-\(manifest.head.rawValue)"]?[tensor.name]?.values ?? [])
        }
        return parameters
    }
}

/// max |a − b| / max |b|.
func relativeError<T: BinaryFloatingPoint>(_ a: [T], _ b: [T]) -> Double {
    guard a.count == b.count, let largest = b.map({ abs($0) }).max() else { return .infinity }
    let differences = zip(a, b).map { abs($0 - $1) }
    guard differences.allSatisfy(\.isFinite) else { return .infinity }
    return Double((differences.max() ?? 0) / largest)
}
