import Testing

@testable import SluiceEngine

@Suite struct OutputsUnderwayTests {
    private let notes = Notes()
    private var produced: [[Int64]] { notes.seen.produced.map { [Int64($0.records), $0.nanoseconds] } }

    @Test func aBatchIsProducedWhenTheLastOfItsOutputsHasLeft() {
        var underway = OutputsUnderway()
        underway.add(10, arrived: 100, open: 10)
        underway.add(5, arrived: 200, open: 14)
        underway.left(allBut: 0, at: 300, notes)
        #expect(produced.isEmpty, "what is open has not gone its way")
        underway.close(14)
        underway.left(allBut: 5, at: 300, notes)
        #expect(produced.isEmpty)
        underway.left(allBut: 4, at: 310, notes)
        #expect(produced == [[10, 210]])
        // The next ones are appended meanwhile.
        underway.add(7, arrived: 320, open: 7)
        underway.left(allBut: 0, at: 330, notes)
        #expect(produced == [[10, 210], [5, 130]])
        underway.close(7)
        underway.left(allBut: 0, at: 420, notes)
        #expect(produced == [[10, 210], [5, 130], [7, 100]])
    }

    @Test func inputsWithoutOutputsArePartOfWhatComesBeforeThem() {
        var underway = OutputsUnderway()
        underway.add(3, arrived: 0, open: 3)
        underway.add(2, arrived: 1, open: 3)
        underway.close(3)
        underway.left(allBut: 1, at: 10, notes)
        #expect(produced.isEmpty)
        underway.left(allBut: 0, at: 20, notes)
        #expect(produced == [[3, 20], [2, 19]])
    }

    @Test func whatIsGivenUpIsNeverProduced() {
        var underway = OutputsUnderway()
        underway.add(3, arrived: 0, open: 3)
        underway.close(3)
        underway.removeAll()
        underway.add(1, arrived: 5, open: 1)
        underway.close(1)
        underway.left(allBut: 0, at: 9, notes)
        #expect(produced == [[1, 4]])
    }
}
