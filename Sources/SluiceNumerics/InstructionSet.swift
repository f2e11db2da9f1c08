internal import CStepKernel

/// The instruction sets the step kernel is compiled for. They differ in speed, never in a bit of the result.
public enum InstructionSet: String, CaseIterable, Sendable {
    /// No fused multiply-add in hardware; every one is a call of `fmaf`.
    case baseline
    /// AVX2 and FMA.
    case avx2
    /// AVX-512 F, BW, DQ, VL.
    case avx512
    /// arm64.
    case neon

    /// Those of this machine, slowest first.
    public static var available: [InstructionSet] { allCases.filter { sluice_isa_available($0.code) } }

    /// The fastest of this machine.
    public static let best: InstructionSet = available.last ?? .baseline

    var code: sluice_isa {
        switch self {
        case .baseline: SLUICE_ISA_BASELINE
        case .avx2: SLUICE_ISA_AVX2
        case .avx512: SLUICE_ISA_AVX512
        case .neon: SLUICE_ISA_NEON
        }
    }
}

/// Sets the calling thread's float arithmetic as the fold is defined: round to nearest, subnormals kept.
/// Called where a thread that folds starts.
public func setFoldFloatEnvironment() { sluice_fp_environment() }
