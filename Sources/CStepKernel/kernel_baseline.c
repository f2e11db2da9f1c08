// Without fused multiply-add in hardware: every fma is a call of fmaf, which rounds once.
#include "kernel.h"

#if !defined(__aarch64__)
#define KERNEL sluice_kernel_baseline
#define LANES 4
#define ROWS 2
#define SINGLE 1
#include "kernel.inc"
#endif
