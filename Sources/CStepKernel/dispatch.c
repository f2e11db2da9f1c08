// Packing, the choice of the instruction set, and the exported functions.
#include "kernel.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#define SUPPORTS(feature) __builtin_cpu_supports(feature)
#endif

bool sluice_isa_available(sluice_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
    case SLUICE_ISA_BASELINE: return true;
    case SLUICE_ISA_AVX2: return SUPPORTS("avx2") && SUPPORTS("fma");
    case SLUICE_ISA_AVX512:
    case SLUICE_ISA_ZNVER4:
        return SUPPORTS("avx512f") && SUPPORTS("avx512bw") && SUPPORTS("avx512dq") && SUPPORTS("avx512vl") &&
               SUPPORTS("fma");
#elif defined(__aarch64__)
    case SLUICE_ISA_NEON: return true;
#else
    case SLUICE_ISA_BASELINE: return true;
#endif
    default: return false;
    }
}

sluice_isa sluice_isa_best(void) {
#if defined(__x86_64__)
    if (sluice_isa_available(SLUICE_ISA_ZNVER4) && __builtin_cpu_is("amdfam19h")) return SLUICE_ISA_ZNVER4;
#endif
    if (sluice_isa_available(SLUICE_ISA_AVX512)) return SLUICE_ISA_AVX512;
    if (sluice_isa_available(SLUICE_ISA_AVX2)) return SLUICE_ISA_AVX2;
    if (sluice_isa_available(SLUICE_ISA_NEON)) return SLUICE_ISA_NEON;
    return SLUICE_ISA_BASELINE;
}

static const sluice_kernel *kernel(sluice_isa isa) {
#if defined(__x86_64__)
    if (isa == SLUICE_ISA_ZNVER4) return &sluice_kernel_znver4;
    if (isa == SLUICE_ISA_AVX512) return &sluice_kernel_avx512;
    if (isa == SLUICE_ISA_AVX2) return &sluice_kernel_avx2;
    return &sluice_kernel_baseline;
#elif defined(__aarch64__)
    (void)isa;
    return &sluice_kernel_neon;
#else
    (void)isa;
    return &sluice_kernel_baseline;
#endif
}

void sluice_fp_environment(void) {
#if defined(__x86_64__)
    _mm_setcsr(0x1f80); // exceptions masked, round to nearest, neither FTZ nor DAZ
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)0)); // round to nearest, no FZ, no default NaN
#endif
}

void sluice_prefetch(const void *start, size_t bytes) {
    // From the line in which it begins, so that the one in which it ends is not left out.
    const uintptr_t end = (uintptr_t)start + bytes;
    for (uintptr_t line = (uintptr_t)start & ~(uintptr_t)63; line < end; line += 64)
        __builtin_prefetch((const void *)line);
}

size_t sluice_lstm_packed_floats(const sluice_lstm *m) {
    return layer_offset(m, m->layers) + padded(m->outputs) * (1 + m->hidden);
}

void sluice_lstm_pack_layer(const sluice_lstm *m, size_t layer, const float *weight_ih, const float *weight_hh,
                            const float *bias_ih, const float *bias_hh, float *packed) {
    const size_t inputs = layer_inputs(m, layer), hidden = m->hidden, k_count = 1 + inputs + hidden;
    packed += layer_offset(m, layer);
    for (size_t gate = 0; gate < GATES; gate++) {
        for (size_t unit = 0; unit < hidden; unit++) {
            const size_t row = gate * hidden + unit;
            float *to = packed + unit / UNIT_BLOCK * (k_count * GATES * UNIT_BLOCK);
            to += gate * UNIT_BLOCK + unit % UNIT_BLOCK;
            to[0] = bias_ih[row] + bias_hh[row];
            to += GATES * UNIT_BLOCK;
            for (size_t k = 0; k < inputs; k++, to += GATES * UNIT_BLOCK) *to = weight_ih[row * inputs + k];
            for (size_t k = 0; k < hidden; k++, to += GATES * UNIT_BLOCK) *to = weight_hh[row * hidden + k];
        }
    }
}

void sluice_lstm_pack_head(const sluice_lstm *m, const float *weight, const float *bias, float *packed) {
    const size_t hidden = m->hidden;
    packed += layer_offset(m, m->layers);
    for (size_t output = 0; output < m->outputs; output++) {
        float *to = packed + output / UNIT_BLOCK * ((1 + hidden) * UNIT_BLOCK) + output % UNIT_BLOCK;
        to[0] = bias[output];
        for (size_t k = 0; k < hidden; k++) to[(1 + k) * UNIT_BLOCK] = weight[output * hidden + k];
    }
}

void sluice_lstm_step(const sluice_lstm *m, sluice_isa isa, size_t rows, const float *x, const float *const *state,
                      float *next, float *out, bool *finite) {
    kernel(isa)->step(m, rows, x, state, next, out, finite);
}

#define ACTIVATION(name)                                                         \
    void sluice_##name(sluice_isa isa, const float *x, float *out, size_t count) { \
        kernel(isa)->name(x, out, count);                                        \
    }                                                                            \
    float sluice_##name##f(float x) {                                            \
        kernel(sluice_isa_best())->name(&x, &x, 1);                              \
        return x;                                                                \
    }
ACTIVATION(exp)
ACTIVATION(log)
ACTIVATION(tanh)
ACTIVATION(sigmoid)
