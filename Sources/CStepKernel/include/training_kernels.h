#ifndef SLUICE_TRAINING_KERNELS_H
#define SLUICE_TRAINING_KERNELS_H

/// The element-wise half of training; the products are BLAS's. Every sum has a fixed order, so a run repeats to the
/// bit.

#include <stddef.h>

#include "step_kernel.h"

/// One step of an LSTM layer after its gate products.
/// gates [rows][i, f, g, o][H]: pre-activations in, activations out; c_prev, c, tanh_c, h [rows][H]; c may be c_prev.
void sluice_train_cell_forward(sluice_isa isa, size_t rows, size_t hidden, float *gates, const float *c_prev, float *c,
                               float *tanh_c, float *h);

/// The same step backward. gates: activations in, gradients of the pre-activations out; dh [rows][H]: gradient of h;
/// dc [rows][H]: gradient of c from the step after in, of c_prev out.
void sluice_train_cell_backward(size_t rows, size_t hidden, float *gates, const float *c_prev, const float *tanh_c,
                                const float *dh, float *dc);

/// out [rows][n]: every row is fl(a + b); b may be NULL.
void sluice_train_fill_rows(size_t rows, size_t n, const float *a, const float *b, float *out);
/// out [n] += the sum of the rows of x [rows][n].
void sluice_train_add_column_sums(size_t rows, size_t n, const float *x, float *out);
/// The sum of squares, in double.
double sluice_train_sum_of_squares(size_t n, const float *x);
/// x [n] *= factor.
void sluice_train_scale(size_t n, float factor, float *x);

/// Adam as in torch.optim.Adam. step_size = lr / (1 - beta1^t), root = sqrt(1 - beta2^t).
void sluice_train_adam(size_t n, const float *g, float *m, float *v, float *p, float beta1, float beta2, float epsilon,
                       float step_size, float root);

#endif
