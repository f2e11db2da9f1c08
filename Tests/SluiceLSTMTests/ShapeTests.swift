import SluiceLSTM
import Testing

@Suite struct ShapeTests {
    @Test func unitsArePaddedToBlocksOfSixteen() {
        let shapes = [1, 16, 17, 200].map { LSTMShape(inputs: 1, hidden: $0, layers: 2, outputs: 1) }
        #expect(shapes.map(\.paddedHidden) == [16, 16, 32, 208])
        #expect(shapes.map(\.stateFloats) == [64, 64, 128, 832])
    }
}
