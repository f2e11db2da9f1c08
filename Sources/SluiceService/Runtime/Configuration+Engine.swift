package import SluiceConfiguration
import SluiceCore
package import SluiceLSTM
package import SluiceSchema
package import SluiceState

extension Configuration {
    /// How input records are read for a model: its inputs in its order, by the pointers of `input.features`.
    ///
    /// - Throws: `configuration-invalid` when an input of the model has no feature here.
    package func inputSpecification(
        _ source: InputSpecification.Source, for inputs: [String], fileFormat: InputSpecification.Format? = nil
    ) throws -> InputSpecification {
        let names = input.features.map(\.name).joined(separator: ", ")
        let features = try inputs.map { name in
            guard let feature = input.features.first(where: { $0.name == name }) else {
                throw SluiceError(
                    .invalidConfiguration, "the model's input \"\(name)\" is not among input.features",
                    remedy: "name it there with its pointer; there are \(names)")
            }
            return InputSpecification.Feature(feature.name, feature.pointer)
        }
        let format = fileFormat ?? (input.format == .json ? .json : .csv(columns: input.columns))
        return InputSpecification(
            source: source, format: format, features: features, time: input.time, label: input.label,
            sequence: input.sequence, boundary: input.boundary, missing: input.missing, late: input.late)
    }

    /// - Throws: `configuration-invalid` for a time zone that is not known.
    package func boundaryPolicy() throws -> BoundaryPolicy {
        BoundaryPolicy(
            sequenceChange: boundaries.sequenceChange, gap: boundaries.gap.map(\.wholeMilliseconds),
            every: boundaries.every.map(Int64.init),
            daily: try boundaries.daily.map { try DailyBoundary(minuteOfDay: Int64($0.minuteOfDay), zone: $0.zone) })
    }

    /// The fold of a model under this configuration.
    package func foldSpecification(_ model: Model) throws -> FoldSpecification {
        FoldSpecification(model: model, boundaries: try boundaryPolicy(), missing: input.missing, late: input.late)
    }

    /// - Parameter isEmbedded: on the embedded broker, which has no transactions, nothing is delivered exactly once.
    package func topics(isEmbedded: Bool) -> TopicPlan {
        TopicPlan(
            application: application, input: input.topic, output: output.topic, rejects: output.rejects,
            hasChangelog: delivery == .exactlyOnce && !isEmbedded)
    }
}
