import Foundation
import SluiceCore
package import SluiceState

extension DailyBoundary {
    /// Transitions are spelled out from here to there; a later observation uses the last.
    private static let first = Date(timeIntervalSince1970: 0)
    private static let last = Date(timeIntervalSince1970: 4_102_444_800)

    /// A time of day in a zone of the time zone database, its transitions from 1970 to 2100 spelled out.
    ///
    /// - Throws: `configuration-invalid` for a zone that is not known.
    package init(minuteOfDay: Int64, zone name: String) throws {
        guard let zone = TimeZone(identifier: name) else {
            throw SluiceError(
                .invalidConfiguration, "boundaries.daily names the time zone \(name), which is not known",
                remedy: "use a name of the time zone database such as Europe/Paris, or UTC")
        }
        func offset(_ date: Date) -> Int64 { Int64(zone.secondsFromGMT(for: date)) * 1_000 }
        var transitions = [Transition(since: 0, offset: offset(Self.first))]
        var date = Self.first
        while let next = zone.nextDaylightSavingTimeTransition(after: date), next < Self.last, next > date {
            transitions.append(Transition(since: Int64(next.timeIntervalSince1970 * 1_000), offset: offset(next)))
            date = next
        }
        self.init(
            timeOfDay: minuteOfDay * 60_000, transitions: transitions, zone: zone.identifier,
            dataVersion: TimeZone.timeZoneDataVersion)
    }
}
