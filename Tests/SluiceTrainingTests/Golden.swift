import Foundation
import SluiceLSTM

@testable import SluiceTraining

/// A case of `make_goldens.py`: what a plain PyTorch loop computes.
struct Golden: Decodable {
    struct Stream: Decodable {
        let inputs: [Float]
        let targets: [Float?]
        let labels: [Float]
        let lengths: [Int]
    }

    let data: [Stream]
    let start, end, gradient0, gradient2: [String: [Float]]
    let outputs0, outputs2: [Float]
    let losses: [Double]

    /// Sizes as in the script.
    static let (inputs, hidden, chunk, rows) = (3, 5, 6, 4)

    static func read(_ name: String) throws -> Golden {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name).json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }

    static func manifest(_ head: HeadKind, learned: Bool) -> ModelManifest {
        ModelManifest(
            name: "golden", version: "v1", inputs: ["a", "b", "c"], targets: head.classifies ? [] : ["a"],
            horizons: [1, 2], head: head, quantiles: head == .quantile ? [0.1, 0.5, 0.9] : [],
            initialState: learned ? .learned : .zero, classes: head == .categorical ? 3 : nil)
    }

    func dataset(_ manifest: ModelManifest) throws -> Dataset {
        let series = data.enumerated().map { index, stream in
            var series = TrainingSeries(name: "stream \(index)")
            let count = stream.lengths.reduce(0, +)
            series.inputs = stream.inputs
            if manifest.head.classifies {
                series.labels = stream.labels
            } else {
                series.targets = stream.targets.map { $0 ?? .nan }
                series.center = [Double](repeating: 0, count: count)
                series.scale = [Double](repeating: 1, count: count)
            }
            series.boundary = stream.lengths.flatMap { length in (0..<length).map { $0 == 0 } }
            series.warm = [Bool](repeating: true, count: count)
            series.times = (0..<count).map { Int64($0) }
            return series
        }
        return try Dataset(series, for: manifest)
    }

    func parameters(_ named: [String: [Float]], layers: Int, outputs: Int, learned: Bool) -> LSTMParameters {
        let shape = LSTMShape(inputs: Self.inputs, hidden: Self.hidden, layers: layers, outputs: outputs)
        var parameters = LSTMParameters(shape: shape, hasInitialState: learned)
        for tensor in parameters.tensors {
            parameters.values.replaceSubrange(tensor.range, with: named[tensor.name] ?? [])
        }
        return parameters
    }
}

/// max |a − b| / max |b|.
func relativeError<T: BinaryFloatingPoint>(_ a: [T], _ b: [T]) -> Double {
    guard a.count == b.count, let largest = b.map({ abs($0) }).max() else { return .infinity }
    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
    return Double(worst / largest)
}
