// 16 registers of 8 floats: 3 rows x 4 gates of accumulators, 3 inputs, 1 weight. A k is 6 cycles of multiply-adds and
// four half lines of weights, which a second cache takes 8 cycles to send: 96 k of them stay in a first one of 32 KiB.
#include "train.h"

#include <string.h>

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define KERNEL sluice_kernel_avx2
#define LANES 8
#define ROWS 3
#define SINGLE 2
#define CELLS 4
#define K_BLOCK 96
#include "kernel.inc"
#define TRAIN sluice_train_avx2
#define SUM_ROWS 4
#define SUM_BLOCKS 1
#include "train.inc"
#pragma clang attribute pop
#endif
