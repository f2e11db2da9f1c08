import Foundation
import SluiceCore
package import SluiceState

extension DailyBoundary {
    private static let first = Date(timeIntervalSince1970: 0)
    /// Transitions are spelled out so far; a later observation uses the last.
    private static let last = Date(timeIntervalSince1970: 4_102_444_800)

    /// Reads `"HH:MM Area/City"`, with the zone's transitions from 1970 to 2100 spelled out.
    ///
    /// - Throws: `configuration-invalid` naming what is wrong with the text.
    package init(_ text: String) throws {
        let parts = text.split(separator: " ")
        let clock = (parts.first ?? "").split(separator: ":")
        guard parts.count == 2, clock.count == 2, let hour = Int64(clock[0]), let minute = Int64(clock[1]),
            (0..<24).contains(hour), (0..<60).contains(minute)
        else {
            throw SluiceError(
                .invalidConfiguration, "boundaries.daily is \"\(text)\"", remedy: "write it like \"00:00 Europe/Paris\"")
        }
        guard let zone = TimeZone(identifier: String(parts[1])) else {
            throw SluiceError(
                .invalidConfiguration, "boundaries.daily names the time zone \(parts[1]), which is not known",
                remedy: "use a name of the time zone database such as Europe/Paris, or UTC")
        }
        var transitions = [Transition(since: 0, offset: Int64(zone.secondsFromGMT(for: Self.first)) * 1_000)]
        var date = Self.first
        while let next = zone.nextDaylightSavingTimeTransition(after: date), next < Self.last, next > date {
            transitions.append(
                Transition(
                    since: Int64(next.timeIntervalSince1970 * 1_000), offset: Int64(zone.secondsFromGMT(for: next)) * 1_000))
            date = next
        }
        self.init(
            timeOfDay: (hour * 60 + minute) * 60_000, transitions: transitions, zone: zone.identifier,
            dataVersion: TimeZone.timeZoneDataVersion)
    }
}
