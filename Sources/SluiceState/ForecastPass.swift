import SluiceCore
public import SluiceLSTM

/// The scalar half of the fold behind the step: the head's values, the anomaly score of this observation under the
/// forecast made before it, the rolling error, the pending forecasts.
public struct ForecastPass: Sendable {
    /// What a prediction says beside its forecast.
    public struct Judgement: Sendable, Equatable {
        /// Observations since the boundary before this one.
        public var step: Int64
        public var isWarm: Bool
        /// NaN for null.
        public var anomaly: Float

        public init(step: Int64 = 0, isWarm: Bool = false, anomaly: Float = .nan) {
            self.step = step
            self.isWarm = isWarm
            self.anomaly = anomaly
        }
    }

    static let errorWindow: UInt16 = 256
    /// Observations for which a state that a swap cut short counts as cold: unlike at a boundary, the sequence goes on
    /// and its past is missing.
    public static let stepsColdAfterSwap: Int64 = 16

    private let kind: HeadKind
    private let targetInputs: [Int?]
    private let ringLength: Int
    private let valuesPerForecast: Int
    private let horizons: Int
    private let nearest: Int
    private let median: Int
    private let scaling: ScalingKind
    private let scaler: Model.Scaler?
    private let warmup: Int64
    private let inputs: Int

    public init(_ specification: FoldSpecification) {
        let manifest = specification.model.manifest
        kind = manifest.head
        targetInputs = specification.targetInputs
        ringLength = specification.ringLength
        valuesPerForecast = manifest.outputsPerForecast
        horizons = manifest.horizons.count
        nearest = manifest.horizons.firstIndex(of: specification.ringLength) ?? 0
        median = manifest.quantiles.firstIndex(of: 0.5) ?? 0
        scaling = manifest.scaling
        scaler = specification.model.scaler
        warmup = specification.warmup
        inputs = specification.shape.inputs
    }

    /// (m, s) with which the forecasts of a target made now are de-normalised.
    @inline(__always)
    public func normalisation(ofTarget target: Int, _ staged: SlotScalars) -> TargetScale {
        guard let input = targetInputs[target] else { return .identity }
        switch scaling {
        case .none: return .identity
        case .perStream:
            let statistics = staged.statistics(input)
            return TargetScale(mean: statistics.mean, scale: statistics.scale)
        case .global:
            guard let scaler else { return .identity }
            let (mean, scale) = (Double(scaler.mean[input]), Double(scaler.scale[input]))
            return TargetScale(mean: mean, scale: max(scale, StreamStatistics.floor(mean)))
        }
    }

    /// Judges, remembers and counts one observation whose step succeeded. `values` are the head's, de-normalised `[O]`;
    /// the ring is the slot's own.
    public func finish(
        _ input: FoldInput, values: UnsafePointer<Float>, staged: SlotScalars, ring: UnsafeMutablePointer<Float>
    ) -> Judgement {
        let header = unsafe staged.header
        let step = unsafe header.pointee.step
        let isWarm = isWarm(staged)
        let surprise =
            unsafe kind.classifies
            ? surprise(ofLabel: input.label, values) : surprise(input, step, ring)
        var anomaly = Float.nan
        if !surprise.nonconformity.isNaN {
            unsafe anomaly = header.pointee.bins.score(adding: surprise.nonconformity) ?? .nan
            unsafe Self.addError(surprise.error, to: &header.pointee)
        }
        if ringLength > 0 { unsafe remember(values, step, staged, ring) }
        unsafe header.pointee.forecast = values[nearest * valuesPerForecast + (kind == .quantile ? median : 0)]
        unsafe header.pointee.anomaly = isWarm ? anomaly : .nan
        advance(input, staged)
        return Judgement(step: step, isWarm: isWarm, anomaly: isWarm ? anomaly : .nan)
    }

    /// What the first target at the smallest horizon lies in, for people to look at: the outer quantiles, or two
    /// deviations to either side; NaN for other heads. `values` are the head's, de-normalised `[O]`.
    @inline(__always)
    public func interval(_ values: UnsafePointer<Float>) -> (low: Float, high: Float) {
        let forecast = unsafe values + nearest * valuesPerForecast
        switch kind {
        case .quantile: return unsafe (forecast[0], forecast[valuesPerForecast - 1])
        case .gaussian: return unsafe (forecast[0] - 2 * forecast[1], forecast[0] + 2 * forecast[1])
        case .point, .binary, .categorical: return (.nan, .nan)
        }
    }

    /// Counts an observation as applied.
    public func advance(_ input: FoldInput, _ staged: SlotScalars) {
        let header = unsafe staged.header
        unsafe header.pointee.step += 1
        unsafe header.pointee.fence = input.offset
        unsafe header.pointee.time = max(header.pointee.time, input.time)
    }

    /// Whether a prediction made now is warm: enough steps since the boundary, enough values for the scaler.
    public func isWarm(_ staged: SlotScalars) -> Bool {
        let header = unsafe staged.header
        let isCutShort =
            unsafe (header.pointee.boundaryCause == .swap || header.pointee.boundaryCause == .lost)
            && header.pointee.step < Self.stepsColdAfterSwap
        return unsafe !isCutShort && header.pointee.step >= warmup && (scaling != .perStream || isScalerWarm(staged))
    }

    private func isScalerWarm(_ staged: SlotScalars) -> Bool {
        for target in 0..<targetInputs.count {
            guard let input = targetInputs[target] else { continue }
            if staged.statistics(input).count < StreamStatistics.warmCount { return false }
        }
        guard kind.classifies else { return true }
        for input in 0..<inputs where staged.statistics(input).count < StreamStatistics.warmCount { return false }
        return true
    }

    /// Nonconformity and absolute error of this observation under the forecast made R observations ago; NaN without
    /// one.
    private func surprise(
        _ input: FoldInput, _ step: Int64, _ ring: UnsafeMutablePointer<Float>
    ) -> (nonconformity: Double, error: Double) {
        var worst = (nonconformity: Double.nan, error: Double.nan)
        guard step >= Int64(ringLength) else { return worst }
        let pending = unsafe ring + Int(step % Int64(ringLength)) * targetInputs.count * 2
        for target in 0..<targetInputs.count {
            guard let feature = targetInputs[target] else { continue }
            let (actual, forecast) = unsafe (input.features[feature], pending[2 * target])
            if actual.isNaN || forecast.isNaN { continue }
            let distance = Double(actual) - Double(forecast)
            let error = distance < 0 ? -distance : distance
            let nonconformity = unsafe error / Double(pending[2 * target + 1])
            if !(nonconformity <= worst.nonconformity) { worst = (nonconformity, error) }
        }
        return worst
    }

    private func surprise(ofLabel label: Float, _ values: UnsafePointer<Float>) -> (
        nonconformity: Double, error: Double
    ) {
        guard label >= 0 else { return (.nan, .nan) }
        let probability = unsafe kind == .categorical ? values[Int(label)] : label == 1 ? values[0] : 1 - values[0]
        return (1 - Double(probability), 1 - Double(probability))
    }

    private func remember(
        _ values: UnsafePointer<Float>, _ step: Int64, _ staged: SlotScalars, _ ring: UnsafeMutablePointer<Float>
    ) {
        let pending = unsafe ring + Int(step % Int64(ringLength)) * targetInputs.count * 2
        for target in 0..<targetInputs.count {
            guard let input = targetInputs[target] else {
                unsafe pending[2 * target] = .nan
                continue
            }
            let forecast = unsafe values + (target * horizons + nearest) * valuesPerForecast
            let statistics = staged.statistics(input)
            let width: Double =
                switch kind {
                case .gaussian: unsafe Double(forecast[1])
                case .quantile: unsafe Double(forecast[valuesPerForecast - 1]) - Double(forecast[0])
                default: statistics.scale
                }
            unsafe pending[2 * target] = forecast[kind == .quantile ? median : 0]
            unsafe pending[2 * target + 1] = Float(max(width, StreamStatistics.floor(statistics.mean)))
        }
    }

    private static func addError(_ error: Double, to header: inout SlotHeader) {
        header.errorCount = min(header.errorCount + 1, errorWindow)
        let before = header.errorCount == 1 ? 0 : Double(header.error)
        header.error = Float(before + (error - before) / Double(header.errorCount))
    }
}
