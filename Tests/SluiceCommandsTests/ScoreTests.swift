import Foundation
import SluiceCore
import SluiceLSTM
import Testing

@testable import SluiceCommands

@Suite struct ScoreTests {
    /// Interleaved streams of unequal length with boundaries, missing values and rows that are no observations.
    private func observations(_ count: Int) -> String {
        (0..<count).map { row in
            let stream = row * row % 7
            if row % 53 == 17 { return "nonsense" }
            if row % 97 == 3 { return #"{"stream":"s\#(stream)","values":{"x":1}}"# }
            let boundary = row % 31 == 5 ? #","boundary":"start""# : row % 41 == 9 ? #","boundary":"end""# : ""
            let y = row % 11 == 4 ? "null" : "\(Double(row % 29) / 7)"
            return #"{"stream":"s\#(stream)","time":\#(1_767_225_600_000 + row * 1000),"#
                + #""values":{"x":\#(Double(row % 13) / 3),"y":\#(y)}\#(boundary)}"#
        }.joined(separator: "\n") + "\n"
    }

    @Test func everyBatchGivesTheSameBytes() async throws {
        try await withFolder { folder in
            let model = try folder.model(scaling: .perStream)
            let input = try folder.write(observations(600), "in.ndjson")
            var outputs: Set<Data> = []
            for batch in ["1", "2", "7", "64", "599", "4096"] {
                let output = folder.file("out")
                let result = await sluice(
                    "score", "--model", model, "--input", input, "--output", output, "--batch", batch, "--rejects",
                    folder.file("rejects"))
                #expect(result.code == 0 && result.out.isEmpty)
                outputs.insert(try folder.data("out") + folder.data("rejects"))
            }
            #expect(outputs.count == 1)
            #expect(try folder.read("out").lines.count + folder.read("rejects").lines.count == 600)
        }
    }

    @Test func rejectsAreToldCountedAndKept() async throws {
        try await withFolder { folder in
            let rows = (0..<30).map { "bad \($0)" } + [#"{"stream":"a","time":0,"values":{"x":1,"y":2}}"#]
            let input = try folder.write(rows.joined(separator: "\n"), "in.ndjson")
            let result = await sluice(
                "score", "--model", try folder.model(), "--input", input, "--output", folder.file("out"), "--rejects",
                folder.file("rejects"), "--json")
            #expect(result.code == 0)
            #expect(result.error.lines.count == 22)
            #expect(result.error.lines[0].hasPrefix("row 0: json-invalid: "))
            #expect(result.error.lines[20].contains("are counted"))
            #expect(
                result.error.lines[21]
                    == #"{"observations":31,"predictions":1,"rejects":30,"ended":0,"dropped":0}"#)
            struct Reject: Decodable {
                let row: Int
                let error, message, source, value: String
            }
            let kept = try folder.read("rejects").lines.map {
                try JSONDecoder().decode(Reject.self, from: Data($0.utf8))
            }
            #expect(kept.map(\.row) == Array(0..<30))
            #expect(kept[7].value == "bad 7" && kept[7].source == "in.ndjson/0/7" && kept[7].error == "json-invalid")
        }
    }

    @Test(arguments: ["in.ndjson", "in.csv"]) func recordOfAnySizeIsOneReject(name: String) async throws {
        try await withFolder { folder in
            let isCSV = name.hasSuffix("csv")
            func row(_ time: Int) -> String {
                isCSV ? "a,\(time),1,2\n" : #"{"stream":"a","time":\#(time),"values":{"x":1,"y":2}}"# + "\n"
            }
            // Above what the reader would ever hold.
            var large = Data(isCSV ? "a,\"".utf8 : "{\"stream\":\"".utf8)
            large.append(Data(repeating: UInt8(ascii: "z"), count: 65 << 20))
            let text =
                Data(((isCSV ? "stream,time,x,y\n" : "") + row(0) + "\n").utf8) + large + Data(("\r\n" + row(1)).utf8)
            try text.write(to: URL(filePath: folder.file(name)))
            let result = await sluice(
                "score", "--model", try folder.model(), "--input", folder.file(name), "--output", folder.file("out"),
                "--rejects", folder.file("rejects"))
            let line = isCSV ? 4 : 3
            #expect(result.code == 0)
            #expect(
                result.error.lines.first
                    == "row 1: too-large: line \(line) has \(large.count) bytes, and a record may have 1048576")
            #expect(try folder.read("out").lines.compactMap { $0.firstMatch(of: /"step":(\d+)/)?.1 } == ["0", "1"])
            #expect(try folder.read("out").lines.last?.contains(#""offset":2}"#) == true)
            struct Reject: Decodable {
                let row, truncated: Int
                let error, source, value, sha256: String
            }
            let reject = try JSONDecoder().decode(Reject.self, from: folder.data("rejects"))
            #expect(reject.row == 1 && reject.error == "too-large" && reject.source == "\(name)/0/1")
            #expect(Data(reject.value.utf8) == large.prefix(4_096) && reject.truncated == large.count)
            #expect(reject.sha256 == SHA256.hash(large.bytes).hexadecimal)
        }
    }

    @Test func unclosedQuoteIsOneReject() async throws {
        try await withFolder { folder in
            // Far more rows than a quoted field may run over.
            let rows = (0..<9_000).map { "a,\($0),1,2" }
            let text = ["stream,time,x,y", "a,0,1,2", "a,1,\"1,2"] + rows.dropFirst(2) + ["a,9000,1,\"2"]
            let input = try folder.write(text.joined(separator: "\n"), "in.csv")
            let result = await sluice(
                "score", "--model", try folder.model(), "--input", input, "--output", folder.file("out"), "--rejects",
                folder.file("rejects"))
            #expect(result.code == 0)
            #expect(
                result.error.lines.prefix(2) == [
                    "row 1: csv-invalid: line 3 opens a quote that is not closed",
                    "row 9000: csv-invalid: line 9002 opens a quote that is not closed",
                ])
            #expect(try folder.read("out").lines.count == 8_999)
            #expect(try folder.read("rejects").contains(#""value":"a,1,\"1,2"}"#))
        }
    }

    @Test func blankLinesAreNoRows() async throws {
        try await withFolder { folder in
            let csv = "  \nstream,time,x,y\n \t \na,0,1,2\n\n   \r\na,1,1,2\n \nbad\n  "
            let json = #"{"stream":"a","time":0,"values":{"x":1,"y":2}}"# + "\n \t\nbad\n  "
            for (text, name, predictions) in [(csv, "in.csv", 2), (json, "in.ndjson", 1)] {
                let result = await sluice(
                    "score", "--model", try folder.model(), "--input", try folder.write(text, name), "--output",
                    folder.file("out"))
                #expect(result.code == 0)
                #expect(result.error.lines.count == 2)
                #expect(result.error.hasPrefix("row \(predictions): "))
                #expect(try folder.read("out").lines.count == predictions)
            }
        }
    }

    @Test func summaryNamesEveryOutcome() async throws {
        try await withFolder { folder in
            let config = try folder.write(
                "input: {features: {x: /values/x, y: /values/y}, late: drop}\n", "score.yaml")
            func row(_ stream: String, _ time: Int) -> String {
                #"{"stream":"\#(stream)","time":\#(time),"values":{"x":1,"y":2}}"#
            }
            let rows = [
                row("a", 1_000), row("a", 0), row("b", 0), "bad", #"{"stream":"a","values":null}"#,
                #"{"stream":"b","values":null}"#,
            ]
            let arguments = [
                "score", "--model", try folder.model(), "-c", config, "--input",
                try folder.write(rows.joined(separator: "\n"), "in.ndjson"), "--output", folder.file("out"),
            ]
            let text = await sluice(list: arguments)
            let counts = "6 observations: 2 predictions, 1 reject, 2 streams ended, 1 late dropped; "
            #expect(text.code == 0 && text.error.lines.last?.hasPrefix(counts) == true)
            let json = await sluice(list: arguments + ["--json"])
            #expect(
                json.error.lines.last == #"{"observations":6,"predictions":2,"rejects":1,"ended":2,"dropped":1}"#)
        }
    }

    @Test func csvIsReadByItsHeader() async throws {
        try await withFolder { folder in
            let csv = try folder.write("time,stream,y,x\n1000,a,2,1\n2000,a,,3\n", "in.csv")
            let json = try folder.write(
                """
                {"stream":"a","time":1000,"values":{"x":1,"y":2},"source":{"topic":"in.csv","partition":0,"offset":0}}
                {"stream":"a","time":2000,"values":{"x":3},"source":{"topic":"in.csv","partition":0,"offset":1}}
                """, "in.ndjson")
            let model = try folder.model()
            for (input, output) in [(csv, "1"), (json, "2")] {
                let result = await sluice("score", "--model", model, "--input", input, "--output", folder.file(output))
                #expect(result.code == 0)
            }
            #expect(try folder.data("1") == folder.data("2"))
            #expect(try folder.read("1").contains(#""source":{"topic":"in.csv","partition":0,"offset":1}"#))
        }
    }

    @Test func configurationGivesInputAndBoundaries() async throws {
        try await withFolder { folder in
            let config = try folder.write(
                """
                input: {features: {x: /a, y: /b}}
                boundaries: {every: 2}
                """, "score.yaml")
            let rows = (0..<4).map { #"{"stream":"s","time":\#($0),"a":1,"b":2}"# }
            let input = try folder.write(rows.joined(separator: "\n"), "in.ndjson")
            let result = await sluice(
                "score", "--model", try folder.model(), "-c", config, "--input", input, "--output", folder.file("out"))
            #expect(result.code == 0)
            let steps = try folder.read("out").lines.map { $0.firstMatch(of: /"step":(\d+)/)?.1 ?? "" }
            #expect(steps == ["0", "1", "0", "1"])
        }
    }

    @Test func recordedResetsApplyAtTheirOffsets() async throws {
        try await withFolder { folder in
            let rows = (0..<6).map {
                #"{"stream":"s","time":\#($0),"values":{"x":1,"y":2},"#
                    + #""source":{"topic":"t","partition":2,"offset":\#(10 + 5 * $0)}}"#
            }
            let input = try folder.write(rows.joined(separator: "\n"), "in.ndjson")
            let event =
                #"{"id":"r","type":"reset","stream":"s","partition":2,"offset":22,"by":"me","#
                + #""time":"2026-01-01T00:00:00Z","control":0}"#
            let commands = try folder.write(event + "\n", "events.ndjson")
            let result = await sluice(
                "score", "--model", try folder.model(), "--input", input, "--output", folder.file("out"), "--commands",
                commands)
            #expect(result.code == 0)
            let steps = try folder.read("out").lines.map { $0.firstMatch(of: /"step":(\d+)/)?.1 ?? "" }
            #expect(steps == ["0", "1", "2", "0", "1", "2"])
        }
    }

    @Test func recordedSwapsGoToTheModelsBesideTheFirst() async throws {
        try await withFolder { folder in
            let rows = (0..<6).map { #"{"stream":"s","time":\#($0),"values":{"x":1,"y":\#($0)}}"# }
            let input = try folder.write(rows.joined(separator: "\n"), "in.ndjson")
            func swap(_ version: String, _ offset: Int) -> String {
                #"{"id":"\#(version)","type":"swap","partition":0,"offset":\#(offset),"by":"me","#
                    + #""time":"2026-01-01T00:00:00Z","control":\#(offset),"model":"\#(version)"}"# + "\n"
            }
            let commands = try folder.write(swap("v2", 2) + swap("v1", 5), "events.ndjson")
            let model = try folder.model()
            func score() async -> CommandResult {
                await sluice(
                    "score", "--model", model, "--input", input, "--output", folder.file("out"), "--commands", commands)
            }
            let missing = await score()
            #expect(missing.code == 1 && missing.error.contains("v2.safetensors"))
            _ = try folder.model("v2.safetensors", inputs: ["y", "x"], version: "v2")
            #expect(await score().code == 0)
            let lines = try folder.read("out").lines
            let models = lines.map { $0.firstMatch(of: /"model":"(\w+)"/)?.1 ?? "" }
            #expect(models == ["v1", "v1", "v2", "v2", "v2", "v1"])
            #expect(lines.map { $0.firstMatch(of: /"step":(\d+)/)?.1 ?? "" } == ["0", "1", "0", "1", "2", "0"])
        }
    }

    /// A partition that saw no input before a model was promoted begins with that one.
    @Test func eachPartitionBeginsWithTheModelThatItsFirstSwapTookOverFrom() async throws {
        try await withFolder { folder in
            let rows = (0..<8).map {
                #"{"stream":"s\#($0 % 2)","time":\#($0),"values":{"x":1,"y":\#($0)},"#
                    + #""source":{"topic":"t","partition":\#($0 % 2),"offset":\#($0 / 2)}}"#
            }
            let input = try folder.write(rows.joined(separator: "\n"), "in.ndjson")
            func swap(_ partition: Int, _ offset: Int, _ model: String, from previous: String) -> String {
                #"{"id":"\#(partition)-\#(offset)","type":"swap","partition":\#(partition),"offset":\#(offset),"#
                    + #""by":"me","time":"2026-01-01T00:00:00Z","control":\#(offset),"#
                    + #""model":"\#(model)","previous":"\#(previous)"}"# + "\n"
            }
            // Not in their order: the first by its offset counts.
            let commands = try folder.write(
                swap(1, 3, "v1", from: "v3") + swap(1, 2, "v3", from: "v2") + swap(0, 2, "v2", from: "v1"),
                "events.ndjson")
            let model = try folder.model()
            _ = try folder.model("v3.safetensors", version: "v3")
            func score() async -> CommandResult {
                await sluice(
                    "score", "--model", model, "--input", input, "--output", folder.file("out"), "--commands", commands)
            }
            let missing = await score()
            #expect(missing.code == 1 && missing.error.contains("the model v2, and there is no"))
            _ = try folder.model("v2.safetensors", inputs: ["y", "x"], version: "v2")
            #expect(await score().code == 0)
            let models = try folder.read("out").lines.map { $0.firstMatch(of: /"model":"(\w+)"/)?.1 ?? "" }
            #expect(models == ["v1", "v2", "v1", "v2", "v2", "v3", "v2", "v1"])
        }
    }

    @Test func whatIsWrongIsSaid() async throws {
        try await withFolder { folder in
            let model = try folder.model()
            let input = try folder.write("{}", "in.ndjson")
            func score(_ arguments: String...) async -> CommandResult { await sluice(list: ["score"] + arguments) }
            let missing = await score("--model", model, "--input", "nowhere", "--output", folder.file("o"))
            #expect(missing.code == 1 && missing.error.contains("nowhere cannot be read"))
            let notAModel = await score("--model", input, "--input", input, "--output", folder.file("o"))
            #expect(notAModel.code == 1 && notAModel.error.contains("model file"))
            let unwritable = await score("--model", model, "--input", input, "--output", folder.file("no/o"))
            #expect(unwritable.code == 1 && unwritable.error.contains("cannot be written"))
            for bad in [["--batch", "0"], ["--batch", "4097"], ["--format", "xml"]] {
                let result = await sluice(
                    list: ["score", "--model", model, "--input", input, "--output", folder.file("o")] + bad)
                #expect(result.code == 2)
            }
        }
    }
}
