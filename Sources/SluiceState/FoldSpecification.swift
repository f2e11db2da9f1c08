import SluiceCore
public import SluiceLSTM
public import SluiceSchema

/// All that the fold depends on besides records and state: the same specification, log and model give the same bits.
public struct FoldSpecification: Sendable {
    public let model: Model
    public let boundaries: BoundaryPolicy
    public let missing: MissingPolicy
    public let late: LatePolicy
    /// For each target its index among the inputs; nil for a target that is not observed (no anomaly, no scaling).
    public let targetInputs: [Int?]
    /// R: the smallest horizon, the length of the ring of pending forecasts; 0 for heads without horizons.
    public let ringLength: Int
    public let warmup: Int64

    public init(
        model: Model, boundaries: BoundaryPolicy = BoundaryPolicy(), missing: MissingPolicy = .carry,
        late: LatePolicy = .apply
    ) {
        self.model = model
        self.boundaries = boundaries
        self.missing = missing
        self.late = late
        let manifest = model.manifest
        targetInputs = manifest.head.classifies ? [] : manifest.targets.map { manifest.inputs.firstIndex(of: $0) }
        ringLength = manifest.head.classifies ? 0 : manifest.horizons.min() ?? 1
        warmup = Int64(manifest.warmup ?? 0)
    }

    /// The format in which slots of this model are saved.
    ///
    /// - Throws: `model-invalid` for a model that was never in a file.
    public var snapshots: SlotSnapshot {
        get throws(SluiceError) { try SlotSnapshot(layout: layout, modelHash: model.hash) }
    }

    public var shape: LSTMShape { model.parameters.shape }
    public var layout: SlotLayout {
        SlotLayout(shape: shape, targets: targetInputs.count, ringLength: ringLength)
    }

    /// What h and c are at a boundary (`training.md`, "Initial states").
    public var initialStates: InitialStates { InitialStates(model) }
}
