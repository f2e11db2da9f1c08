import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceTestKit

@testable import SluiceState

let modelHash = String(repeating: "5a", count: 32)

/// A model whose weights do not matter.
func model(
    _ head: HeadKind = .point, inputs: Int = 2, hidden: Int = 5, layers: Int = 1, targets: [String]? = nil,
    horizons: [Int] = [1], quantiles: [Double] = [], classes: Int? = nil, scaling: ScalingKind = .none,
    scaler: Model.Scaler? = nil, warmup: Int? = nil, learned: Bool = false
) -> Model {
    let names = (0..<inputs).map { "f\($0)" }
    let manifest = ModelManifest(
        name: "test", version: "v1", inputs: names, targets: head.classifies ? [] : targets ?? ["f0"],
        horizons: horizons, head: head, quantiles: quantiles, initialState: learned ? .learned : .zero,
        scaling: scaling, classes: classes, warmup: warmup)
    let shape = LSTMShape(inputs: inputs, hidden: hidden, layers: layers, outputs: manifest.outputs)
    var parameters = LSTMParameters(shape: shape, hasInitialState: learned)
    var generator = Generator(seed: 1)
    for index in parameters.values.indices { parameters.values[index] = generator.float() }
    return Model(manifest: manifest, parameters: parameters, scaler: scaler, hash: modelHash)
}

extension SlotTable {
    func intern(_ key: String) -> UInt32 { withText(key) { intern($0) } }
    func find(_ key: String) -> UInt32? { withText(key) { find($0) } }
    func text(_ slot: UInt32) -> String { String(decoding: key(slot), as: UTF8.self) }

    /// As the fold does when a step was applied.
    func apply(_ slot: UInt32, fence: Offset) {
        self[slot].header.pointee.fence = fence
        self[slot].header.pointee.time = 0
        markDirty(slot, at: fence)
    }
}

/// One stream through both scalar passes, with the network's outputs given: what the fold does but for the step.
final class OneStream {
    struct Outcome {
        var settlement: ScalarPass.Settlement
        /// What the network would see.
        var scaled: [Float] = []
        var judgement: ForecastPass.Judgement?
    }

    let specification: FoldSpecification
    let table: SlotTable
    let slot: UInt32
    private let scalarPass: ScalarPass
    private let forecastPass: ForecastPass
    private(set) var offset: Offset = 0

    /// - Parameter table: one that has the stream already, under any name.
    init(_ specification: FoldSpecification, table: SlotTable? = nil) {
        self.specification = specification
        var slot: UInt32?
        table?.forEach { slot = $0 }
        self.table = table ?? SlotTable(specification)
        self.slot = slot ?? self.table.intern("stream")
        scalarPass = ScalarPass(specification)
        forecastPass = ForecastPass(specification)
    }

    var header: SlotHeader { table[slot].header.pointee }
    var scalars: SlotScalars { SlotScalars(base: table[slot].scalars, layout: table.layout) }

    /// - Parameter values: the head's, zeros unless given.
    @discardableResult
    func observe(
        _ features: [Float], at time: EpochMilliseconds, label: Float = .nan, sequence: String? = nil,
        mark: BoundaryMark = .none, values: [Float]? = nil
    ) -> Outcome {
        defer { offset += 1 }
        let layout = table.layout
        let block = table[slot]
        let staging = UnsafeMutableRawPointer.allocate(byteCount: layout.scalarBytes, alignment: 64)
        defer { staging.deallocate() }
        staging.copyMemory(from: block.scalars, byteCount: layout.scalarBytes)
        let staged = SlotScalars(base: staging, layout: layout)
        var scaled = [Float](repeating: .nan, count: features.count)
        return features.withUnsafeBufferPointer { features in
            withText(sequence) { sequence in
                guard let start = features.baseAddress else { return Outcome(settlement: .dropLate) }
                let input = FoldInput(
                    features: start, time: time, label: label, sequence: sequence, mark: mark, offset: offset)
                let settlement =
                    scaled.withUnsafeMutableBufferPointer { scaled in
                        scaled.baseAddress.map {
                            scalarPass.settle(
                                input, staged: staged,
                                currentSequence: table.texts.bytes(staged.header.pointee.sequence),
                                scaled: $0)
                        }
                    } ?? .dropLate
                guard case .step = settlement else { return Outcome(settlement: settlement) }
                let outputs = values ?? [Float](repeating: 0, count: specification.shape.outputs)
                let judgement = outputs.withUnsafeBufferPointer { outputs in
                    outputs.baseAddress.map { forecastPass.finish(input, values: $0, staged: staged, ring: block.ring) }
                }
                if mark == .end {
                    ScalarPass.reset(staged, cause: .end, time: time, offset: offset + 1, inputs: scaled.count)
                }
                table.replaceSequence(staged.header, sequence)
                block.scalars.copyMemory(from: staging, byteCount: layout.scalarBytes)
                return Outcome(settlement: settlement, scaled: scaled, judgement: judgement)
            }
        }
    }
}
