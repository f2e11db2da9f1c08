import SluiceCore
import SluiceLSTM
import SluiceSchema
import Testing

@testable import SluiceState

/// Holds a written snapshot against the bytes that `schemas/snapshot.md` states, read here by hand.
@Suite struct SnapshotLayoutTests {
    private struct Bytes {
        let all: [UInt8]
        func integer(_ offset: Int, _ size: Int) -> UInt64 {
            (0..<size).reduce(0) { $0 | UInt64(all[offset + $1]) << UInt64(8 * $1) }
        }
        func float(_ offset: Int) -> Float { Float(bitPattern: UInt32(integer(offset, 4))) }
        func double(_ offset: Int) -> Double { Double(bitPattern: integer(offset, 8)) }
    }

    /// I 3, H 5, L 2, T 2, R 4.
    private let specification = FoldSpecification(
        model: model(.gaussian, inputs: 3, hidden: 5, layers: 2, targets: ["f1", "f0"], horizons: [4, 9]))

    private func written(_ stream: OneStream) throws -> Bytes {
        var arena = ByteArena()
        let format = try SlotSnapshot(layout: stream.table.layout, modelHash: modelHash)
        let length = format.write(stream.slot, of: stream.table, position: 40, control: 3, to: &arena)
        #expect(length == arena.count)
        return Bytes(all: Array(arena.bytes))
    }

    @Test func theHeadIsWhereTheSpecificationSaysItIs() throws {
        let stream = OneStream(specification)
        let values = (0..<8).map { Float($0) + 1 }
        stream.observe([7, .nan, 2], at: 5_000, sequence: "né", values: values)
        stream.observe([9, 4, 2], at: 6_000, sequence: "né", mark: .start, values: values)
        stream.observe([9, .nan, 2], at: 5_500, sequence: "né", values: values)
        let bytes = try written(stream)
        #expect(Array(bytes.all[..<8]) == Array("SLOT".utf8) + [3, 0, 0, 0])
        #expect(bytes.integer(8, 4) == UInt64(bytes.all.count))
        #expect(bytes.integer(12, 8) == bytes.all[20...].withUnsafeBytes { xxHash64($0) })
        #expect((0..<5).map { bytes.integer(20 + 4 * $0, 4) } == [3, 5, 2, 2, 4])
        #expect(Array(bytes.all[40..<72]) == [UInt8](repeating: 0x5A, count: 32))
        #expect((0..<7).map { bytes.integer(72 + 8 * $0, 8) } == [40, 3, 2, 6_000, 2, 6_000, 1])
        #expect(bytes.integer(128, 4) == 1)
        #expect(Array(bytes.all[132..<136]) == [2, 0, 0, 0])
        #expect(bytes.float(136) == 1 && bytes.float(140).isNaN && bytes.float(144).isNaN)
        #expect((148..<180).allSatisfy { bytes.all[$0] == 0 })
        #expect(bytes.integer(180, 4) == 6 && bytes.integer(184, 4) == 3)
        #expect(Array(bytes.all[188..<197]) == Array("streamné".utf8))
    }

    @Test func theContentFollowsKeyAndSequence() throws {
        let stream = OneStream(specification)
        let values = (0..<8).map { Float($0) + 1 }
        stream.observe([7, .nan, 2], at: 5_000, values: values)
        stream.observe([9, 4, 2], at: 6_000, values: values)
        for layer in 0..<2 {
            for unit in 0..<5 {
                stream.table[stream.slot].state[2 * layer * 16 + unit] = Float(100 * layer + unit)
                stream.table[stream.slot].state[2 * layer * 16 + 16 + unit] = -Float(100 * layer + unit)
            }
        }
        let bytes = try written(stream)
        #expect(bytes.integer(184, 4) == 0xFFFF_FFFF)
        var at = 188 + 6
        let words = (0..<3).map { bytes.integer(at + 16 * $0, 8) }
        #expect(words.map { Double(bitPattern: $0 & ~0x1FFF) } == [8, 4, 2])
        #expect(words.map { $0 & 0x1FFF } == [2, 1, 2])
        #expect((0..<3).map { bytes.float(at + 16 * $0 + 8) } == [1, 0, 0])
        #expect((0..<3).map { bytes.float(at + 16 * $0 + 12) } == [9, 4, 2])
        at += 48
        let hidden: [Float] = [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]
        #expect((0..<10).map { bytes.float(at + 4 * $0) } == hidden)
        at += 40
        #expect((0..<10).map { bytes.float(at + 4 * $0) } == hidden.map { -$0 })
        at += 40
        // [step mod 4][target](value, width), from outputs [target][horizon](mean, deviation).
        for step in 0..<2 { #expect((0..<4).map { bytes.float(at + 16 * step + 4 * $0) } == [1, 2, 5, 6]) }
        #expect((8..<16).allSatisfy { bytes.float(at + 4 * $0).isNaN })
        #expect(bytes.all.count == at + 64)
    }

    @Test func everyCauseHasItsNumber() {
        let causes: [BoundaryCause] = [.first, .command, .start, .end, .sequence, .gap, .every, .daily, .swap, .lost]
        #expect(causes == BoundaryCause.allCases)
        #expect(causes.map { Int($0.rawValue) } == Array(0..<10))
    }
}
