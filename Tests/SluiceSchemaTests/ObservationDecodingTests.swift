import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceSchema

@Suite struct ObservationDecodingTests {
    static let time: EpochMilliseconds = 1_767_225_900_000

    @Test func everyFieldOfTheContractIsRead() throws {
        let row = try decode(
            """
            {"stream": "pump-17", "time": "2026-01-01T00:05:00Z", "values": {"temperature": 71.2, "load": 0.4},
             "sequence": "run-9", "boundary": "start", "label": 1}
            """, as: pumps(.field)
        ).row
        #expect(
            row
                == Row(
                    key: "pump-17", time: Self.time, features: [71.2, 0.4], sequence: "run-9", boundary: .start,
                    label: 1,
                    isTombstone: false, topic: nil, partition: 0, offset: 42))
    }

    @Test func recordKeyWinsOverTheField() throws {
        let row = try decode(#"{"stream":"other","time":1,"values":{"temperature":1,"load":2}}"#).row
        #expect(row?.key == "pump-17")
    }

    @Test func orderAndSpacingOfMembersDoNotMatter() throws {
        let row = try decode(
            "\n{ \"label\" : null ,\t\"values\" : { \"load\" : 2 , \"x\":[{\"load\":3}], \"temperature\" : 1e0 } ,"
                + " \"time\" : 5 }\r\n"
        ).row
        #expect(row?.features == [1, 2])
        #expect(row?.time == 5)
        #expect(row?.label == nil)
    }

    @Test func nullAndAbsentFeaturesAreMissing() throws {
        #expect(try decode(#"{"time":1,"values":{"temperature":null}}"#).row?.features == [nil, nil])
        #expect(try decode(#"{"time":1,"values":null}"#).row?.features == [nil, nil])
        #expect(try decode(#"{"time":1,"values":null}"#).row?.isTombstone == false)
        #expect(try decode(#"{"time":1}"#).row?.features == [nil, nil])
        let refused = try decode(#"{"time":1,"values":{"temperature":1}}"#, as: pumps(.record, missing: .reject))
        #expect(refused.code == "feature-missing")
    }

    @Test func theLastOfEqualKeysCounts() throws {
        #expect(try decode(#"{"time":1,"time":2,"values":{"load":1,"load":3}}"#).row?.features == [nil, 3])
        let row = try decode(#"{"time":1,"values":{"temperature":1},"time":2,"values":{"load":3}}"#).row
        #expect(row?.time == 2)
        #expect(row?.features == [nil, 3])
    }

    @Test func keysAndTextsAreUnescaped() throws {
        let row = try decode(
            #"{"\u0074ime":1,"values":{"lo\u0061d":7},"sequence":"a\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00"}"#
        ).row
        #expect(row?.features == [nil, 7])
        #expect(row?.sequence == "a\"\\/\u{8}\u{c}\n\r\tü😀")
    }

    @Test func pointersHaveEscapesAndIndices() throws {
        let specification = InputSpecification(
            features: [.init("a", "/v/0/x~1y"), .init("b", "/v/1/~0"), .init("c", "/v/0/x~1y"), .init("a/b~", nil)],
            time: "/t")
        let row = try decode(
            #"{"t":1,"v":[{"x/y":1.5},{"~":2.5},9],"values":{"a/b~":4}}"#, as: specification
        ).row
        #expect(row?.features == [1.5, 2.5, 1.5, 4])
        let array = InputSpecification(
            features: [.init("a", "/1")], time: "/0", label: nil, sequence: nil, boundary: nil)
        #expect(try decode("[7,8]", as: array).row?.features == [8])
    }

    @Test(arguments: ["", "values", "/a~2", "/a~"]) func malformedPointersAreRefusedByName(_ pointer: String) {
        let error = #expect(throws: SluiceError.self) {
            _ = try ObservationDecoder(InputSpecification(features: [.init("a", pointer)]))
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("\"\(pointer)\"") == true)
    }

    @Test func aMissingTimeIsKafkasTimestamp() throws {
        #expect(try decode(#"{"values":{}}"#, timestamp: 7).row?.time == 7)
        #expect(try decode(#"{"time":null}"#, timestamp: 7).row?.time == 7)
        #expect(try decode(#"{"time":9}"#, timestamp: 7).row?.time == 9)
        #expect(try decode(#"{"values":{}}"#, timestamp: -1).code == "time-missing")
        #expect(try decode(#"{"values":{}}"#, timestamp: .absent).code == "time-missing")
        #expect(try decode(#"{"stream":"a"}"#, timestamp: 7, as: pumps(.field)).code == "time-missing")
    }

    @Test func timesAreTextOrWholeMilliseconds() throws {
        #expect(try decode(#"{"time":1767225900000}"#).row?.time == Self.time)
        #expect(try decode(#"{"time":1.7672259e12}"#).row?.time == Self.time)
        #expect(try decode(#"{"time":-1}"#).row?.time == -1)
        #expect(try decode(#"{"time":"2026-01-01T01:05:00.0009+01:00"}"#).row?.time == Self.time)
    }

    @Test func theHeaderWinsOverTheBoundaryField() throws {
        #expect(try decode(#"{"time":1,"boundary":"end"}"#).row?.boundary == .end)
        #expect(try decode(#"{"time":1,"boundary":null}"#).row?.boundary == BoundaryMark.none)
        #expect(try decode(#"{"time":1,"boundary":"end"}"#, header: "start").row?.boundary == .start)
        #expect(try decode(#"{"time":1,"boundary":"nonsense"}"#, header: "end").row?.boundary == .end)
        #expect(try decode(#"{"time":1}"#, header: "").code == "boundary-invalid")
        #expect(try decode(#"{"time":1}"#, header: "Start").code == "boundary-invalid")
    }

    @Test func wholeNumbersNameASequenceByTheirDigits() throws {
        #expect(try decode(#"{"time":1,"sequence":9}"#).row?.sequence == "9")
        #expect(
            try decode(#"{"time":1,"sequence":-12345678901234567890123}"#).row?.sequence == "-12345678901234567890123")
        #expect(try decode(#"{"time":1,"sequence":""}"#).row?.sequence == "")
        #expect(try decode(#"{"time":1,"sequence":null}"#).row?.sequence == nil)
        #expect(try decode(#"{"time":1,"sequence":1.0}"#).code == "type-mismatch")
    }

    @Test func booleansAreLabels() throws {
        #expect(try decode(#"{"time":1,"label":true}"#).row?.label == 1)
        #expect(try decode(#"{"time":1,"label":false}"#).row?.label == 0)
        #expect(try decode(#"{"time":1,"label":2.5}"#).row?.label == 2.5)
    }

    @Test func aNullValueEndsTheStream() throws {
        let ended = try decode(nil, timestamp: 7).row
        #expect(ended?.isTombstone == true)
        #expect(ended?.key == "pump-17")
        #expect(ended?.time == 7)
        #expect(try decode(nil, timestamp: -1).row?.time == .absent)
        let inFile = try decode(#"{"stream":"a","values":null}"#, as: pumps(.field, missing: .reject)).row
        #expect(inFile?.isTombstone == true)
        #expect(inFile?.key == "a")
    }

    @Test func rowsOfFilesMaySayWhereTheyLay() throws {
        let row = try decode(
            #"{"stream":"a","time":1,"values":{},"source":{"topic":"observations","partition":3,"offset":12345}}"#,
            as: pumps(.field)
        ).row
        #expect(row?.topic == "observations")
        #expect(row?.partition == 3)
        #expect(row?.offset == 12_345)
    }

    @Test func rowsFollowEachOtherAndRefusedOnesLeaveNoTrace() throws {
        var decoder = try ObservationDecoder(pumps(.record))
        var columns = ObservationColumns(featureCount: 2, rowsExpected: 1)
        for round in 0..<2 {
            columns.removeAll()
            for index in 0..<100 {
                let good = index % 3 != 0
                let value =
                    #"{"time":\#(index),"sequence":"s\#(index)","values":{"load":\#(good ? "\(index)" : "[]")}}"#
                let code = withBytes(Array(value.utf8)) { value in
                    withBytes(Array("k\(index)".utf8)) { key in
                        decoder.append(InputRecord(value: value, key: key, offset: Int64(index)), to: &columns)
                    }
                }
                #expect(code == (good ? nil : .typeMismatch))
            }
            #expect(columns.count == 66, "round \(round)")
            let last = row(65, of: columns)
            #expect(last.key == "k98")
            #expect(last.sequence == "s98")
            #expect(last.features == [nil, 98])
            #expect(last.offset == 98)
        }
    }
}
