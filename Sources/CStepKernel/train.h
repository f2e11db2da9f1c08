#ifndef SLUICE_TRAIN_H
#define SLUICE_TRAIN_H

#include "kernel.h"
#include "training_network.h"

/// What one instruction set provides for training (training_network.h).
typedef struct {
    /// Rows first..<last of the batch, through all layers, steps and the head.
    void (*forward)(const sluice_train *n, size_t first, size_t last);
    /// The same rows backward: gates become gradients of the pre-activations.
    void (*backward)(const sluice_train *n, size_t first, size_t last);
    /// Gradients of the weights and biases of 16 units of a layer, or (layer == L) of the head in 16 units, into
    /// `gradient`, laid out as the layer's parameters. scratch: sluice_train_scratch floats.
    void (*weights)(const sluice_train *n, size_t layer, size_t block, float *scratch, float *gradient);
} sluice_train_kernel;

#if defined(__x86_64__)
extern const sluice_train_kernel sluice_train_baseline, sluice_train_avx2, sluice_train_avx512;
#elif defined(__aarch64__)
extern const sluice_train_kernel sluice_train_neon;
#else
extern const sluice_train_kernel sluice_train_baseline;
#endif

/// Where a layer's matrices lie, see training_network.h; U blocks of H, K inputs of the layer in X blocks.
typedef struct {
    size_t inputs, blocks, input_blocks;
    const float *weights;    // [U][1 + K + H][4][16]: bias, input and hidden weights, as the step kernel's
    const float *transposed; // [U of h, X of the input][U][4][16][16]: hidden and (above layer 0) input weights
    const float *x;
    float *gates; // [U][R][4][16]: activations i, f, g, o; then gradients of the pre-activations
    float *h, *c, *tanh_c, *dh;
    float *dc; // [U][rows_max][16], running
} TrainLayer;

TrainLayer train_layer(const sluice_train *n, size_t layer);
/// [U][R][16]: h with its dropout.
float *train_dropped(const sluice_train *n, size_t layer);
/// [O][U][16], then [O] biases.
float *train_head(const sluice_train *n);

static inline size_t blocks_of(size_t count) {
    return (count + UNIT_BLOCK - 1) / UNIT_BLOCK;
}
/// Floats of one thread's [X + U blocks][4 gates x 16][16] of sums.
static inline size_t train_scratch(const sluice_train *n) {
    size_t blocks = blocks_of(n->hidden), inputs = blocks_of(n->inputs);
    return (blocks + (inputs > blocks ? inputs : blocks)) * GATES * UNIT_BLOCK * UNIT_BLOCK;
}
/// Packed rows of the batch.
static inline size_t train_count(const sluice_train *n) {
    return n->steps == 0 ? 0 : n->offsets[n->steps - 1] + n->active[n->steps - 1];
}
/// Row of a step's first state before it.
static inline size_t row_before(const sluice_train *n, size_t step) {
    return step == 0 ? 0 : n->rows + n->offsets[step - 1];
}

#endif
