#ifndef SLUICE_ALLOCATION_COUNTER_H
#define SLUICE_ALLOCATION_COUNTER_H

#include <stdint.h>

/// Heap allocations the calling thread has made since it began, by whatever library of the process: calls of malloc,
/// calloc, realloc and their aligned relatives. Frees are not counted.
uint64_t sluice_allocation_count(void);

/// The bytes that these asked for.
uint64_t sluice_allocated_bytes(void);

#endif
