// 32 registers of 16 floats: 6 rows x 4 gates of accumulators, 4 weights. A k is 12 cycles of multiply-adds and four
// lines of weights, with which a second cache keeps up: chains are never put aside.
#include "train.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define KERNEL sluice_kernel_avx512
#define LANES 16
#define ROWS 6
#define SINGLE 4
#define CELLS 6
#define K_BLOCK (1 << 20)
#define QUOTIENT "quotient_avx512.inc"
#include "kernel.inc"
#define TRAIN sluice_train_avx512
#define SUM_ROWS 8
#define SUM_BLOCKS 3
#include "train.inc"
#pragma clang attribute pop
#endif
