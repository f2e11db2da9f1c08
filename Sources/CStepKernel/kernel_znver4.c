// AVX-512 on units of 256 bits, Zen 4's: a k is 24 cycles of multiply-adds, so one row alone reads ahead far enough
// with one block of units at a time, and the divider keeps up with all that lies between its divisions.
#include "kernel.h"

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define KERNEL sluice_kernel_znver4
#define LANES 16
#define ROWS 6
#define SINGLE 1
#define CELLS 6
#define K_BLOCK (1 << 20)
#include "kernel.inc"
#pragma clang attribute pop
#endif
