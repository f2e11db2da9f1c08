import SluiceCore
import SluiceLSTM
import SluiceLog
import SluiceSchema
import SluiceState
import Testing

@testable import SluiceEngine

@Suite struct RejectTests {
    private func rig(
        _ model: Model = makeModel(), missing: MissingPolicy = .reject, late: LatePolicy = .reject,
        format: InputSpecification.Format = .json
    ) throws -> FoldRig {
        var input = pumps
        (input.missing, input.late, input.format) = (missing, late, format)
        return try FoldRig(
            FoldSpecification(model: model, boundaries: BoundaryPolicy(gap: 1_000), missing: missing, late: late),
            input: input)
    }

    /// Every code that a record from a topic can come to, by record.
    private static let bad: [(code: RejectCode, record: Record)] = {
        func json(_ text: String, boundary: String? = nil) -> Record {
            Record(key: Array("s".utf8), value: Array(text.utf8), boundary: boundary)
        }
        let good = "\"values\":{\"a\":1,\"b\":2}"
        return [
            (.keyMissing, Record(key: nil, value: Array("{}".utf8))), (.keyMissing, Record(key: [], value: [1])),
            (.keyInvalid, Record(key: [0xFF], value: nil)),
            (.keyTooLong, Record(key: [UInt8](repeating: 0x61, count: 4_097), value: [0x7B])),
            (.jsonInvalid, json("")), (.jsonInvalid, json("{\"time\":1,\(good)")),
            (.typeMismatch, json("{\"time\":1,\"values\":5}")),
            (.numberOutOfRange, json("{\"time\":1,\"values\":{\"a\":1e39,\"b\":1}}")),
            (.featureMissing, json("{\"time\":1,\"values\":{\"a\":null,\"b\":1}}")),
            (.timeMissing, json("{\(good)}")), (.timeInvalid, json("{\"time\":\"9999-01-01T00:00:00Z\",\(good)}")),
            (.timeInvalid, json("{\"time\":9223372036854775807,\(good)}")),
            (.timeInvalid, json("{\"time\":-9223372036854775808,\(good)}")),
            (.boundaryInvalid, json("{\"time\":5000,\(good),\"boundary\":\"begin\"}")),
            (.boundaryInvalid, json("{\"time\":5000,\(good)}", boundary: "begin")),
            (
                .sequenceTooLong,
                json("{\"time\":5000,\(good),\"sequence\":\"\(String(repeating: "x", count: 1_025))\"}")
            ),
            (.labelInvalid, json("{\"time\":5000,\(good),\"label\":\"x\"}")),
            (.late, Record("s", 4_999, 1, more: ",\"boundary\":\"start\"")),
            (.tooLarge, Record(key: Array("s".utf8), value: [UInt8](repeating: 0x20, count: (1 << 20) + 1))),
        ]
    }()

    @Test func everyRejectLeavesTheSlotAsItWasAndCarriesKeyAndBytes() throws {
        let rig = try rig()
        try rig.run(numbered((0..<30).map { Record("s", 4_971 + $0, Float($0), 1, more: ",\"sequence\":\"q\"") }))
        let before = try rig.snapshot("s")
        for (index, (code, record)) in Self.bad.enumerated() {
            var record = record
            record.offset = 30 + Offset(index)
            let outputs = try rig.run([record])
            #expect(outputs.count == 1, "\(code)")
            let output = try #require(outputs.first)
            #expect(output.topic == .rejects && output.partition == -1)
            #expect(output.header("sluice-error") == code.text)
            #expect(output.header("sluice-message")?.isEmpty == false)
            #expect(output.header("sluice-source") == "observations/0/\(30 + index)")
            #expect(output.key == (code == .tooLarge ? Array("s".utf8) : record.key))
            if code != .tooLarge { #expect(output.value == record.value) }
            #expect(try rig.snapshot("s") == before, "\(code)")
            #expect(rig.state().table.count == 1)
        }
        #expect(try rig.run([Record("s", 5_001, 1, more: ",\"sequence\":\"q\"")]).first?.step == 30)
    }

    @Test func aRecordOfColumnsIsRefusedAsSuch() throws {
        let rig = try rig(format: .csv(columns: ["time", "a", "b"]))
        let outputs = try rig.run([
            Record(key: [0x73], value: Array("5,1".utf8)), Record(key: [0x73], value: Array("5,1,2".utf8)),
        ])
        #expect(outputs.map { $0.header("sluice-error") } == ["csv-invalid", nil])
    }

    @Test(arguments: [false, true]) func aStepThatIsNotFiniteIsARejectAndTheSlotStays(fresh: Bool) throws {
        // Weights so large that the head overflows once h has grown.
        var model = makeModel(hidden: 16, scaling: .none, weight: 1)
        let head = model.parameters.headWeight
        for index in head { model.parameters.values[index] = .greatestFiniteMagnitude }
        for index in model.parameters.headBias { model.parameters.values[index] = 0 }
        let rig = try FoldRig(FoldSpecification(model: model, boundaries: BoundaryPolicy(gap: 1_000)))
        if !fresh { try rig.run([Record("s", 0, 0, 0, more: ",\"sequence\":\"q\"")]) }
        let before = try rig.snapshot("s")
        var rejected = 0
        for turn in 0..<40 {
            // A gap before it: the boundary of a refused observation does not take effect either.
            var record = Record(
                "s", 10_000 + Int64(turn), 100 * Float(turn % 7) - 300, 3e5, more: ",\"boundary\":\"end\"")
            record.offset = 1 + Offset(turn)
            let output = try #require(try rig.run([record]).first)
            guard output.topic == .rejects else { break }
            rejected += 1
            #expect(output.header("sluice-error") == "non-finite")
            #expect(output.value == record.value && output.key == record.key)
            #expect(rig.report.boundaries == 0)
            #expect(try rig.snapshot("s") == before)
            #expect(rig.state().table.count == (fresh ? 0 : 1))
        }
        #expect(rejected > 0, "the test's own weights")
    }

    @Test func aLabelThatIsNoClassIsARejectThatNamesTheClasses() throws {
        let rig = try rig(makeModel(.categorical, classes: 3), missing: .carry)
        let output = try #require(try rig.run([Record("s", 0, 1, more: ",\"label\":3")]).first)
        #expect(output.header("sluice-error") == "label-invalid")
        #expect(output.header("sluice-message")?.contains("0 to 2") == true)
        #expect(rig.state().table.count == 0)
    }

    @Test func aRejectTooLargeToProduceIsCutWithItsHash() throws {
        let rig = try rig()
        rig.messageBytesMax = 20_000
        let body = Array("{\"time\":1,".utf8) + [UInt8](repeating: 0x20, count: 30_000)
        let output = try #require(try rig.run([Record(key: [0x73], value: body)]).first)
        #expect(output.header("sluice-error") == "json-invalid")
        #expect(output.value == Array(body[..<4_096]))
        #expect(output.header("sluice-truncated") == "\(body.count)")
        #expect(output.header("sluice-sha256")?.count == 64)
        let small = try #require(try rig.run([Record(key: [0x73], value: Array(body[..<5_000]))]).first)
        #expect(small.value?.count == 5_000 && small.header("sluice-sha256") == nil)
    }

    @Test func aPredictionTooLargeToProduceIsAReject() throws {
        let rig = try rig()
        rig.messageBytesMax = 8_000
        let key = [UInt8](repeating: 0x01, count: 3_000)  // each byte takes six in JSON
        var record = Record("s", 1, 1)
        record.key = key
        let output = try #require(try rig.run([record]).first)
        #expect(output.topic == .rejects)
        #expect(output.header("sluice-error") == "too-large")
        #expect(output.header("sluice-message")?.contains("prediction") == true)
        #expect(output.key == key)
        #expect(rig.report.predictions == 0 && rig.report.rejects == 1)
    }

    @Test func lateObservationsAreAppliedDroppedOrRefused() throws {
        let records = numbered([Record("s", 100, 1), Record("s", 99, 2), Record("s", 101, 3)])
        #expect(try rig(late: .apply).run(records).map(\.step) == [0, 1, 2])
        let dropping = try rig(late: .drop)
        #expect(try dropping.run(records).map(\.step) == [0, 1])
        #expect(dropping.report.dropped == 1)
        #expect(try rig(late: .reject).run(records).map { $0.header("sluice-error") } == [nil, "late", nil])
    }

    @Test func aMissingTimestampIsAbsentNotMinusOne() throws {
        var record = Record(key: [0x73], value: Array("{\"values\":{\"a\":1,\"b\":2}}".utf8))
        record.timestamp = -1
        #expect(try rig().run([record]).first?.header("sluice-error") == "time-missing")
        record.timestamp = .min
        #expect(try rig().run([record]).first?.header("sluice-error") == "time-missing")
        record.timestamp = .max
        #expect(try rig().run([record]).first?.header("sluice-error") == "time-invalid")
    }
}
