#ifndef SLUICE_FMA_PEAK_H
#define SLUICE_FMA_PEAK_H

/// What a core can do at best, for the step to be compared with.

#include <stdbool.h>
#include <stddef.h>

#include "step_kernel.h"

/// Fused multiply-adds on nothing but registers, as many of them independent as keep the core's units busy, all of it
/// `rounds` times. Returns the floating-point operations that were done, two for each multiply-add; 0 where the results
/// are not what they must be.
double sluice_fma_peak(sluice_isa isa, size_t rounds);

/// Whether the sum of so many chains is what they come to after so many rounds.
bool sluice_fma_sum_is_right(float sum, int chains, size_t rounds);

#endif
