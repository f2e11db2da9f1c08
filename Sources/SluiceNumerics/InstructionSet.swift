internal import CStepKernel

/// The instruction sets the step kernel is compiled for. They differ in speed, never in a bit of the result.
public enum InstructionSet: String, CaseIterable, Sendable {
    /// No fused multiply-add in hardware; every one is a call of `fmaf`.
    case baseline
    /// AVX2 and FMA.
    case avx2
    /// AVX-512 F, BW, DQ, VL.
    case avx512
    /// The same for Zen 4, whose units have 256 bits: another kernel for the step.
    case znver4
    /// arm64.
    case neon

    /// Those of this machine.
    public static var available: [InstructionSet] { allCases.filter { sluice_isa_available($0.code) } }

    /// The one that this machine is fastest with.
    public static let best: InstructionSet = {
        let best = sluice_isa_best()
        return available.first { $0.code == best } ?? .baseline
    }()

    /// What it has in common with other kernels for the same instructions: training, bit for bit, and the peak of
    /// multiply-adds.
    public var instructions: InstructionSet { self == .znver4 ? .avx512 : self }

    var code: sluice_isa {
        switch self {
        case .baseline: SLUICE_ISA_BASELINE
        case .avx2: SLUICE_ISA_AVX2
        case .avx512: SLUICE_ISA_AVX512
        case .znver4: SLUICE_ISA_ZNVER4
        case .neon: SLUICE_ISA_NEON
        }
    }
}

/// Sets the calling thread's float arithmetic as the fold is defined: round to nearest, subnormals kept.
/// Called where a thread that folds starts.
public func setFoldFloatEnvironment() { sluice_fp_environment() }
