import Testing

@testable import SluiceCommands

@Suite struct TextTableTests {
    @Test func columnsAreAlignedWithoutTrailingSpaces() {
        var table = TextTable([.left("name"), .right("count"), .left("note")])
        table.add(["ä", "7", ""])
        table.add(["longer name", "12345678", "x"])
        #expect(
            table.text == """
                NAME            COUNT  NOTE
                ä                   7
                longer name  12345678  x

                """)
    }

    @Test func keysCannotSteerTheTerminal() {
        #expect("a\u{1B}[2Jb\nc".printable == "a\\u{1b}[2Jb\\u{a}c")
        #expect("plain ä".printable == "plain ä")
    }

    @Test func numbersAreShort() {
        #expect(Shown.number(0.1) == "0.1")
        #expect(Shown.number(123_456.78) == "123457")
        #expect(Shown.number(nil) == "-")
        #expect(Shown.score(0.98765) == "0.988")
    }
}
