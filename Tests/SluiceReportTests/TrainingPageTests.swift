import Foundation
import SluiceLSTM
import SluiceTraining
import Testing

@testable import SluiceReport

@Suite struct TrainingPageTests {
    /// With RECORD_SNAPSHOTS=1 it is written anew, and the test fails, so that what was recorded is looked at.
    @Test func theReportIsTheOneThatWasLookedAt() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots/report.html")
        let html = try TinyRun.page(folds: TinyRun.folds()).html
        if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
            try Data(html.utf8).write(to: file)
            Issue.record("recorded \(file.lastPathComponent)")
        }
        #expect(try html == String(decoding: Data(contentsOf: file), as: UTF8.self), "RECORD_SNAPSHOTS=1 records it")
    }

    @Test func itIsWellFormedAndNeedsNothingElse() throws {
        for page in [
            try TinyRun.page(folds: TinyRun.folds()), TinyRun.page(.binary, stop: .diverged(epoch: 9, batch: 2)),
        ] {
            let html = page.html
            // But for two tags without an end it is XML: a parser says whether all else is closed and escaped.
            let xml = html.replacingOccurrences(of: "<!doctype html>\n", with: "")
                .replacing(/<meta [^>]*>/, with: "")
            #expect(XMLCheck().problem(in: xml) == nil)
            for word in ["<script", "http:", "https:", "url(", "@import", "src="] { #expect(!html.contains(word)) }
            #expect(html.contains("prefers-color-scheme: dark") && html.contains("@media print"))
        }
    }

    @Test func aSearchIsDrawnAndItsNumbersAreWhole() throws {
        var page = TinyRun.page()
        page.tuning = TinyRun.tuning
        let html = page.html
        #expect(
            XMLCheck().problem(in: html.replacing("<!doctype html>\n", with: "").replacing(/<meta [^>]*>/, with: ""))
                == nil)
        let search = try #require(html.firstRange(of: "Search</h2>").map { html[$0.upperBound...] })
        // A line for each trial that went on; a dot for each rung that it ended.
        #expect(search.contains("trial 2, the best") && search.contains("epochs trained 6: 0.25"))
        #expect(search.contains("<td class=\"number\">0.00025</td>") && search.contains("diverged"))
        page.standby = TinyRun.tuning.rows[1].trial
        #expect(page.html.contains("own training: the model is trial 1 as it was"))
        // One rung: bars.
        page.tuning = TinyRun.search([TinyRun.tuning.rows[0], TinyRun.tuning.rows[1]])
        #expect(page.html.contains("<title>Validation loss of the best trials</title>"))
    }

    @Test func whatIsOddOrNotMeasuredIsSaid() {
        var page = TinyRun.page()
        page.result.isMeasured = false
        #expect(page.html.contains("what is not here was not measured"))
        #expect(!TinyRun.page().html.contains("was not measured"))
    }

    @Test func whatIsInItSuitsTheRun() throws {
        let forecast = try TinyRun.page(folds: TinyRun.folds()).html
        #expect(forecast.contains("pumps &lt;1&gt;") && !forecast.contains("pumps <1>"))
        #expect(forecast.contains("load &amp; more") && forecast.contains("Cross-validation"))
        #expect(forecast.contains("lowers the loss by 25 %: the policy suits it"))
        #expect(forecast.contains("Stopped early: no better validation loss for 10 epochs"))
        #expect(forecast.contains("should be 80 %") && !forecast.contains("most frequent label"))
        let classes = TinyRun.page(.binary, stop: .diverged(epoch: 9, batch: 2)).html
        #expect(classes.contains("most frequent label") && classes.contains("62.5 %"))
        #expect(classes.contains("diverged in epoch 9, batch 2") && !classes.contains("Cross-validation"))
        #expect(!classes.contains("Errors of the forecasts"))
    }
}

/// Whether a text is well-formed, by counting its tags: Foundation's parser of XML is a library of its own.
private struct XMLCheck {
    func problem(in text: String) -> String? {
        var open: [Substring] = []
        for tag in text.matches(of: /<(\/?)([a-zA-Z0-9]+)(?:\s+[a-zA-Z][a-zA-Z0-9-]*="[^"<>]*")*\s*(\/?)>/) {
            let name = tag.output.2
            if tag.output.1 == "/" {
                guard open.popLast() == name else { return "</\(name)> closes nothing" }
            } else if tag.output.3 != "/" {
                open.append(name)
            }
        }
        let rest = text.replacing(/<(\/?)([a-zA-Z0-9]+)(?:\s+[a-zA-Z][a-zA-Z0-9-]*="[^"<>]*")*\s*(\/?)>/, with: "")
        if let stray = rest.firstIndex(of: "<") { return "not a tag: \(rest[stray...].prefix(40))" }
        return open.last.map { "<\($0)> is not closed" }
    }
}
