import SluiceTraining
import Testing

@testable import SluiceCommands
@testable import SluiceExperiments

@Suite struct ExperimentCommandTests {
    @Test func aPageHasTheTableWhatItSaysAndALineForEachSetUp() {
        let report = ExperimentReport(
            header: ["set-up", "loss"], rows: [["first <1>", "0.5"], ["second", "0.25"]], reading: "Less is better.",
            figures: [
                Figure(
                    title: "Loss", x: "epoch", y: "mean squared error",
                    lines: (1...7).map { Figure.Line(name: "line \($0)", points: [(1, 2), (2, Double($0))]) })
            ])
        let html = ExperimentPage.html(.carry, report, seeds: 3)
        #expect(html.contains("<td>first &lt;1&gt;</td><td class=\"number\">0.5</td>"))
        #expect(html.contains("Less is better.") && html.contains("mean squared error") && html.contains("3 seeds"))
        #expect(html.matches(of: /<polyline/).count == 7 && html.contains("line f") && html.contains("line 7"))
    }

    @Test func aPageThatCannotBeWrittenIsToldBeforeAnythingIsTrained() async throws {
        try await withFolder { folder in
            let result = await sluice("experiment", "carry", "--html", folder.path)
            #expect(result.code == 1 && result.out.isEmpty && result.error.contains("is a folder"))
            let nowhere = await sluice("experiment", "carry", "--html", folder.file("nowhere/carry.html"))
            #expect(nowhere.code == 1 && nowhere.error.contains("cannot be written"))
        }
    }
}
