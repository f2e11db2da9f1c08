import Foundation
import Testing

@testable import SluiceCommands

/// Data from which nothing can be learned: each says why, and the model that is there stays.
@Suite struct TrainRefusalTests {
    struct Case: CustomTestStringConvertible {
        let name: String
        var header = "stream,time,a,b"
        let rows: [String]
        var arguments: [String] = []
        let message: String

        var testDescription: String { name }
    }

    private static func rows(_ count: Int, _ row: (Int) -> String) -> [String] { (0..<count).map(row) }

    static let cases = [
        Case(name: "no observations", rows: [], message: "holds no observations"),
        Case(
            name: "one observation", rows: ["s,0,1,2"],
            message: "no observation is warm: the longest stream has 1, and scaling per-stream needs more before"),
        Case(
            name: "one observation, unscaled", rows: ["s,0,1,2"], arguments: ["--scaling", "none"],
            message: "every sequence ends before the smallest horizon of 1"),
        Case(
            name: "streams that are never warm", rows: rows(100) { "s\($0 / 10),\($0 % 10),\($0),1" },
            message: "the longest stream has 10"),
        Case(
            name: "targets missing throughout", rows: rows(60) { "s,\($0),,\($0)" },
            message: "the targets (a) are missing throughout"),
        Case(
            name: "NaN throughout", rows: rows(60) { "s,\($0),nan,1" },
            message: "none of the observations can be used: 60 number-out-of-range, the first: feature \"a\""),
        Case(
            name: "labels missing throughout", header: "stream,time,a,label", rows: rows(60) { "s,\($0),\($0),-1" },
            arguments: ["--head", "binary"], message: "no warm observation has a label"),
        Case(
            name: "labels in the held-out part alone", header: "stream,time,a,label",
            rows: rows(60) { "s,\($0),\($0 % 7),\($0 < 55 ? "" : "1")" }, arguments: ["--head", "binary"],
            message: "no observation of the training part has a target or label"),
        Case(
            name: "a learning rate out of bounds", rows: rows(200) { "s,\($0),\($0 % 7),1" },
            arguments: ["--learning-rate", "1e38", "--clip", "0", "--head", "point", "--rows", "1", "--chunk", "10"],
            message: "training diverged: the loss of epoch 1, batch 3 is not finite"),
        Case(
            name: "a fold without a target", rows: rows(60) { "s,\($0),\($0 % 7),1" }, arguments: ["--folds", "5"],
            message: "fold 1: no observation of the training part has a target or label"),
        Case(
            name: "more folds than streams", rows: rows(60) { "s\($0 % 2),\($0),\($0),1" },
            arguments: ["--folds", "3", "--by", "stream", "--scaling", "none"],
            message: "3 folds by stream need as many streams: there are 2"),
    ]

    @Test(arguments: cases)
    func saysWhyAndOverwritesNothing(_ one: Case) async throws {
        try await withFolder { folder in
            let data = try folder.write(([one.header] + one.rows).joined(separator: "\n") + "\n", "in.csv")
            try folder.write("the model before", "m")
            let result = await sluice(
                list: [
                    "train", "--data", data, "--output", folder.file("m"), "--hidden", "2", "--horizons", "1",
                    "--epochs",
                    "2", "--threads", "1",
                ] + one.arguments)
            #expect(result.code == 1 && result.error.contains(one.message), "\(result.error)")
            #expect(try folder.read("m") == "the model before")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["in.csv", "m"])
        }
    }

    @Test func inputsThatNeverChangeAreNamed() async throws {
        try await withFolder { folder in
            let data = try folder.write(
                "stream,time,a,b\n" + (0..<100).map { "s,\($0),\($0 % 5),3\n" }.joined(), "in.csv")
            let result = await sluice(
                "train", "--data", data, "--output", folder.file("m"), "--hidden", "2", "--horizons", "1", "--epochs",
                "1")
            #expect(result.code == 0)
            #expect(result.error == "the same value throughout, from which nothing can be learned: b\n")
        }
    }
}
