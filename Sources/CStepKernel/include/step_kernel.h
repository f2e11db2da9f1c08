#pragma once
int sluice_kernel_placeholder(void);
