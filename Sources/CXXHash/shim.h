#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
