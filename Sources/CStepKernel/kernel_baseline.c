// Without fused multiply-add in hardware: every fma is a call of fmaf, which rounds once.
#include "train.h"

#include <string.h>

#if !defined(__aarch64__)
#define KERNEL sluice_kernel_baseline
#define LANES 4
#define ROWS 2
#define SINGLE 1
#define CELLS 2
#define K_BLOCK 96
#include "kernel.inc"
#define TRAIN sluice_train_baseline
#define SUM_ROWS 2
#define SUM_BLOCKS 1
#define SPLIT_FMA
#include "train.inc"
#endif
