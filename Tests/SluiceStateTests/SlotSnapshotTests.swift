import SluiceCore
import SluiceLSTM
import SluiceSchema
import SluiceTestKit
import Testing

@testable import SluiceState

@Suite struct SlotSnapshotTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var head: HeadKind
        var inputs, hidden, layers: Int
        var targets = ["f0"]
        var horizons = [1]
        var testDescription: String { "\(head) I\(inputs) H\(hidden) L\(layers)" }
        var model: Model {
            SluiceStateTests.model(
                head, inputs: inputs, hidden: hidden, layers: layers, targets: targets, horizons: horizons,
                quantiles: head == .quantile ? [0.1, 0.5, 0.9] : [], classes: head == .categorical ? 4 : nil)
        }
    }

    static let shapes = [
        Shape(head: .point, inputs: 1, hidden: 1, layers: 1),
        Shape(head: .gaussian, inputs: 3, hidden: 16, layers: 2, targets: ["f1", "f2", "none"], horizons: [7, 3]),
        Shape(head: .quantile, inputs: 5, hidden: 17, layers: 4, horizons: [24]),
        Shape(head: .categorical, inputs: 2, hidden: 200, layers: 1),
    ]

    /// A slot that has seen something, its state full of numbers.
    private func lived(_ model: Model, key: String = "pump-17", sequence: String? = "run-9") -> (SlotTable, UInt32) {
        let stream = OneStream(FoldSpecification(model: model))
        var generator = Generator(seed: 11)
        for time in 0..<100 {
            let features = (0..<model.manifest.inputs.count).map { $0 == 1 && time > 90 ? .nan : generator.float() }
            let values = (0..<model.manifest.outputs).map { Float($0 + 1) + generator.float() }
            stream.observe(
                features, at: Int64(time), label: 1, sequence: sequence, mark: time == 40 ? .start : .none,
                values: values)
        }
        let table = SlotTable(stream.specification)
        let slot = table.intern(key)
        let fresh = table[slot].header.pointee
        table[slot].base.copyMemory(from: stream.table[stream.slot].base, byteCount: table.layout.stride)
        var header = stream.header
        header.key = fresh.key
        header.sequence = .none
        table[slot].header.pointee = header
        withText(sequence) { table.replaceSequence(table[slot].header, $0) }
        let shape = table.layout.shape
        for index in 0..<shape.stateFloats where index % shape.paddedHidden < shape.hidden {
            table[slot].state[index] = generator.float()
        }
        return (table, slot)
    }

    private func bytes(_ table: SlotTable, _ slot: UInt32, _ model: Model) throws -> [UInt8] {
        var arena = ByteArena()
        try SlotSnapshot(layout: table.layout, modelHash: model.hash).write(
            slot, of: table, position: 1 << 40, control: 7, to: &arena)
        return Array(arena.bytes)
    }

    private func empty(_ model: Model) -> SlotTable {
        let specification = FoldSpecification(model: model)
        return SlotTable(specification)
    }

    @Test(arguments: shapes) func aRestoredSlotIsTheSameToTheBit(shape: Shape) throws {
        for sequence in ["run-9", "", nil] {
            let (table, slot) = lived(shape.model, sequence: sequence)
            let written = try bytes(table, slot, shape.model)
            let other = empty(shape.model)
            _ = other.intern("somebody else")
            let format = try SlotSnapshot(layout: other.layout, modelHash: shape.model.hash)
            let restored = try written.withUnsafeBytes { try format.restore($0, into: other) }
            #expect(other.text(restored) == "pump-17")
            #expect(try bytes(other, restored, shape.model) == written)
            let state = { (table: SlotTable, slot: UInt32) in
                (0..<table.layout.shape.stateFloats).map { table[slot].state[$0].bitPattern }
            }
            #expect(state(other, restored) == state(table, slot), "padding is zero")
            #expect(other.hash(restored) == table.hash(slot))
            #expect(
                (other.texts.bytes(other[restored].header.pointee.sequence).baseAddress == nil) == (sequence == nil))
        }
    }

    @Test func restoringReplacesWhatIsThere() throws {
        let model = Self.shapes[0].model
        let (table, slot) = lived(model)
        let first = try bytes(table, slot, model)
        table[slot].header.pointee.fence += 1
        let second = try bytes(table, slot, model)
        let other = empty(model)
        let format = try SlotSnapshot(layout: other.layout, modelHash: model.hash)
        let slots = try [first, second].map { bytes in try bytes.withUnsafeBytes { try format.restore($0, into: other) }
        }
        #expect(slots[0] == slots[1] && other.count == 1)
        #expect(try bytes(other, slots[0], model) == second)
    }

    private func code(_ bytes: [UInt8], _ table: SlotTable, _ hash: String = modelHash) throws -> SluiceError.Code? {
        let format = try SlotSnapshot(layout: table.layout, modelHash: hash)
        do {
            _ = try bytes.withUnsafeBytes { try format.restore($0, into: table) }
            return nil
        } catch let error as SluiceError {
            return error.code
        }
    }

    @Test(arguments: shapes) func everyTruncationIsRefused(shape: Shape) throws {
        let (table, slot) = lived(shape.model)
        let written = try bytes(table, slot, shape.model)
        let other = empty(shape.model)
        for length in written.indices { #expect(try code(Array(written[..<length]), other) == .invalidState) }
        #expect(try code(written + [0], other) == .invalidState)
        #expect(other.count == 0)
    }

    @Test(arguments: shapes[..<2]) func everyBitFlipIsRefused(shape: Shape) throws {
        let (table, slot) = lived(shape.model)
        var written = try bytes(table, slot, shape.model)
        let other = empty(shape.model)
        for bit in 0..<written.count * 8 {
            written[bit / 8] ^= 1 << (bit % 8)
            #expect(try code(written, other) != nil, "bit \(bit)")
            written[bit / 8] ^= 1 << (bit % 8)
        }
        #expect(other.count == 0)
    }

    /// Whoever seals bad fields with a good checksum is refused by their ranges, or harmless: never a trap.
    @Test func resealedNonsenseNeverTraps() throws {
        let model = Self.shapes[1].model
        let (table, slot) = lived(model)
        let written = try bytes(table, slot, model)
        let specification = FoldSpecification(model: model, boundaries: BoundaryPolicy(gap: 5, every: 100))
        for position in 20..<180 {
            for pattern: UInt8 in [0, 0x7F, 0x80, 0xFF] {
                for width in [1, 2, 4, 8] {
                    var forged = written
                    for byte in position..<position + width { forged[byte] = pattern }
                    reseal(&forged)
                    let other = empty(model)
                    guard try code(forged, other) == nil else { continue }
                    let stream = OneStream(specification, table: other)
                    let features = [Float](repeating: 1, count: 3)
                    for time: Int64 in [Timestamp.range.lowerBound, 0, Timestamp.range.upperBound - 1] {
                        stream.observe(features, at: time, sequence: "s", mark: time == 0 ? .end : .none)
                    }
                }
            }
        }
    }

    /// What `schemas/snapshot.md` rules out is refused under a good checksum, too, and leaves no slot.
    @Test func sealedBytesBeyondTheSpecificationAreRefused() throws {
        let model = Self.shapes[1].model
        let (table, slot) = lived(model)
        let written = try bytes(table, slot, model)
        let counts = 188 + "pump-17".utf8.count + "run-9".utf8.count + 3 * (8 + 8 + 4)
        for (position, patch) in [
            (72, [UInt8](repeating: 0xFF, count: 8)), (93, [0x80]), (104 + 5, [0x80]), (120 + 5, [0x80]), (133, [1]),
            (188, [0xFF]), (194, [0xC3]), (195, [0x80]), (counts, [0x01, 0x10]), (counts + 4, [0xFF, 0xFF]),
        ] as [(Int, [UInt8])] {
            var forged = written
            forged.replaceSubrange(position..<position + patch.count, with: patch)
            reseal(&forged)
            let other = empty(model)
            #expect(try code(forged, other) == .invalidState, "at \(position)")
            #expect(other.count == 0, "at \(position)")
        }
    }

    /// What comes from outside may hold numbers that would be in every forecast to come.
    @Test func numbersThatNoFoldLeavesBehindAreRefused() throws {
        let model = Self.shapes[1].model
        let (table, slot) = lived(model)
        let written = try bytes(table, slot, model)
        let format = try SlotSnapshot(layout: table.layout, modelHash: model.hash)
        try written.withUnsafeBytes { try format.check($0) }
        let means = 188 + "pump-17".utf8.count + "run-9".utf8.count
        let state = means + 3 * (8 + 8 + 4 + 2)
        let last = written.count - table.layout.ringBytes - 4
        let double = withUnsafeBytes(of: Double.nan.bitPattern.littleEndian) { Array($0) }
        let infinite = withUnsafeBytes(of: Double.infinity.bitPattern.littleEndian) { Array($0) }
        let negative = withUnsafeBytes(of: (-1.0).bitPattern.littleEndian) { Array($0) }
        let float = withUnsafeBytes(of: Float.nan.bitPattern.littleEndian) { Array($0) }
        let wrong = [
            (means, double), (means + 16, infinite), (means + 24, double), (means + 40, negative), (state, float),
            (last, float),
        ]
        for (position, patch) in wrong {
            var forged = written
            forged.replaceSubrange(position..<position + patch.count, with: patch)
            reseal(&forged)
            let error = #expect(throws: SluiceError.self, "at \(position)") {
                try forged.withUnsafeBytes { try format.check($0) }
            }
            #expect(error?.code == .invalidState)
        }
        var carried = written
        carried.replaceSubrange(means + 48..<means + 52, with: float)
        reseal(&carried)
        try carried.withUnsafeBytes { try format.check($0) }
    }

    private func reseal(_ bytes: inout [UInt8]) {
        let checksum = bytes.withUnsafeBytes { xxHash64(UnsafeRawBufferPointer(rebasing: $0[20...])) }
        for byte in 0..<8 { bytes[12 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt64(byte))) }
    }

    @Test func anotherModelOrShapeIsForeign() throws {
        let (table, slot) = lived(Self.shapes[0].model)
        let written = try bytes(table, slot, Self.shapes[0].model)
        #expect(try code(written, empty(Self.shapes[0].model), String(repeating: "5b", count: 32)) == .foreignState)
        for shape in Self.shapes[1...] { #expect(try code(written, empty(shape.model)) == .foreignState) }
        #expect(throws: SluiceError.self) { try SlotSnapshot(layout: table.layout, modelHash: "") }
        #expect(throws: SluiceError.self) {
            try SlotSnapshot(layout: table.layout, modelHash: String(repeating: "zz", count: 32))
        }
    }
}
