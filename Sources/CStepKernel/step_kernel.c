#include "step_kernel.h"
int sluice_kernel_placeholder(void) { return 0; }
