#ifndef SLUICE_TRAINING_NETWORK_H
#define SLUICE_TRAINING_NETWORK_H

/// The LSTM and its linear head over a packed batch, forward and backward in time.
///
/// L layers of H units, I inputs, O outputs; a batch of B rows, longest first, P steps in all. Matrices lie in blocks
/// of 16 columns, [blocks][R][16], padded with zeros: whatever runs over rows reads memory in order, and no product
/// needs a copy. Rows 0..<B of every matrix belong to what the batch starts from; packed row p is row B + p. R is the
/// same for all matrices.
///
/// Every result is one sum in an order of its own, whoever computes it: the number of threads changes no bit.

#include <stdbool.h>
#include <stddef.h>

#include "step_kernel.h"
#include "team.h"

typedef struct {
    size_t inputs, hidden, layers, outputs;
    size_t rows_max, steps_max; // B and P of the largest batch
    size_t threads;             // that ever work on it
    bool may_drop;              // whether there is room for dropout between layers
    bool learns_state;          // whether `backward` is asked for the gradients of what the batch starts from
    float *memory;              // sluice_train_floats() zeros, on a cache line

    bool drops;                     // whether the next passes drop
    size_t rows, steps;             // B, T
    const size_t *active, *offsets; // [T]: rows of each step, descending; its first packed row
} sluice_train;

/// Floats of the workspace.
size_t sluice_train_floats(const sluice_train *n);
/// R: rows from one block of a matrix to the next.
size_t sluice_train_stride(const sluice_train *n);

/// [blocks of I][R][16]: the caller fills rows B..<B + P; padding stays zero.
float *sluice_train_inputs(const sluice_train *n);
/// [blocks of H][R][16]: the caller fills rows 0..<B; after `forward` every row is there.
float *sluice_train_h(const sluice_train *n, size_t layer);
float *sluice_train_c(const sluice_train *n, size_t layer);
/// [blocks of H][R][16], for layers below the last: what h is multiplied by on its way to the layer above, where the
/// network drops. The caller fills rows B..<B + P.
float *sluice_train_mask(const sluice_train *n, size_t layer);
/// [P][O], row-major: what the head answers, and the gradient of the loss in it, which the caller fills.
float *sluice_train_outputs(const sluice_train *n);
float *sluice_train_output_gradient(const sluice_train *n);
/// [blocks of H][R][16] and [blocks of H][rows_max][16]: after `backward` of a network that learns its state, rows
/// 0..<B are the gradients of the h and c that the batch started from.
float *sluice_train_h_gradient(const sluice_train *n, size_t layer);
float *sluice_train_c_gradient(const sluice_train *n, size_t layer);

/// parameters: in PyTorch's order, as PackedLSTM takes them. With fused multiply-adds h and c are the bits that the
/// step kernel gives; the head's sums run in another order.
void sluice_train_forward(const sluice_train *n, sluice_isa isa, sluice_team *team, const float *parameters);
/// After `forward` with the same parameters: fills the gradient of layers and head, laid out as the parameters.
void sluice_train_backward(const sluice_train *n, sluice_isa isa, sluice_team *team, const float *parameters,
                           float *gradient);

#endif
