public import SluiceCore

/// When a stream's state is set back without being asked record by record. Everything is off by default.
public struct BoundaryPolicy: Sendable {
    /// A sequence id other than the last observation's.
    public var sequenceChange: Bool
    /// More than this many milliseconds of event time since the last observation.
    public var gap: Int64?
    /// After this many observations.
    public var every: Int64?
    /// At a time of day in a time zone.
    public var daily: DailyBoundary?

    public init(sequenceChange: Bool = false, gap: Int64? = nil, every: Int64? = nil, daily: DailyBoundary? = nil) {
        self.sequenceChange = sequenceChange
        self.gap = gap
        self.every = every
        self.daily = daily
    }

    /// The policy's reason to set back a slot before an observation at `time`; nil for none.
    @inline(__always)
    public func cause(
        before time: EpochMilliseconds, slot: borrowing SlotHeader, sequenceDiffers: Bool
    ) -> BoundaryCause? {
        if sequenceChange && sequenceDiffers { return .sequence }
        if let gap, slot.time != .absent, time > slot.time, time - slot.time > gap { return .gap }
        if let every, slot.step >= every { return .every }
        if let daily, slot.time != .absent, time > slot.time, daily.day(of: time) != daily.day(of: slot.time) {
            return .daily
        }
        return nil
    }
}

/// A time of day in a time zone, with the zone's transitions spelled out: the fold asks no operating system for the
/// time.
public struct DailyBoundary: Sendable {
    /// From `since` on, local time is UTC + `offset`. Milliseconds.
    public struct Transition: Sendable, Equatable {
        public var since: EpochMilliseconds
        public var offset: Int64

        public init(since: EpochMilliseconds, offset: Int64) {
            self.since = since
            self.offset = offset
        }
    }

    /// Milliseconds after local midnight.
    public let timeOfDay: Int64
    /// Ascending; the first counts for everything before it too.
    public let transitions: [Transition]
    /// Name of the zone and version of the time zone data, for the record.
    public let zone: String
    public let dataVersion: String

    public init(timeOfDay: Int64, transitions: [Transition], zone: String, dataVersion: String) {
        precondition(!transitions.isEmpty, "a zone has at least its standard time")
        self.timeOfDay = timeOfDay
        self.transitions = transitions
        self.zone = zone
        self.dataVersion = dataVersion
    }

    /// Number of the local day that begins at the time of day: at the first moment the clock shows it or, where the
    /// clock is set forward past it, has passed it. Never falls.
    public func day(of time: EpochMilliseconds) -> Int64 {
        var low = 0
        var high = transitions.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if transitions[middle].since <= time { low = middle } else { high = middle }
        }
        var local = time + transitions[low].offset
        if low > 0 {
            // Where the clock is set back it stands still until it has caught up: an hour shown twice begins no day
            // twice.
            local = max(local, transitions[low].since - 1 + transitions[low - 1].offset)
        }
        local -= timeOfDay
        let day: Int64 = 86_400_000
        return local >= 0 ? local / day : -((-local + day - 1) / day)
    }
}
