#include <string.h>
#include <xxhash.h>
