internal import COpenBLAS

/// Matrix products of training. Their sums have no fixed order: nothing of the fold may use them (`engine.md`).
package enum BLAS {
    /// C ← alpha · op(A) · op(B) + beta · C with op(A) `[m, k]`, op(B) `[k, n]`, C `[m, n]`, all row-major.
    ///
    /// - Parameters:
    ///   - transposeA: op(A) = Aᵀ with A stored `[k, m]`; else A is stored `[m, k]`.
    ///   - lda: floats from one stored row of A to the next; `ldb`, `ldc` likewise.
    ///   - beta: with 0, C is not read.
    package static func gemm(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Float, a: UnsafePointer<Float>, lda: Int,
        b: UnsafePointer<Float>, ldb: Int, beta: Float, c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
        unsafe cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), beta, c, blasint(ldc))
    }

    /// Threads of every later product, for the whole process.
    package static func setThreads(_ n: Int) {
        precondition(n > 0, "at least one thread")
        openblas_set_num_threads(CInt(n))
    }
}
