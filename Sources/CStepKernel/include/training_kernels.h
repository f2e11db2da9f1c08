#ifndef SLUICE_TRAINING_KERNELS_H
#define SLUICE_TRAINING_KERNELS_H

/// What training does to all parameters at once. Every sum has a fixed order, so a run repeats to the bit.

#include <stddef.h>

/// The sum of squares, in double.
double sluice_train_sum_of_squares(size_t n, const float *x);
/// x [n] *= factor.
void sluice_train_scale(size_t n, float factor, float *x);

/// Adam as in torch.optim.Adam. step_size = lr / (1 - beta1^t), root = sqrt(1 - beta2^t).
void sluice_train_adam(size_t n, const float *g, float *m, float *v, float *p, float beta1, float beta2, float epsilon,
                       float step_size, float root);

#endif
