#include "training_kernels.h"

#include <math.h>
#include <string.h>

/// Plain loops that the compiler vectorises once per instruction set, chosen when the program is loaded. Nothing is
/// contracted or reassociated, so all versions give the same bits.
#if defined(__x86_64__) && defined(__linux__)
#define VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORISED
#endif

VECTORISED
static void cell_update(size_t n, const float *restrict i, const float *restrict f, const float *restrict g,
                        const float *c_prev, float *c) {
    for (size_t u = 0; u < n; u++) c[u] = f[u] * c_prev[u] + i[u] * g[u];
}

VECTORISED
static void multiply(size_t n, const float *restrict a, const float *restrict b, float *restrict out) {
    for (size_t u = 0; u < n; u++) out[u] = a[u] * b[u];
}

void sluice_train_cell_forward(sluice_isa isa, size_t rows, size_t hidden, float *gates, const float *c_prev, float *c,
                               float *tanh_c, float *h) {
    for (size_t row = 0; row < rows; row++) {
        float *gate = gates + row * 4 * hidden;
        sluice_sigmoid(isa, gate, gate, 2 * hidden);
        sluice_tanh(isa, gate + 2 * hidden, gate + 2 * hidden, hidden);
        sluice_sigmoid(isa, gate + 3 * hidden, gate + 3 * hidden, hidden);
        cell_update(hidden, gate, gate + hidden, gate + 2 * hidden, c_prev + row * hidden, c + row * hidden);
    }
    sluice_tanh(isa, c, tanh_c, rows * hidden);
    for (size_t row = 0; row < rows; row++) {
        multiply(hidden, gates + row * 4 * hidden + 3 * hidden, tanh_c + row * hidden, h + row * hidden);
    }
}

VECTORISED
static void cell_backward(size_t n, float *restrict i, float *restrict f, float *restrict g, float *restrict o,
                          const float *restrict c_prev, const float *restrict tanh_c, const float *restrict dh,
                          float *restrict dc) {
    for (size_t u = 0; u < n; u++) {
        float iu = i[u], fu = f[u], gu = g[u], ou = o[u], t = tanh_c[u];
        float cell = dc[u] + dh[u] * ou * (1 - t * t);
        i[u] = cell * gu * iu * (1 - iu);
        f[u] = cell * c_prev[u] * fu * (1 - fu);
        g[u] = cell * iu * (1 - gu * gu);
        o[u] = dh[u] * t * ou * (1 - ou);
        dc[u] = cell * fu;
    }
}

void sluice_train_cell_backward(size_t rows, size_t hidden, float *gates, const float *c_prev, const float *tanh_c,
                                const float *dh, float *dc) {
    for (size_t row = 0; row < rows; row++) {
        float *gate = gates + row * 4 * hidden;
        size_t at = row * hidden;
        cell_backward(hidden, gate, gate + hidden, gate + 2 * hidden, gate + 3 * hidden, c_prev + at, tanh_c + at,
                      dh + at, dc + at);
    }
}

void sluice_train_fill_rows(size_t rows, size_t n, const float *a, const float *b, float *out) {
    if (rows == 0) return;
    for (size_t u = 0; u < n; u++) out[u] = b ? a[u] + b[u] : a[u];
    for (size_t row = 1; row < rows; row++) memcpy(out + row * n, out, n * sizeof(float));
}

VECTORISED
void sluice_train_add_column_sums(size_t rows, size_t n, const float *restrict x, float *restrict out) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t u = 0; u < n; u++) out[u] += x[row * n + u];
    }
}

VECTORISED
double sluice_train_sum_of_squares(size_t n, const float *x) {
    double lanes[16] = {0};
    size_t u = 0;
    for (; u + 16 <= n; u += 16) {
        for (size_t lane = 0; lane < 16; lane++) lanes[lane] += (double)x[u + lane] * (double)x[u + lane];
    }
    for (; u < n; u++) lanes[u % 16] += (double)x[u] * (double)x[u];
    double sum = 0;
    for (size_t lane = 0; lane < 16; lane++) sum += lanes[lane];
    return sum;
}

VECTORISED
void sluice_train_scale(size_t n, float factor, float *x) {
    for (size_t u = 0; u < n; u++) x[u] *= factor;
}

VECTORISED
void sluice_train_adam(size_t n, const float *restrict g, float *restrict m, float *restrict v, float *restrict p,
                       float beta1, float beta2, float epsilon, float step_size, float root) {
    for (size_t u = 0; u < n; u++) {
        float gu = g[u];
        float mu = m[u] + (gu - m[u]) * (1 - beta1);
        float vu = v[u] * beta2 + gu * gu * (1 - beta2);
        m[u] = mu;
        v[u] = vu;
        p[u] -= step_size * (mu / (sqrtf(vu) / root + epsilon));
    }
}
