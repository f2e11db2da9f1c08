#include "training_kernels.h"

#include <math.h>

/// Plain loops that the compiler vectorises once per instruction set, chosen when the program is loaded. Nothing is
/// contracted or reassociated, so all versions give the same bits.
#if defined(__x86_64__) && defined(__linux__)
#define VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORISED
#endif

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
