import SluiceCore
import SluiceLSTM
import SluiceState

/// Where up to `Limits.stepRows` rows are prepared and stepped before anything is written into their slots: a step
/// that turns out not finite leaves its slot as it was. Allocated once.
final class StepStage {
    let layout: SlotLayout
    let outputs: Int
    /// `[rows]` scalar blocks.
    let scalars: UnsafeMutableRawPointer
    /// `[rows][I]`.
    let inputs: UnsafeMutablePointer<Float>
    /// `[rows]` pointers to `[L][h, c][Hp]`.
    let states: UnsafeMutablePointer<UnsafePointer<Float>>
    /// `[rows][L][h, c][Hp]`.
    let next: UnsafeMutablePointer<Float>
    /// `[rows][L][h, c][Hp]`: what is drawn at boundaries; empty where nothing is.
    private let drawn: UnsafeMutablePointer<Float>
    /// `[rows][O]`.
    let raw: UnsafeMutablePointer<Float>
    let finite: UnsafeMutablePointer<Bool>
    /// `[rows]` indices into the batch's rows.
    let rows: UnsafeMutablePointer<Int32>
    var count = 0

    init(layout: SlotLayout, drawsInitialStates: Bool) {
        self.layout = layout
        outputs = layout.shape.outputs
        let rowCount = Limits.stepRows
        scalars = .allocate(byteCount: rowCount * layout.scalarBytes, alignment: 64)
        inputs = .allocate(capacity: rowCount * layout.shape.inputs)
        states = .allocate(capacity: rowCount)
        next = UnsafeMutableRawPointer.allocate(byteCount: rowCount * layout.stateBytes, alignment: 64)
            .bindMemory(to: Float.self, capacity: rowCount * layout.shape.stateFloats)
        drawn = .allocate(capacity: drawsInitialStates ? rowCount * layout.shape.stateFloats : 0)
        raw = .allocate(capacity: rowCount * outputs)
        finite = .allocate(capacity: rowCount)
        rows = .allocate(capacity: rowCount)
    }

    deinit {
        scalars.deallocate()
        inputs.deallocate()
        states.deallocate()
        UnsafeMutableRawPointer(next).deallocate()
        drawn.deallocate()
        raw.deallocate()
        finite.deallocate()
        rows.deallocate()
    }

    /// The scalar block of a staged row.
    @inline(__always)
    func scalars(_ row: Int) -> SlotScalars { SlotScalars(base: scalars + row * layout.scalarBytes, layout: layout) }

    /// What the next staged row starts from at its boundary: the slot keeps its own until the step has succeeded.
    @inline(__always)
    func initialState(_ header: UnsafePointer<SlotHeader>, of table: SlotTable) -> UnsafePointer<Float> {
        guard table.initialStates.isDrawn else { return table.initialState }
        let state = drawn + count * layout.shape.stateFloats
        table.begin(state, header)
        return UnsafePointer(state)
    }
}
