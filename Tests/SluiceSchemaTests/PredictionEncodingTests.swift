import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceSchema

func encode(
    _ layout: PredictionLayout, stream: String = "pump-17", time: EpochMilliseconds = 1_767_225_900_000,
    sequence: String? = "run-9", step: Int64 = 412, warm: Bool = true, outputs: [Float], anomaly: Float? = 0.03,
    topic: String = "observations", partition: Int32 = 3, offset: Offset = 12_345
) -> String {
    precondition(outputs.count == layout.outputCount)
    var arena = ByteArena(capacity: 1)
    arena.append("before")
    let range = withBytes(Array(stream.utf8)) { stream in
        withBytes(sequence.map { Array($0.utf8) }) { sequence in
            withBytes(Array(topic.utf8)) { topic in
                (outputs + [0]).withUnsafeBufferPointer { outputs -> Range<Int> in
                    guard let base = outputs.baseAddress else { return 0..<0 }
                    return layout.encode(
                        Prediction(
                            stream: stream, time: time, sequence: sequence, step: step, warm: warm, outputs: base,
                            anomaly: anomaly, topic: topic, partition: partition, offset: offset), into: &arena)
                }
            }
        }
    }
    precondition(range.upperBound == arena.count && range.lowerBound == 6)
    return String(decoding: arena.bytes(range), as: UTF8.self)
}

@Suite struct PredictionEncodingTests {
    @Test func theContractsExampleIsWrittenByteForByte() {
        let layout = PredictionLayout(
            version: "v7", targets: ["temperature"], horizons: [1], head: .quantile([0.1, 0.5, 0.9]))
        #expect(
            encode(layout, outputs: [70.9, 71.31, 71.8])
                == #"{"stream":"pump-17","time":"2026-01-01T00:05:00Z","sequence":"run-9","step":412,"warm":true,"#
                + #""model":"v7","forecast":[{"target":"temperature","horizon":1,"value":71.31,"#
                + #""quantiles":{"0.1":70.9,"0.9":71.8}}],"anomaly":0.03,"#
                + #""source":{"topic":"observations","partition":3,"offset":12345}}"#
        )
    }

    @Test func absentThingsAreNullAndWholeFloatsHaveAFraction() {
        let layout = PredictionLayout(version: "v7", targets: ["t"], horizons: [1], head: .point)
        #expect(
            encode(layout, time: 1_767_225_900_250, sequence: nil, step: 0, warm: false, outputs: [71], anomaly: nil)
                == #"{"stream":"pump-17","time":"2026-01-01T00:05:00.250Z","sequence":null,"step":0,"warm":false,"#
                + #""model":"v7","forecast":[{"target":"t","horizon":1,"value":71.0}],"#
                + #""anomaly":null,"source":{"topic":"observations","partition":3,"offset":12345}}"#)
    }

    @Test func forecastsAreTargetMajorThenHorizon() {
        let point = PredictionLayout(version: "v", targets: ["a", "b"], horizons: [1, 6], head: .point)
        #expect(
            encode(point, outputs: [1, 2, 3, 4]).contains(
                #""forecast":[{"target":"a","horizon":1,"value":1.0},{"target":"a","horizon":6,"value":2.0},"#
                    + #"{"target":"b","horizon":1,"value":3.0},{"target":"b","horizon":6,"value":4.0}],"#))
        let gaussian = PredictionLayout(version: "v", targets: ["a"], horizons: [1, 6], head: .gaussian)
        #expect(
            encode(gaussian, outputs: [1, 0.5, 2, 0.25]).contains(
                #"[{"target":"a","horizon":1,"value":1.0,"deviation":0.5},"#
                    + #"{"target":"a","horizon":6,"value":2.0,"deviation":0.25}],"#
            ))
        let quantile = PredictionLayout(
            version: "v", targets: ["a"], horizons: [1, 2], head: .quantile([0.05, 0.25, 0.5]))
        #expect(
            encode(quantile, outputs: [1, 2, 3, 4, 5, 6]).contains(
                #"[{"target":"a","horizon":1,"value":3.0,"quantiles":{"0.05":1.0,"0.25":2.0}},"#
                    + #"{"target":"a","horizon":2,"value":6.0,"quantiles":{"0.05":4.0,"0.25":5.0}}],"#))
        let median = PredictionLayout(version: "v", targets: ["a"], horizons: [1], head: .quantile([0.5]))
        #expect(encode(median, outputs: [1]).contains(#""value":1.0,"quantiles":{}}],"#))
    }

    @Test func classifiersAnswerWithProbabilitiesInPlaceOfForecasts() {
        let layout = PredictionLayout(version: "v8", targets: [], horizons: [], head: .probabilities(3))
        let text = encode(layout, outputs: [0.25, 0.5, 0.25])
        #expect(text.contains(#""model":"v8","probabilities":[0.25,0.5,0.25],"anomaly":0.03,"#))
        #expect(!text.contains("forecast"))
    }

    @Test func namesAreEscapedEverywhere() {
        let layout = PredictionLayout(version: "v\"7", targets: ["a\\b"], horizons: [1], head: .point)
        let text = encode(layout, stream: "p\n\"ü", sequence: "\u{1}", outputs: [1], topic: "t/\t")
        #expect(text.contains(#"{"stream":"p\n\"ü","#))
        #expect(text.contains(#""sequence":"\u0001","#))
        #expect(text.contains(#""model":"v\"7","#))
        #expect(text.contains(#""target":"a\\b","#))
        #expect(text.contains(#""topic":"t/\t","#))
    }

    @Test func theWorstCaseFitsWhatIsReserved() {
        let layout = PredictionLayout(version: "v", targets: ["a"], horizons: [1], head: .gaussian)
        let worst = String(repeating: "\u{1}", count: Limits.keyBytes)
        let text = encode(
            layout, stream: worst, time: Timestamp.range.lowerBound + 1, sequence: worst, step: .min, warm: false,
            outputs: [-1.1754944e-38, -1.1754944e-38], anomaly: -1.1754944e-38, topic: worst, partition: .min,
            offset: .min)
        #expect(text.utf8.count > 3 * 6 * Limits.keyBytes)
        #expect(text.hasSuffix("\"offset\":-9223372036854775808}}"))
    }
}
