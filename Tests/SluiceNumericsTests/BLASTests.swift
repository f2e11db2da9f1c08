import SluiceNumerics
import Testing

@Suite struct BLASTests {
    /// Integers small enough that float sums are exact, whatever the order.
    private func integers(_ count: Int, _ step: Int) -> [Float] { (0..<count).map { Float(($0 * step) % 17 - 8) } }

    @Test(arguments: [false, true], [false, true])
    func productEqualsTheDefinition(transposeA: Bool, transposeB: Bool) {
        let (m, n, k) = (5, 7, 11)
        let (lda, ldb, ldc) = ((transposeA ? m : k) + 2, (transposeB ? k : n) + 1, n + 3)
        let a = integers((transposeA ? k : m) * lda, 5)
        let b = integers((transposeB ? n : k) * ldb, 7)
        var c = integers(m * ldc, 3)
        var expected = c
        for i in 0..<m {
            for j in 0..<n {
                var sum: Float = 0
                for l in 0..<k {
                    sum += (transposeA ? a[l * lda + i] : a[i * lda + l]) * (transposeB ? b[j * ldb + l] : b[l * ldb + j])
                }
                expected[i * ldc + j] = 2 * sum + 0.5 * c[i * ldc + j]
            }
        }
        BLAS.setThreads(1)
        BLAS.gemm(
            transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: 2, a: a, lda: lda, b: b, ldb: ldb,
            beta: 0.5, c: &c, ldc: ldc)
        #expect(c == expected)
    }

    @Test func betaZeroDoesNotReadTheResult() {
        var c: [Float] = [.nan]
        BLAS.gemm(
            transposeA: false, transposeB: false, m: 1, n: 1, k: 1, alpha: 1, a: [2], lda: 1, b: [3], ldb: 1, beta: 0,
            c: &c, ldc: 1)
        #expect(c == [6])
    }
}
