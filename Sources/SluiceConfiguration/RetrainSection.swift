/// `retrain`: when `serve` trains anew on the recorded log, and what becomes of the result.
package struct RetrainSection: Sendable, Equatable {
    package enum Promotion: String, Sendable, CaseIterable {
        case ifBetter = "if-better"
        case always, manual
    }

    /// nil (`never`): not on schedule.
    package let every: Duration?
    /// How far back in the log training reads.
    package let window: Duration
    /// Observations needed before the first training.
    package let minimum: Int
    /// Overrides `train.carry`, which is its default.
    package let carry: CarryPlan
    package let promote: Promotion

    init(_ reader: inout SettingsReader, train: TrainSection) {
        every = reader.read("retrain.every", .durationOrNever, default: .seconds(6 * 3_600))
        let onDrift = reader.read("retrain.on_drift", .flag, default: false)
        if onDrift { reader.report("retrain.on_drift", "is not available yet; retrain.every trains on schedule") }
        window = reader.read("retrain.window", .duration, default: .seconds(30 * 86_400))
        minimum = reader.read("retrain.minimum", .integer(1...Int(Int32.max)), default: 2_000)
        carry = reader.read("retrain.carry", .carryPlan, default: train.carry)
        promote = reader.read("retrain.promote", .choice, default: .ifBetter)
    }
}

extension SettingKind where Value == Duration? {
    static var durationOrNever: SettingKind {
        scalar(
            "a duration", render: { .text($0.map(DurationText.string) ?? "never") }
        ) { text throws(Mismatch) in
            text == "never" ? nil : try DurationText.parse(text)
        }
    }
}
