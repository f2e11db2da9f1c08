// 32 registers of 4 floats: 6 rows x 4 gates of accumulators, 4 weights.
#include "train.h"

#include <string.h>

#if defined(__aarch64__)
#define KERNEL sluice_kernel_neon
#define LANES 4
#define ROWS 6
#define SINGLE 4
#include "kernel.inc"
#define TRAIN sluice_train_neon
#define SUM_ROWS 4
#define SUM_BLOCKS 1
#include "train.inc"
#endif
