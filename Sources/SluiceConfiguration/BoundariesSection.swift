internal import Foundation
internal import SluiceCore

/// `boundaries`: where h and c return to the initial state without the record saying so. All are off by default.
package struct BoundariesSection: Sendable, Equatable {
    /// A time of day in a time zone.
    package struct Daily: Sendable, Equatable {
        /// 0 to 1439.
        package let minuteOfDay: Int
        /// A name of the time zone database such as `Europe/Paris`.
        package let zone: String
    }

    /// At an observation whose sequence id differs from the last one's.
    package let sequenceChange: Bool
    /// At an observation later than the last one by more than this.
    package let gap: Duration?
    /// After that many observations.
    package let every: Int?
    /// At the first observation of each day.
    package let daily: Daily?

    init(_ reader: inout SettingsReader) {
        sequenceChange = reader.read("boundaries.sequence_change", .flag, default: false)
        gap = reader.read("boundaries.gap", optional: .duration)
        every = reader.read("boundaries.every", optional: .integer(1...Int(Int32.max)))
        daily = reader.read("boundaries.daily", optional: .daily)
    }
}

extension SettingKind where Value == BoundariesSection.Daily {
    /// `HH:MM Area/City`.
    static var daily: SettingKind {
        scalar("a time of day", render: { .text(text($0)) }) { text throws(Mismatch) in
            let parts = text.split(separator: " ").map(String.init)
            let digits = (parts.first ?? "").split(separator: ":").map(String.init)
            guard parts.count == 2, digits.count == 2, digits.allSatisfy({ $0.utf8.count == 2 }),
                let hour = Int(digits[0]), let minute = Int(digits[1]), (0...23).contains(hour),
                (0...59).contains(minute)
            else { throw Mismatch("\"\(text)\" is not a time and a zone such as \"00:00 Europe/Paris\"") }
            let zones = TimeZone.knownTimeZoneIdentifiers + ["UTC", "Etc/UTC"]
            guard zones.contains(parts[1]) else {
                throw Mismatch("there is no time zone \"\(parts[1])\"\(Suggestion.text(for: parts[1], among: zones))")
            }
            return BoundariesSection.Daily(minuteOfDay: hour * 60 + minute, zone: parts[1])
        }
    }

    private static func text(_ daily: Value) -> String {
        func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(twoDigits(daily.minuteOfDay / 60)):\(twoDigits(daily.minuteOfDay % 60)) \(daily.zone)"
    }
}
