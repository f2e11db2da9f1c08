internal import CStepKernel

extension InstructionSet {
    /// Does fused multiply-adds in registers alone, `rounds` times as many as are under way at once: what a core can do
    /// at best.
    ///
    /// - Returns: the floating-point operations done; 0 where their results are wrong.
    public func multiplyAdds(rounds: Int) -> Double { sluice_fma_peak(code, rounds) }
}
