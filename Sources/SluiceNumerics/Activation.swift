internal import CStepKernel

/// The pinned activations: the same bits on every processor, in scalar, array and step (`engine.md`, "The fold").
///
/// Largest errors over every float32, in units in the last place: exp 1.1, log 1, tanh 3, sigmoid 3. The sigmoid stays
/// at e⁻⁸⁷ below −87, so that it is never subnormal. Arrays: `out[i] = f(x[i])` for `i < count`; `out` may be `x`.
public enum Activation {
    public static func exp(_ x: Float) -> Float { sluice_expf(x) }
    public static func log(_ x: Float) -> Float { sluice_logf(x) }
    public static func tanh(_ x: Float) -> Float { sluice_tanhf(x) }
    public static func sigmoid(_ x: Float) -> Float { sluice_sigmoidf(x) }

    public static func exp(
        _ x: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, count: Int, on set: InstructionSet = .best
    ) {
        unsafe sluice_exp(set.code, x, out, count)
    }

    public static func log(
        _ x: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, count: Int, on set: InstructionSet = .best
    ) {
        unsafe sluice_log(set.code, x, out, count)
    }

    public static func tanh(
        _ x: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, count: Int, on set: InstructionSet = .best
    ) {
        unsafe sluice_tanh(set.code, x, out, count)
    }

    public static func sigmoid(
        _ x: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, count: Int, on set: InstructionSet = .best
    ) {
        unsafe sluice_sigmoid(set.code, x, out, count)
    }
}
