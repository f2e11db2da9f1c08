public import SluiceNumerics

/// A model's step: the parameters packed once, then any number of rows at a time, from any thread, always the same bits
/// (`engine.md`, "The fold"). `ReferenceCell` says what it computes.
public struct LSTMStepper: Sendable {
    public let shape: LSTMShape
    private let packed: PackedLSTM
    private let set: InstructionSet

    /// - Parameter set: differs in speed only; one this machine has.
    public init(_ parameters: LSTMParameters, on set: InstructionSet = .best) {
        let shape = parameters.shape
        self.shape = shape
        self.set = set
        self.packed = parameters.values.withUnsafeBufferPointer {
            PackedLSTM(
                inputs: shape.inputs, hidden: shape.hidden, layers: shape.layers, outputs: shape.outputs, parameters: $0
            )
        }
    }

    /// One step of `rows` rows, none of which knows of the others. Nothing is committed: a row whose result is not
    /// finite is a reject, and its state stays what it was.
    ///
    /// - Parameters:
    ///   - inputs: `[rows][I]`.
    ///   - states: for each row where its state `[L][h, c][paddedHidden]` lies; padding zero.
    ///   - next: `[rows][L][h, c][paddedHidden]`, the states after the step; no overlap with `states`.
    ///   - outputs: `[rows][O]`, the head's raw outputs; `Head` makes values of them.
    ///   - finite: `[rows]`, whether every h, c and output of the row is finite.
    public func step(
        rows: Int, inputs: UnsafePointer<Float>, states: UnsafePointer<UnsafePointer<Float>>,
        next: UnsafeMutablePointer<Float>, outputs: UnsafeMutablePointer<Float>, finite: UnsafeMutablePointer<Bool>
    ) {
        packed.step(
            rows: rows, inputs: inputs, states: states, next: next, outputs: outputs, finite: finite, on: set)
    }
}
