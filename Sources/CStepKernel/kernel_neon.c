// 32 registers of 4 floats: 6 rows x 4 gates of accumulators, 4 weights. Weights stay in the first cache as with AVX2,
// whose lines are quarters here; not measured.
#include "train.h"

#include <string.h>

#if defined(__aarch64__)
#define KERNEL sluice_kernel_neon
#define LANES 4
#define ROWS 6
#define SINGLE 4
#define CELLS 6
#define K_BLOCK 96
#include "kernel.inc"
#define TRAIN sluice_train_neon
#define SUM_ROWS 4
#define SUM_BLOCKS 1
#include "train.inc"
#endif
