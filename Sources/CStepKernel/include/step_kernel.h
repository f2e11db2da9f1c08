#ifndef SLUICE_STEP_KERNEL_H
#define SLUICE_STEP_KERNEL_H

/// The fused LSTM step and the pinned activations. Every function gives the same bits on every instruction set, for
/// every number of rows and every placement of them: the arithmetic is part of what Sluice promises.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef enum {
    SLUICE_ISA_BASELINE = 0, ///< No fused multiply-add in hardware: `fmaf`, correctly rounded.
    SLUICE_ISA_AVX2 = 1,     ///< AVX2 and FMA.
    SLUICE_ISA_AVX512 = 2,   ///< AVX-512 F, BW, DQ, VL, and FMA.
    SLUICE_ISA_NEON = 3,     ///< arm64.
    SLUICE_ISA_ZNVER4 = 4,   ///< The same, for a processor whose units have 256 bits.
} sluice_isa;

/// Whether this processor and this build have the instruction set.
bool sluice_isa_available(sluice_isa isa);
/// The one that this processor is fastest with.
sluice_isa sluice_isa_best(void);

/// Round to nearest, subnormals kept, for the calling thread: to be called where a thread that folds starts.
void sluice_fp_environment(void);

/// Asks for some memory to be brought into the cache.
void sluice_prefetch(const void *start, size_t bytes);

/// A packed network. `packed` is 64-byte aligned, `sluice_lstm_packed_floats` long and filled by `sluice_lstm_pack_*`:
/// per layer [unit block of 16][bias, inputs, hidden][gate i, f, g, o][16], then the head
/// [output block of 16][bias, hidden][16]. Units and outputs are padded with zeros, the k dimension never.
typedef struct {
    size_t inputs, hidden, layers, outputs;
    const float *packed;
} sluice_lstm;

/// Floats of `packed`; the sizes alone decide.
size_t sluice_lstm_packed_floats(const sluice_lstm *m);
/// Packs one layer from `weight_ih [4H, I or H]`, `weight_hh [4H, H]`, `bias_ih [4H]`, `bias_hh [4H]` into `packed`,
/// which is zero before. The packed bias is fl(b_ih + b_hh).
void sluice_lstm_pack_layer(const sluice_lstm *m, size_t layer, const float *weight_ih, const float *weight_hh,
                            const float *bias_ih, const float *bias_hh, float *packed);
/// Packs the head from `weight [O, H]`, `bias [O]`.
void sluice_lstm_pack_head(const sluice_lstm *m, const float *weight, const float *bias, float *packed);

/// One step of `rows` rows; a pure function, the caller commits `next` where it wants it.
/// x [rows][I]; state[row] -> [L][h, c][Hp] anywhere in memory, not overlapping `next`; next [rows][L][h, c][Hp],
/// padding 0; out [rows][O]: the raw linear head; finite[row]: whether every h, c and output of the row is finite.
/// Hp is H rounded up to a multiple of 16.
void sluice_lstm_step(const sluice_lstm *m, sluice_isa isa, size_t rows, const float *x,
                      const float *_Nonnull const *_Nonnull state, float *next, float *out, bool *finite);

/// The activations, `out[i] = f(x[i])`; `out` may be `x`. Largest errors over every float32, in units in the last
/// place: exp 1.1, log 1, tanh 3, sigmoid 3; the sigmoid stays at e^-87 below x = -87. NaN gives NaN.
void sluice_exp(sluice_isa isa, const float *x, float *out, size_t count);
void sluice_log(sluice_isa isa, const float *x, float *out, size_t count);
void sluice_tanh(sluice_isa isa, const float *x, float *out, size_t count);
void sluice_sigmoid(sluice_isa isa, const float *x, float *out, size_t count);

/// The same for one value, on the best instruction set.
float sluice_expf(float x);
float sluice_logf(float x);
float sluice_tanhf(float x);
float sluice_sigmoidf(float x);

#pragma clang assume_nonnull end

#endif
