import Foundation
import Testing

@testable import SluiceCommands

/// The long-memory task through the whole path: a CSV file with labels in, a model that remembers out.
@Suite struct LongMemoryTests {
    /// 1,200 sequences of 20 steps, all zero but the first step, which is 1 for exactly half of them and is the label
    /// of every step.
    private static func csv() -> String {
        // A permutation: 7,919 and 1,200 have no divisor in common.
        let ones = (0..<1_200).map { $0 * 7_919 % 1_200 < 600 }
        var text = "stream,time,x,label\n"
        for (sequence, isOne) in ones.enumerated() {
            for step in 0..<20 {
                let time = 1_767_225_600_000 + (20 * sequence + step) * 1_000
                text += "s\(sequence),\(time),\(step == 0 && isOne ? 1 : 0),\(isOne ? 1 : 0)\n"
            }
        }
        return text
    }

    /// Set-up 3 of the textbook experiments in rows and chunks.
    @Test(arguments: ["0", "1", "2"])
    func firstStepIsRemembered(seed: String) async throws {
        try await withFolder { folder in
            let data = try folder.write(Self.csv(), "long-memory.csv")
            let result = await sluice(
                list: [
                    "train", "--data", data, "--output", folder.file("m"), "--json", "--seed", seed, "--head", "binary",
                    "--scaling", "none", "--hidden", "10", "--learning-rate", "0.001", "--chunk", "20", "--rows", "32",
                    "--loss-at", "every", "--forget-bias", "1", "--patience", "0", "--epochs", "40", "--by", "stream",
                    "--validation", "0.16666",
                ])
            #expect(result.code == 0)
            struct Epoch: Decodable {
                struct Measured: Decodable {
                    let accuracy: Double
                    let count: Int
                }
                let validation: Measured
            }
            let last = try #require(result.out.lines.dropLast().last)
            let validation = try JSONDecoder().decode(Epoch.self, from: Data(last.utf8)).validation
            #expect(validation.count == 4_000)
            #expect(validation.accuracy > 0.99)
        }
    }
}
