internal import SluiceCore
internal import SluiceLSTM

/// What a row starts from where it resets (`training.md`, "Initial states"): in training a draw, in evaluation the
/// mean.
///
/// A draw depends on (seed, epoch, XXH64 of the stream's name, row at which it resets, layer, h or c, unit) alone.
struct InitialStates {
    private let distribution: InitialDistribution
    private let generator: SeededGenerator

    init(_ manifest: ModelManifest, seed: UInt64) {
        distribution = manifest.initialDistribution
        generator = SeededGenerator(seed: manifest.seed ?? seed, stream: .initialState)
    }

    /// - Parameters:
    ///   - learned: `[H]` h and c of the layer, where they are parameters.
    ///   - epoch: of training; nil in evaluation.
    ///   - h: `[H]`, as is `c`: filled.
    func fill(
        _ h: Floats, _ c: Floats, hidden: Int, layer: Int, learned: (h: ReadFloats, c: ReadFloats)?,
        stream: String, row: Int, epoch: Int?
    ) {
        for (part, (out, learned)) in [(h, learned?.h), (c, learned?.c)].enumerated() {
            if let learned {
                out.update(from: learned, count: hidden)
            } else {
                out.update(repeating: distribution.mean, count: hidden)
            }
            guard let epoch, distribution.isRandom else { continue }
            // Epoch 0 is kept for service, which has none.
            let draws = generator.forked(UInt64(epoch + 1)).forked(Self.hash(stream)).forked(UInt64(row))
                .forked(UInt64(2 * layer + part))
            for unit in 0..<hidden {
                var draw = draws.forked(UInt64(unit))
                switch distribution {
                case .fixed: break
                case .normal(let deviation): out[unit] += deviation * draw.normal()
                case .uniform(let low, let high): out[unit] += (high - low) / 2 * draw.uniform(1)
                }
            }
        }
    }

    private static func hash(_ stream: String) -> UInt64 {
        var stream = stream
        return stream.withUTF8 { xxHash64(UnsafeRawBufferPointer($0)) }
    }
}
