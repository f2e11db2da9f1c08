package import SluiceCore
package import SluiceLSTM

/// The observations of all streams for one model.
package struct Dataset: Sendable {
    package let series: [TrainingSeries]
    /// Of each series, where evaluation draws initial states.
    let boundaries: [Boundaries]?

    /// Checks that every stream has what the manifest calls for.
    ///
    /// - Throws: `SluiceError(.invalidInput)` naming the stream and row at fault, or saying that there is nothing to
    ///   learn from.
    package init(_ series: [TrainingSeries], for manifest: ModelManifest) throws(SluiceError) {
        self.series = series.filter { $0.count > 0 }
        boundaries = manifest.drawsInService ? self.series.map(Boundaries.init) : nil
        guard !self.series.isEmpty else {
            throw SluiceError(.invalidInput, "there are no observations to train on")
        }
        var learnable = 0
        for one in self.series {
            try one.check(manifest)
            learnable += one.learnableRows(manifest)
        }
        guard learnable > 0 else { throw nothingToLearn(manifest) }
    }

    /// Inputs that have one value in all rows of all streams.
    package func constantInputs(_ manifest: ModelManifest) -> [String] {
        let width = manifest.inputs.count
        return manifest.inputs.indices.filter { input in
            let first = series[0].inputs[input]
            return series.allSatisfy { one in (0..<one.count).allSatisfy { one.inputs[$0 * width + input] == first } }
        }.map { manifest.inputs[$0] }
    }

    /// Rows of all streams.
    package var count: Int { series.reduce(0) { $0 + $1.count } }

    private func nothingToLearn(_ manifest: ModelManifest) -> SluiceError {
        if manifest.head.classifies {
            return SluiceError(
                .invalidInput, "no warm observation has a label",
                remedy: "check input.label, and that labels are present")
        }
        if series.allSatisfy({ $0.targets.allSatisfy(\.isNaN) }) {
            return SluiceError(
                .invalidInput, "the targets (\(manifest.targets.joined(separator: ", "))) are missing throughout",
                remedy: "check model.targets and input.features")
        }
        if !series.contains(where: { $0.warm.contains(true) }) {
            let longest = series.map(\.count).max() ?? 0
            return SluiceError(
                .invalidInput,
                "no observation is warm: the longest stream has \(longest), and "
                    + (manifest.scaling == .perStream ? "scaling per-stream" : "model.warmup") + " needs more before",
                remedy: manifest.scaling == .perStream
                    ? "bring longer streams, or use scaling global or none"
                    : "bring longer streams, or a smaller warmup")
        }
        return SluiceError(
            .invalidInput,
            "no warm observation has a target to learn from: every sequence ends before the smallest horizon of "
                + "\(manifest.horizons.first ?? 1), or lacks the targets' values",
            remedy: "bring longer sequences, or a smaller horizon")
    }
}

extension TrainingSeries {
    fileprivate func check(_ manifest: ModelManifest) throws(SluiceError) {
        let targetCount = manifest.head.classifies ? 0 : manifest.targets.count
        precondition(inputs.count == count * manifest.inputs.count, "N × I inputs")
        precondition(boundary.count == count && warm.count == count, "N boundaries and marks of warmth")
        precondition(targets.count == count * targetCount, "N × T targets")
        precondition(center.count == targets.count && scale.count == targets.count, "N × T centers and scales")
        precondition(labels.count == (manifest.head.classifies ? count : 0), "N labels")
        if let index = inputs.firstIndex(where: { !$0.isFinite }) {
            let row = index / manifest.inputs.count
            throw SluiceError(
                .invalidInput,
                "stream \(name), row \(row): input \(manifest.inputs[index % manifest.inputs.count]) is not finite")
        }
        let classes = Float(manifest.head == .categorical ? manifest.classes ?? 0 : 2)
        for (row, label) in labels.enumerated() where !(label.isNaN || label == -1) {
            guard label >= 0, label < classes, label == label.rounded() else {
                throw SluiceError(
                    .invalidInput, "stream \(name), row \(row): label \(label) is not a class from 0 to \(classes - 1)",
                    remedy: "labels are whole numbers from 0; −1 means none")
            }
        }
    }

    /// Rows with at least one loss that is not masked.
    fileprivate func learnableRows(_ manifest: ModelManifest) -> Int {
        if manifest.head.classifies {
            return (0..<count).count { warm[$0] && !labels[$0].isNaN && labels[$0] != -1 }
        }
        let width = manifest.targets.count
        var learnable = 0
        for segment in segments {
            for row in segment where warm[row] {
                let isTarget = manifest.horizons.contains { horizon in
                    row + horizon < segment.upperBound
                        && (0..<width).contains { targets[(row + horizon) * width + $0].isFinite }
                }
                if isTarget { learnable += 1 }
            }
        }
        return learnable
    }

    /// The rows from each boundary to the next: within one, state is carried.
    var segments: [Range<Int>] {
        var starts = boundary.indices.filter { $0 == 0 || boundary[$0] }
        starts.append(count)
        return zip(starts, starts.dropFirst()).map { $0..<$1 }
    }
}
