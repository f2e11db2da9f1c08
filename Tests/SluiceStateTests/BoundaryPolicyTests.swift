import SluiceCore
import Testing

@testable import SluiceState

@Suite struct BoundaryPolicyTests {
    private static let minute: Int64 = 60_000
    private static let day: Int64 = 86_400_000

    private static func time(_ text: String) throws -> EpochMilliseconds { try #require(Timestamp.parse(text)) }

    private static func paris(_ timeOfDayMinutes: Int64) throws -> DailyBoundary {
        DailyBoundary(
            timeOfDay: timeOfDayMinutes * minute,
            transitions: [
                .init(since: 0, offset: 60 * minute),
                .init(since: try time("2025-03-30T01:00:00Z"), offset: 120 * minute),
                .init(since: try time("2025-10-26T01:00:00Z"), offset: 60 * minute),
            ], zone: "Europe/Paris", dataVersion: "test")
    }

    /// Also where the clock skips the time of day, and where it shows it twice.
    @Test(arguments: [0, 60, 119, 120, 121, 150, 179, 180, 181, 720, 1_439] as [Int64])
    func aDayBeginsOnceAtTheFirstMomentTheClockHasReachedIt(timeOfDayMinutes: Int64) throws {
        let boundary = try Self.paris(timeOfDayMinutes)
        for (transition, before, after) in [("2025-03-30T01:00:00Z", 60, 120), ("2025-10-26T01:00:00Z", 120, 60)] {
            var begun = Int64.min
            var days = 0
            let change = try Self.time(transition)
            let start = change - 2 * Self.day
            for time in stride(from: start, to: change + 2 * Self.day, by: Int(Self.minute)) {
                let local = time + Int64(time < change ? before : after) * Self.minute
                let today = local / Self.day
                let begins = today * Self.day + timeOfDayMinutes * Self.minute <= local && today > begun
                if begins { begun = today }
                guard time > start else { continue }
                let differs = boundary.day(of: time) != boundary.day(of: time - Self.minute)
                #expect(differs == begins, "\(Timestamp.text(time))")
                days += differs ? 1 : 0
            }
            #expect((3...5).contains(days))
        }
    }

    @Test func daysBeforeTheEpochAndTheFirstTransitionCount() throws {
        let boundary = DailyBoundary(
            timeOfDay: 6 * 60 * Self.minute, transitions: [.init(since: 0, offset: 0)], zone: "UTC", dataVersion: "test"
        )
        #expect(boundary.day(of: try Self.time("1969-12-31T05:59:59Z")) == -2)
        #expect(boundary.day(of: try Self.time("1969-12-31T06:00:00Z")) == -1)
        #expect(boundary.day(of: try Self.time("1970-01-01T06:00:00Z")) == 0)
        #expect(boundary.day(of: Timestamp.range.lowerBound) < 0)
        #expect(boundary.day(of: Timestamp.range.upperBound - 1) > 0)
    }

    private func slot(time: EpochMilliseconds, step: Int64 = 1) -> SlotHeader {
        var header = SlotHeader()
        (header.fence, header.time, header.step) = (0, time, step)
        return header
    }

    @Test func nothingIsABoundaryUnlessDeclared() {
        let policy = BoundaryPolicy()
        #expect(policy.cause(before: 1 << 50, slot: slot(time: 0, step: 1 << 40), sequenceDiffers: true) == nil)
    }

    @Test func aGapIsMoreThanItsLength() {
        let policy = BoundaryPolicy(gap: 1_000)
        #expect(policy.cause(before: 6_000, slot: slot(time: 5_000), sequenceDiffers: false) == nil)
        #expect(policy.cause(before: 6_001, slot: slot(time: 5_000), sequenceDiffers: false) == .gap)
        #expect(policy.cause(before: 0, slot: slot(time: 5_000), sequenceDiffers: false) == nil)
    }

    @Test func theExtremesOfTimeDoNotOverflow() throws {
        let policy = BoundaryPolicy(gap: .max, daily: try Self.paris(0))
        let (first, last) = (Timestamp.range.lowerBound, Timestamp.range.upperBound - 1)
        #expect(policy.cause(before: last, slot: slot(time: first), sequenceDiffers: false) == .daily)
        #expect(policy.cause(before: first, slot: slot(time: last), sequenceDiffers: false) == nil)
        #expect(policy.cause(before: first, slot: slot(time: .absent), sequenceDiffers: false) == nil)
    }

    @Test func afterSoManyObservations() {
        let policy = BoundaryPolicy(every: 3)
        #expect(policy.cause(before: 1, slot: slot(time: 0, step: 2), sequenceDiffers: false) == nil)
        #expect(policy.cause(before: 1, slot: slot(time: 0, step: 3), sequenceDiffers: false) == .every)
    }

    @Test func oneCauseIsNamedOfSeveral() throws {
        let policy = BoundaryPolicy(sequenceChange: true, gap: 1, every: 1, daily: try Self.paris(0))
        let old = slot(time: 0)
        #expect(policy.cause(before: 1 << 40, slot: old, sequenceDiffers: true) == .sequence)
        #expect(policy.cause(before: 1 << 40, slot: old, sequenceDiffers: false) == .gap)
        #expect(policy.cause(before: 1, slot: old, sequenceDiffers: false) == .every)
    }
}
