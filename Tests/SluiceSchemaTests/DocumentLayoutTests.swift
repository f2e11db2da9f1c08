import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceSchema

/// Documents that differ from one before only in their values are read in a shorter way. What they say is the same.
@Suite struct DocumentLayoutTests {
    private static let layouts: [[String]] = [
        [#"{"time":"#, #","values":{"temperature":"#, #","load":"#, "}}"],
        [#"{ "values" : { "load" : "#, #", "note" : "#, #" }, "time" : "#, #" , "label":"#, "}\n"],
        [#"{"time":"#, #","time":"#, #","values":{"load":"#, #"},"values":{}}"#],
        [#"{"values":{},"time":"#, #","sequence":"#, #","list":["#, ",", "]}"],
        [#"{"values":"#, #","values":{"load":"#, #"},"time":"#, "}"],
        [#"{"time":"#, #","values":{"temperature":"#, "}}"],
        [#"{"time":"#, #","values":{"load":"#, #","temperature":"#, "}}"],
        [#"{"time": "#, #", "values": {"temperature": "#, #", "load": "#, "}}"],
    ]
    /// What documents of these hold is never an observation, or seldom.
    private static let odd: [[String]] = [
        [#"{"time":"#, #","sequence":"#, #","boundary":null,"values":[]}"#],
        [#"{"time":"#, #","values":{"temperature":"#, #","load":"#, #"},"label":{}}"#],
        [#"[{"time":"#, #"}, "#, "]"], ["{}"],
    ]
    private static let values = [
        #""2026-01-01T00:05:00Z""#, #""day-7""#, #""""#, #""café""#, #""a \"note\" \u00e9""#, #""a\#t""#, "null",
        "true",
        "false", "nul", "1", "-2", "0.5", "-0.0", "21.0625", "1767225600000", "1.5e3", "0.1E-2", "1e400", "00.5", "01",
        "1.", ".5", "-", "1.5.5", "1234567.1234567", "12345678.5", "0.12345678901234", "3.141592653589793238", "{}",
        "[1]",
        #"{"load":2}"#,
    ]

    @Test(arguments: layouts) func aDocumentReadsTheSameWhateverCameBefore(_ layout: [String]) throws {
        var generator = Generator(seed: 11)
        let rows = try readTheSame((0..<2_000).map { _ in Self.document(layout, &generator) })
        #expect(rows > 500)
    }

    /// Several programs write to one topic, in turn or in any order, more of them than layouts are remembered.
    @Test(arguments: [2, 4, 7, 12], [false, true])
    func documentsOfSeveralLayoutsReadTheSame(count: Int, isInTurn: Bool) throws {
        var generator = Generator(seed: UInt64(20 + count))
        let layouts = Self.layouts + Self.odd
        let rows = try readTheSame(
            (0..<4_000).map { index in
                Self.document(layouts[isInTurn ? index % count : generator.below(count)], &generator)
            })
        #expect(rows > 1_000)
    }

    /// Into lists, to one place twice, and documents that are too long to be remembered.
    @Test func pointersOfAllKindsReadTheSame() throws {
        let specification = InputSpecification(
            source: .record,
            features: [
                .init("a", "/values/0"), .init("b", "/values/2/load"), .init("again", "/values/0"), .init("c", "/c"),
            ])
        let layouts: [[String]] = [
            [#"{"time":"#, #","values":["#, ",2,{\"load\":", "}]}"], [#"{"time":"#, #","values":["#, "]}"],
            [#"{"values":{"0":"#, #"},"time":"#, #","c":"#, "}"], [#"{"values":[0,1,{"load":"#, #"}],"c":"#, "}"],
            [#"{"text":"\#(String(repeating: "-", count: 17_000))","c":"#, #","values":["#, "]}"],
        ]
        var generator = Generator(seed: 31)
        let documents = (0..<3_000).map { _ in Self.document(layouts[generator.below(layouts.count)], &generator) }
        #expect(try readTheSame(documents, as: specification) > 500)
    }

    /// More members and elements than are looked through one by one, in an order of their own in each document, some
    /// left out, some with another name.
    @Test(arguments: [false, true]) func manyMembersInAnyOrderAreFound(isList: Bool) throws {
        var generator = Generator(seed: 41)
        let names = (0..<300).map { isList ? "\($0 * 3)" : $0 % 2 == 0 ? "feature-\($0)" : "f\($0)" }
        let specification = InputSpecification(
            source: .record, features: names.shuffled(using: &generator).map { .init($0, "/values/\($0)") })
        for _ in 0..<20 {
            var expected: [String: Float] = [:]
            var members: [String] = []
            for place in 0..<(isList ? 898 : 300) {
                let name = isList ? "\(place)" : names[place]
                let value = Float(generator.below(1_000))
                if isList || generator.below(5) > 0 {
                    expected[name] = value
                    members.append(isList ? "\(value)" : "\"\(name)\":\(value)")
                } else {
                    members.append("\"\(name)x\":\(value)")
                }
            }
            if !isList { members.shuffle(using: &generator) }
            let text = members.joined(separator: ",")
            let values = try decode(
                "{\"time\":1,\"values\":\(isList ? "[\(text)]" : "{\(text)}")}", as: specification)
            #expect(values.row?.features == specification.features.map { expected[$0.name] })
        }
    }

    /// A document of a layout; now and then with one byte that is another.
    private static func document(_ layout: [String], _ generator: inout Generator) -> [UInt8] {
        var text = layout[0]
        for piece in layout.dropFirst() {
            // Plain values mostly, so that the layout holds from one document to the next.
            text += generator.below(12) > 0 ? plain(text, &generator) : values[generator.below(values.count)]
            text += piece
        }
        var bytes = Array(text.utf8)
        if generator.below(40) == 0 { bytes[generator.below(bytes.count)] = UInt8(generator.below(256)) }
        return bytes
    }

    /// Reads documents with one decoder, each as by a decoder of its own.
    ///
    /// - Returns: how many are observations.
    private func readTheSame(
        _ documents: [[UInt8]], as specification: InputSpecification = pumps(.record)
    ) throws -> Int {
        var decoder = try ObservationDecoder(specification)
        var columns = ObservationColumns(featureCount: specification.features.count)
        var rows = 0
        for bytes in documents {
            columns.removeAll()
            let code = withBytes(bytes) { value in
                withBytes(Array("pump-17".utf8)) { key in
                    decoder.append(InputRecord(value: value, key: key, timestamp: 1, offset: 42), to: &columns)
                }
            }
            let outcome: Outcome =
                code.map { .reject($0.text, message: decoder.message(for: $0)) } ?? .row(row(0, of: columns))
            #expect(
                try outcome == decode(bytes, timestamp: 1, as: specification),
                "\(String(decoding: bytes, as: UTF8.self))")
            if outcome.row != nil { rows += 1 }
        }
        return rows
    }

    /// What the text may go on with.
    private static func plain(_ text: String, _ generator: inout Generator) -> String {
        let name = text.split(separator: "\"").last { $0.allSatisfy(\.isLetter) }
        switch name {
        case "time": return "\"\(Timestamp.text(Int64(generator.below(2_000_000_000)) * 1_000))\""
        case "sequence": return "\"s\(generator.below(100))\""
        default: return "\(generator.float() * 50)"
        }
    }

    @Test func numbersAreTheNearestToTheirText() throws {
        var generator = Generator(seed: 12)
        var decoder = try ObservationDecoder(pumps(.record))
        var columns = ObservationColumns(featureCount: 2)
        for _ in 0..<20_000 {
            let whole = String(generator.next() % [1, 10, 1_000, 100_000_000, 1_000_000_000_000][generator.below(5)])
            let fraction = (0...generator.below(16)).map { _ in String(generator.below(10)) }.joined()
            let number = "\(generator.below(2) == 0 ? "-" : "")\(whole).\(fraction)"
            columns.removeAll()
            let value = Array(#"{"time":0,"values":{"load":\#(number),"temperature":\#(number)}}"#.utf8)
            let code = withBytes(value) { value in
                withBytes(Array("k".utf8)) { decoder.append(InputRecord(value: value, key: $0), to: &columns) }
            }
            #expect(code == nil)
            let expected = Float(try #require(Double(number)))
            #expect(columns.features(0)[0].bitPattern == expected.bitPattern, "\(number)")
            #expect(columns.features(0)[1].bitPattern == expected.bitPattern, "\(number)")
        }
    }
}
