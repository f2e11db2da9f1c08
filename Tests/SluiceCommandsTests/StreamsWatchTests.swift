import SluiceAdmin
import SluiceAdminTestKit
import SluiceCore
import Testing

@testable import SluiceCommands

@Suite struct StreamsWatchTests {
    @Test func listPrintsChangesAsLines() async throws {
        let backend = FakeBackend(keys: ["a", "b"])
        try await withService(backend) { url in
            let result = await sluice(
                "streams", "watch", "--url", url, "--interval", "0.05",
                enough: { out in
                    let lines = out.split(separator: "\n").count
                    if lines == 2 { backend.change { $0.slots["b"]?.summary.step = 414 } }
                    return lines == 3
                })
            #expect(result.code == 0)
            #expect(
                result.out == """
                    2026-01-01T00:05:00Z a step=412 forecast=71.25 anomaly=0.030 error=0.5
                    2026-01-01T00:05:01.500Z b step=413 forecast=72.25 anomaly=- error=-
                    2026-01-01T00:05:01.500Z b step=414 forecast=72.25 anomaly=- error=-

                    """)
        }
    }

    @Test func streamPrintsItsObservationsOnce() async throws {
        let backend = FakeBackend(keys: ["a"])
        let fresh = RecentStep(offset: 12_350, time: nil, step: 2, value: 1, forecast: nil, anomaly: nil)
        try await withService(backend) { url in
            let result = await sluice(
                "streams", "watch", "a", "--url", url, "--interval", "0.05",
                enough: { out in
                    let lines = out.split(separator: "\n").count
                    if lines == 2 { backend.change { $0.slots["a"]?.recent.append(fresh) } }
                    return lines == 3
                })
            #expect(result.code == 0)
            #expect(
                result.out == """
                    2026-01-01T00:00:00Z offset=12344 step=0 value=70.5 forecast=71 anomaly=- boundary=gap
                    2026-01-01T00:05:00Z offset=12345 step=1 value=71.5 forecast=71.25 anomaly=0.030
                    - offset=12350 step=2 value=1 forecast=- anomaly=-

                    """)
        }
    }

    @Test func terminalIsDrawnAnew() async throws {
        try await withService { url in
            let list = await sluice(
                "streams", "watch", "--url", url, isTerminal: true, enough: { $0.contains("100%") })
            #expect(list.out.hasPrefix("\u{1B}[H\u{1B}[JSTREAM "))
            let slot = await sluice(
                "streams", "watch", "ä", "--url", url, isTerminal: true, enough: { $0.contains("OFFSET") })
            #expect(slot.out.hasPrefix("\u{1B}[H\u{1B}[Jstream "))
        }
    }

    @Test func failureEndsIt() async {
        let result = await sluice("streams", "watch", "--url", "http://127.0.0.1:1")
        #expect(result.code == 1)
    }
}
