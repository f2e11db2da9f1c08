// The peak of a core's fused multiply-adds, once for each instruction set. CHAINS are independent of each other: more
// than the units times their latency, and no more than there are registers for.
#include "fma_peak.h"

#include <math.h>

#define UNROLL _Pragma("clang loop unroll(full)")

// Each chain is x <- x / 2 + 1 from its number on, which comes to 2: nothing overflows, nothing becomes subnormal.
// After n rounds x is 2 + (number - 2) / 2^n. The first number is volatile: a compiler that knows them leaves out the
// chain that is at 2 from the beginning, which then is counted and not done.
bool sluice_fma_sum_is_right(float sum, int chains, size_t rounds) {
    double far = chains * (chains - 1) / 2.0 - 2.0 * chains;
    double expected = 2.0 * chains + ldexp(far, rounds < 1000 ? -(int)rounds : -1000);
    return fabs(sum - expected) < 1e-3;
}

#define DEFINE_PEAK(NAME, LANES, CHAINS)                                                                    \
    static double NAME(size_t rounds) {                                                                     \
        typedef float VF __attribute__((ext_vector_type(LANES)));                                           \
        VF chains[CHAINS], half = (VF)0.5f, one = (VF)1.0f, sum = (VF)0.0f;                                 \
        volatile float first = 0;                                                                           \
        UNROLL for (int i = 0; i < CHAINS; i++) chains[i] = (VF)(first + (float)i);                         \
        for (size_t round = 0; round < rounds; round++) {                                                   \
            UNROLL for (int i = 0; i < CHAINS; i++) chains[i] = __builtin_elementwise_fma(chains[i], half, one); \
        }                                                                                                   \
        UNROLL for (int i = 0; i < CHAINS; i++) sum += chains[i];                                           \
        for (int lane = 0; lane < LANES; lane++) {                                                          \
            if (!sluice_fma_sum_is_right(sum[lane], CHAINS, rounds)) return 0;                              \
        }                                                                                                   \
        return 2.0 * LANES * CHAINS * (double)rounds;                                                       \
    }

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
DEFINE_PEAK(peak_avx512, 16, 24)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
DEFINE_PEAK(peak_avx2, 8, 12)
#pragma clang attribute pop
#endif
#if defined(__aarch64__)
DEFINE_PEAK(peak_neon, 4, 24)
#else
DEFINE_PEAK(peak_baseline, 4, 8)
#endif

double sluice_fma_peak(sluice_isa isa, size_t rounds) {
#if defined(__x86_64__)
    if (isa == SLUICE_ISA_AVX512 || isa == SLUICE_ISA_ZNVER4) return peak_avx512(rounds);
    if (isa == SLUICE_ISA_AVX2) return peak_avx2(rounds);
    return peak_baseline(rounds);
#elif defined(__aarch64__)
    (void)isa;
    return peak_neon(rounds);
#else
    (void)isa;
    return peak_baseline(rounds);
#endif
}
