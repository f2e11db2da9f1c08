import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceState

@Suite struct TextPoolTests {
    private func text(_ length: Int, _ seed: Int) -> [UInt8] {
        (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }
    }

    @Test func textsOfEveryLengthSurviveTheirNeighbours() {
        var pool = TextPool()
        var held: [(handle: TextHandle, text: [UInt8])] = []
        var generator = Generator(seed: 3)
        for turn in 0..<5_000 {
            if held.count < 400 || generator.next() % 2 == 0 {
                let length = turn % 7 == 0 ? Int(generator.next() % UInt64(Limits.keyBytes + 1)) : turn % 70
                let bytes = text(length, turn)
                held.append((bytes.withUnsafeBytes { pool.insert($0) }, bytes))
            } else {
                pool.remove(held.remove(at: Int(generator.next() % UInt64(held.count))).handle)
            }
        }
        for (handle, bytes) in held { #expect(pool.bytes(handle).elementsEqual(bytes)) }
    }

    @Test(arguments: [0, 1, 13, 46, 47, 48, 61, 62, 63, 64, 126, 127, 4_094, 4_095, 4_096])
    func lengthsAtTheEdgesOfASizeClass(length: Int) {
        var pool = TextPool()
        let handles = (0..<20).map { seed in text(length, seed).withUnsafeBytes { pool.insert($0) } }
        for (seed, handle) in handles.enumerated() { #expect(pool.bytes(handle).elementsEqual(text(length, seed))) }
    }

    @Test func noTextIsNotTheEmptyText() {
        var pool = TextPool()
        let empty = withText("") { pool.insert($0) }
        #expect(pool.bytes(empty).baseAddress != nil)
        #expect(pool.bytes(empty).count == 0)
        #expect(pool.bytes(.none).baseAddress == nil)
        pool.remove(.none)
        #expect(empty != .none)
    }

    /// A million keys of 13 bytes are 13 MB.
    @Test func aShortTextTakesItsOwnLength() {
        var pool = TextPool()
        for index in 0..<40_960 { _ = text(13, index).withUnsafeBytes { pool.insert($0) } }
        #expect(pool.memoryBytes == 40_960 * 13)
    }

    @Test func removedBlocksAreUsedAgain() {
        var pool = TextPool()
        let first = withText("a") { pool.insert($0) }
        pool.remove(first)
        #expect(withText("b") { pool.insert($0) } == first)
    }
}
