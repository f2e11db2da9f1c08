import Testing

@testable import SluiceService

@Suite struct RecentActivityTests {
    private static let second: Int64 = 1_000_000_000

    @Test func theRateIsTheMeanOfTheLastWholeSeconds() {
        var activity = RecentActivity()
        #expect(activity.rate(at: 100 * Self.second) == 0)
        for second in 100..<110 { activity.add(second == 103 ? 900 : 10, at: Int64(second) * Self.second + 7) }
        #expect(activity.rate(at: 101 * Self.second) == 10, "it has run for a second")
        #expect(activity.rate(at: 108 * Self.second) == (900 + 4 * 10) / 5)
        #expect(activity.rate(at: 110 * Self.second + 5) == 10)
        #expect(activity.rate(at: 300 * Self.second) == 0)
    }

    @Test func whatIsFoldedAndNotAnsweredYetHasNoLatency() {
        var activity = RecentActivity()
        activity.add(0, at: 0)
        activity.add(10, at: Self.second)
        #expect(activity.latency([0.5], at: Self.second) == nil)
        #expect(activity.rate(at: 2 * Self.second) == 10)
    }

    @Test(arguments: [2_000, 1_000_000, 47_000_000, 3_600_000_000_000] as [Int64])
    func latenciesAreReadWithinASixteenth(nanoseconds: Int64) throws {
        var activity = RecentActivity()
        activity.add(5, latency: nanoseconds, at: 0)
        let read = try #require(activity.latency([0.5, 1], at: 0))
        for milliseconds in read {
            #expect(abs(milliseconds * 1e6 / Double(nanoseconds) - 1) <= 1 / 16)
        }
    }

    @Test func latencyIsOfObservationsAndOfTheLastMinute() throws {
        var activity = RecentActivity()
        activity.add(1_000, latency: 900_000_000, at: 0)
        activity.add(98, latency: 1_000_000, at: 61 * Self.second)
        activity.add(2, latency: 80_000_000, at: 62 * Self.second)
        let read = try #require(activity.latency([0.5, 0.98, 0.99], at: 62 * Self.second))
        #expect(read[0] < 1.1 && read[1] < 1.1 && read[2] > 70)
        #expect(activity.latency([0.5], at: 200 * Self.second) == nil)
    }
}
