import Foundation
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceSchema

@Suite struct NumberTests {
    private func text(_ write: (inout ByteArena) -> Void) -> String {
        var arena = ByteArena(capacity: 64)
        write(&arena)
        return String(decoding: arena.bytes, as: UTF8.self)
    }

    @Test(
        arguments: [
            (71, "71.0"), (0, "0.0"), (-0.0, "-0.0"), (71.31, "71.31"), (1e16, "1e+16"), (1e-7, "1e-07"), (0.1, "0.1"),
            (16_777_216, "16777216.0"), (.greatestFiniteMagnitude, "3.4028235e+38"), (.leastNonzeroMagnitude, "1e-45"),
            (.nan, "null"), (.infinity, "null"),
        ] as [(Float, String)]) func floatsAreShortestAndNeverWhole(_ value: Float, _ expected: String)
    {
        #expect(text { $0.appendJSON(value) } == expected)
    }

    @Test func randomFloatsReadBackToTheSameBits() {
        var generator = Generator(seed: 1)
        var arena = ByteArena(capacity: 64)
        var wrong = 0
        for _ in 0..<100_000 {
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            guard value.isFinite else { continue }
            arena.removeAll()
            arena.appendJSON(value)
            let start = arena.count
            arena.append(0)
            let back = strtof(arena.base.assumingMemoryBound(to: CChar.self), nil)
            if back.bitPattern != value.bitPattern { wrong += 1 }
            if !arena.bytes[..<start].contains(where: { $0 == 0x2E || $0 == 0x65 }) { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func randomDoublesReadBackToTheSameBits() {
        var generator = Generator(seed: 2)
        var arena = ByteArena(capacity: 64)
        var wrong = 0
        for _ in 0..<20_000 {
            let value = Double(bitPattern: generator.next())
            guard value.isFinite else { continue }
            arena.removeAll()
            arena.appendJSON(value)
            arena.append(0)
            if strtod(arena.base.assumingMemoryBound(to: CChar.self), nil).bitPattern != value.bitPattern { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    /// Every way a number can be written: the C library's strtod, rounded once to Float, is the judge.
    @Test func decodedNumbersAreBinary64RoundedOnce() throws {
        var generator = Generator(seed: 5)
        func digits(_ most: UInt64) -> String {
            let count = 1 + generator.next() % most
            return String((0..<count).map { _ in Character(String(generator.next() % 10)) })
        }
        let specification = InputSpecification(features: [.init("x", "/x")])
        var decoder = try ObservationDecoder(specification)
        var csv = try ObservationDecoder(
            InputSpecification(format: .csv(columns: ["x"]), features: [.init("x", "/x")]))
        var columns = ObservationColumns(featureCount: 1, rowsExpected: 1)
        for round in 0..<20_000 {
            let most: UInt64 = round % 4 == 0 ? 40 : 9
            var number = generator.next() % 4 == 0 ? "0" : "\(1 + generator.next() % 9)\(digits(most))"
            if generator.next() % 3 != 0 { number += ".\(digits(most))" }
            if generator.next() % 3 == 0 {
                number += ["e", "E", "e-", "e+"][Int(generator.next() % 4)] + "\(generator.next() % 50)"
            }
            if generator.next() % 2 == 0 { number = "-" + number }
            let expected = Float(strtod(number, nil))
            columns.removeAll()
            let key: [UInt8] = [97]
            withBytes(key) { key in
                withBytes(Array("{\"x\":\(number)}".utf8)) {
                    _ = decoder.append(InputRecord(value: $0, key: key, timestamp: 1), to: &columns)
                }
                withBytes(Array(number.utf8)) {
                    _ = csv.append(InputRecord(value: $0, key: key, timestamp: 1), to: &columns)
                }
            }
            if expected.isFinite {
                try #require(columns.count == 2, "\(number)")
                let read = (0..<2).map { columns.features($0)[0].bitPattern }
                try #require(read.allSatisfy { $0 == expected.bitPattern }, "\(number)")
            } else {
                try #require(columns.count == 0, "\(number)")
            }
        }
    }

    @Test func integersOfAnySizeAreNumbers() throws {
        let specification = InputSpecification(features: [.init("x", "/x")])
        for number in [
            "9007199254740993", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
            "1234567890123456789012345",
        ] {
            let row = try decode("{\"x\":\(number)}", timestamp: 1, as: specification).row
            #expect(row?.features == [Float(strtod(number, nil))])
        }
    }

    @Test func textsAreEscapedWhereJSONDemandsIt() throws {
        let all = String(decoding: (0..<128).map { UInt8($0) }, as: UTF8.self) + "ü\u{2028}😀\u{7F}"
        let written = text { $0.appendJSON(all) }
        #expect(written.hasPrefix(#""\u0000\u0001"#))
        #expect(written.contains(#"\b\t\n\u000b\f\r"#))
        #expect(written.contains(##" !\"#"##))
        let back = try JSONSerialization.jsonObject(with: Data(written.utf8), options: .fragmentsAllowed) as? String
        #expect(back.map { Array($0.utf8) } == Array(all.utf8))
    }
}
