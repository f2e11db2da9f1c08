internal import Foundation

/// What a training child says, one JSON object a line (`sluice train --json --child`); members it does not know are
/// passed over.
package struct TrainingReport: Decodable, Sendable {
    /// How well a model does on the validation rows, in the units of the trained model.
    package struct Measure: Decodable, Sendable {
        /// nil where there was nothing to measure, or it was no number.
        package var loss: Double?
        package var count: Int
    }

    /// True in the last line.
    package var done: Bool?
    package var phase: String?
    package var epoch: Int?
    package var epochs: Int?
    package var observations: Int?
    package var version: String?
    package var stop: String?
    /// False where it was interrupted before its end.
    package var measured: Bool?
    /// The trained model, its state carried as in service.
    package var carried: Measure?
    /// The active model on the same rows; nil where they cannot be compared.
    package var incumbent: Measure?

    init?(line: [UInt8]) {
        guard let report = try? JSONDecoder().decode(TrainingReport.self, from: Data(line)) else { return nil }
        self = report
    }

    /// How far it is, for people.
    package var progress: String {
        if let epoch { return "epoch \(epoch)" + (epochs.map { " of \($0)" } ?? "") }
        return phase ?? "begins"
    }
}

/// Whether a trained model takes over.
package enum PromotionGate {
    package enum Policy: Sendable {
        case ifBetter, always, manual
    }

    package enum Verdict: Sendable, Equatable {
        case promote(String)
        /// It stays in the registry and can be promoted by hand.
        case keep(String)
    }

    /// - Parameter report: the last line of the training.
    package static func judge(_ policy: Policy, _ report: TrainingReport) -> Verdict {
        switch policy {
        case .manual: return .keep("retrain.promote is manual")
        case .always: return .promote(losses(report) ?? "retrain.promote is always")
        case .ifBetter:
            guard let loss = report.carried?.loss, loss.isFinite else {
                return .keep("its validation loss is not known")
            }
            guard let incumbent = report.incumbent else {
                return .keep("it cannot be compared with the active model: other inputs, targets or head")
            }
            guard let other = incumbent.loss, other.isFinite else {
                return .promote("the active model's validation loss is no number")
            }
            let sentence = losses(report) ?? ""
            return loss < other ? .promote(sentence) : .keep(sentence)
        }
    }

    private static func losses(_ report: TrainingReport) -> String? {
        func text(_ loss: Double) -> String { String(format: "%.5g", loss) }
        guard let loss = report.carried?.loss, let other = report.incumbent?.loss else { return nil }
        return "validation loss \(text(loss)) against \(text(other)) of the active model"
    }
}
