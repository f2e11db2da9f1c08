public import SluiceCore
import SluiceLSTM
public import SluiceSchema

/// One observation as the fold sees it; pointers are borrowed.
@safe public struct FoldInput {
    /// `[I]`, NaN where missing.
    public var features: UnsafePointer<Float>
    public var time: EpochMilliseconds
    /// NaN for none.
    public var label: Float
    /// Nil base address for none.
    public var sequence: UnsafeRawBufferPointer
    public var mark: BoundaryMark
    public var offset: Offset

    public init(
        features: UnsafePointer<Float>, time: EpochMilliseconds, label: Float, sequence: UnsafeRawBufferPointer,
        mark: BoundaryMark, offset: Offset
    ) {
        unsafe self.features = unsafe features
        self.time = time
        self.label = label
        unsafe self.sequence = unsafe sequence
        self.mark = mark
        self.offset = offset
    }
}

/// The scalar half of the fold before the step: lateness, boundaries, missing values, scaling. It works on a staged
/// copy of the slot's scalars, which the caller writes back once the step has succeeded; training runs the very same
/// pass.
public struct ScalarPass: Sendable {
    public enum Settlement: Sendable, Equatable {
        /// Step, from the slot's state or from the initial one.
        case step(boundary: BoundaryCause?)
        case dropLate, rejectLate, rejectLabel
    }

    private let inputs: Int
    private let missing: MissingPolicy
    private let late: LatePolicy
    private let boundaries: BoundaryPolicy
    private let scaling: ScalingKind
    private let scaler: Model.Scaler?
    /// Labels 0..<classes are legal; 0 for heads without labels.
    private let classes: Int

    public init(_ specification: FoldSpecification) {
        inputs = specification.shape.inputs
        missing = specification.missing
        late = specification.late
        boundaries = specification.boundaries
        scaling = specification.model.manifest.scaling
        scaler = specification.model.scaler
        switch specification.model.manifest.head {
        case .binary: classes = 2
        case .categorical: classes = specification.model.manifest.classes ?? 0
        default: classes = 0
        }
    }

    /// Settles what precedes the step and fills `scaled` `[I]`; on anything but `.step` the staged scalars are to be
    /// dropped.
    ///
    /// - Parameter currentSequence: the sequence id of the slot's last observation.
    public func settle(
        _ input: FoldInput, staged: SlotScalars, currentSequence: UnsafeRawBufferPointer,
        scaled: UnsafeMutablePointer<Float>
    ) -> Settlement {
        if classes > 0 && !isLegal(label: input.label) { return .rejectLabel }
        let header = unsafe staged.header
        var boundary: BoundaryCause?
        if unsafe header.pointee.isUsed {
            if unsafe input.time < header.pointee.time {
                switch late {
                case .apply: break
                case .drop: return .dropLate
                case .reject: return .rejectLate
                }
            }
            let differs = unsafe !sameText(input.sequence, currentSequence)
            let cause =
                unsafe input.mark == .start
                ? .start : boundaries.cause(before: input.time, slot: header.pointee, sequenceDiffers: differs)
            // A boundary of a state that is initial already is the same boundary; but a swap was none in the data.
            if let cause, unsafe header.pointee.step > 0 || header.pointee.boundaryCause == .swap {
                boundary = cause
                Self.reset(staged, cause: cause, time: input.time, offset: input.offset, inputs: inputs)
            }
        } else {
            unsafe header.pointee.boundaryTime = input.time
            unsafe header.pointee.boundaryOffset = input.offset
        }
        for feature in 0..<inputs { unsafe scaled[feature] = scale(input.features[feature], feature, staged) }
        return .step(boundary: boundary)
    }

    /// What a boundary does to the scalars: step, carried values and (through step) pending forecasts; statistics go
    /// on.
    public static func reset(
        _ staged: SlotScalars, cause: BoundaryCause, time: EpochMilliseconds, offset: Offset, inputs: Int
    ) {
        let header = unsafe staged.header
        unsafe header.pointee.step = 0
        unsafe header.pointee.resets &+= 1
        unsafe header.pointee.boundaryCause = cause
        unsafe header.pointee.boundaryTime = time
        unsafe header.pointee.boundaryOffset = offset
        for feature in 0..<inputs { staged.carry(.nan, feature) }
    }

    @inline(__always)
    private func scale(_ value: Float, _ feature: Int, _ staged: SlotScalars) -> Float {
        var statistics = staged.statistics(feature)
        var raw = value
        if value.isNaN {
            switch missing {
            case .zero, .reject: return 0
            case .mean: raw = statistics.count > 0 ? Float(statistics.mean) : .nan
            case .carry: raw = staged.carried(feature)
            }
            if raw.isNaN { return 0 }
        } else {
            statistics.add(value)
            staged.store(statistics, feature)
            staged.carry(value, feature)
        }
        switch scaling {
        case .none: return raw
        case .perStream: return statistics.scaled(raw)
        case .global:
            guard let scaler else { return raw }
            return StreamStatistics.scaled(
                raw, mean: Double(scaler.mean[feature]), scale: Double(scaler.scale[feature]))
        }
    }

    private func isLegal(label: Float) -> Bool {
        label.isNaN || label == -1 || (label >= 0 && label < Float(classes) && label == label.rounded(.towardZero))
    }

    @inline(__always)
    private func sameText(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        unsafe (a.baseAddress == nil) == (b.baseAddress == nil) && a.equals(b)
    }
}
