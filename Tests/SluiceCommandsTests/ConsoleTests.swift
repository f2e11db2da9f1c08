import Glibc
import Logging
import SluiceCore
import Synchronization
import Testing

@testable import SluiceCommands

@Suite struct ConsoleTests {
    /// What is written to stderr while `body` runs.
    private func errors(isTerminal: Bool = false, _ body: (Console) -> Void) -> String {
        let text = Mutex("")
        body(
            Console(
                out: { _ in }, error: { part in text.withLock { $0 += part } }, read: { nil }, isTerminal: false,
                isInteractive: false, environment: [:], isErrorTerminal: isTerminal))
        return text.withLock { $0 }
    }

    @Test func whatStdoutRefusesIsNotLostSilently() {
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        let output = StandardOutput(descriptor)
        output.write([])
        #expect(output.failure == nil)
        output.write([1])
        #expect(output.failure?.code == .file)
        #expect("\(output.failure!)".contains("stdout cannot be written: No space left on device"))
    }

    @Test func aCommandWhoseOutputIsRefusedFails() async {
        let errors = Mutex("")
        let console = Console(
            out: { _ in }, outFailure: { SluiceError(.file, "stdout cannot be written: for a test") },
            error: { text in errors.withLock { $0 += text } }, read: { nil }, isTerminal: false, isInteractive: false,
            environment: [:])
        let code = await Console.$current.withValue(console) { await CommandLineEntry.run(["--version"]) }
        #expect(code == 1)
        #expect(errors.withLock { $0 } == "error: stdout cannot be written: for a test\n")
    }

    @Test func barIsDrawnAfterTwoSecondsAndCleared() {
        let drawn = errors(isTerminal: true) { console in
            let start = ContinuousClock.now
            var time = start
            let bar = ProgressBar(console: console) { time }
            bar.show(0.1) { "early" }
            time = start + .seconds(3)
            bar.show(0.25) { "quarter" }
            time = start + .seconds(3.05)
            bar.show(0.26) { "too soon" }
            bar.clear()
            bar.clear()
        }
        #expect(drawn == "\r\u{1B}[2K[######------------------]  25 %  quarter  9 s left\r\u{1B}[2K")
    }

    @Test func linesElsewhereComeEveryFewSeconds() {
        let lines = errors { console in
            let start = ContinuousClock.now
            var time = start
            let bar = ProgressBar(console: console) { time }
            for second in 0..<12 {
                time = start + .seconds(second)
                bar.show(nil) { "at \(second)" }
            }
            bar.clear()
        }
        #expect(lines == "at 2\nat 7\n")
    }

    /// What was read beforehand, or trained before an interruption, says nothing about how fast this piece goes.
    @Test func timeLeftIsThatOfThePieceAtHand() {
        let lines = errors { console in
            let start = ContinuousClock.now
            var time = start
            let bar = ProgressBar(console: console) { time }
            time = start + .seconds(100)
            bar.begin(at: 0.5)
            time = start + .seconds(110)
            bar.show(0.75) { "half of the rest" }
        }
        #expect(lines == " 75 %  half of the rest  10 s left\n")
    }

    @Test func durationsAndRatesAreShort() {
        #expect(ProgressBar.duration(41.2) == "42 s")
        #expect(ProgressBar.duration(200) == "3 min 20 s")
        #expect(ProgressBar.duration(7_500) == "2 h 5 min")
        #expect(ProgressBar.rate(5_000, per: 2) == "2500/s")
        #expect(ProgressBar.rate(1e6, per: 2) == "500 k/s")
    }

    @Test func logIsOneLineAnEvent() {
        let text = errors { console in
            var logger = Logger(label: "x") { _ in ConsoleLog(console: console, clock: { 1_767_225_600_123 }) }
            logger.logLevel = .info
            logger.info("serving", metadata: ["b": "two words", "a": "1", "c": "line\nbreak \"q\""])
            logger.debug("not this")
        }
        #expect(
            text
                == "2026-01-01T00:00:00.123Z info serving a=1 b=\"two words\" c=\"line\\\\u{a}break \\\"q\\\"\"\n")
    }

    @Test func levelComesFromFlagThenEnvironment() async throws {
        let wrong = await sluice("broker", "--log-level", "loud")
        #expect(wrong.code == 2 && wrong.error.contains("--log-level 'loud'"))
        let variable = await sluice("broker", "--port", "0", environment: ["SLUICE_LOG": "loud"])
        #expect(variable.code == 2 && variable.error.contains("SLUICE_LOG 'loud'"))
    }

    /// The first signal is about the work, the next one about what is left to do behind it.
    @Test func anInterruptionIsOfTheWorkAndThenOfTheRest() {
        let one = Interruption()
        #expect(!one.isRequested && one.request() && one.isRequested && !one.isRestRequested)
        #expect(!one.request())
        one.beginRest()
        #expect(!one.isRestRequested && one.request() && one.isRestRequested && !one.request())
        let late = Interruption()
        late.beginRest()
        #expect(late.request() && late.isRestRequested && !late.isRequested)
    }
}
