#ifndef SLUICE_KERNEL_H
#define SLUICE_KERNEL_H

#include "step_kernel.h"

enum { UNIT_BLOCK = 16, GATES = 4 };

/// What one instruction set provides.
typedef struct {
    void (*step)(const sluice_lstm *m, size_t rows, const float *x, const float *const *state, float *next, float *out,
                 bool *finite);
    void (*exp)(const float *x, float *out, size_t count);
    void (*log)(const float *x, float *out, size_t count);
    void (*tanh)(const float *x, float *out, size_t count);
    void (*sigmoid)(const float *x, float *out, size_t count);
} sluice_kernel;

#if defined(__x86_64__)
extern const sluice_kernel sluice_kernel_baseline, sluice_kernel_avx2, sluice_kernel_avx512,
    sluice_kernel_znver4;
#elif defined(__aarch64__)
extern const sluice_kernel sluice_kernel_neon;
#else
extern const sluice_kernel sluice_kernel_baseline;
#endif

static inline size_t padded(size_t count) {
    return (count + UNIT_BLOCK - 1) / UNIT_BLOCK * UNIT_BLOCK;
}
static inline size_t layer_inputs(const sluice_lstm *m, size_t layer) {
    return layer == 0 ? m->inputs : m->hidden;
}
/// Floats before a layer's packed weights; `layer == layers` gives where the head begins.
static inline size_t layer_offset(const sluice_lstm *m, size_t layer) {
    size_t floats = 0;
    for (size_t l = 0; l < layer; l++) floats += padded(m->hidden) * GATES * (1 + layer_inputs(m, l) + m->hidden);
    return floats;
}

#endif
