// xxHash, and of the C library what modules that import nothing else need of memory (`SystemMemory.swift`).
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>
