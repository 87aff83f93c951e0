/* zephyr/kernel.h -- stands in for the header of that name, for a compiler that checks our ports: time since boot. */
#pragma once
#include <stdint.h>
uint32_t k_uptime_get_32(void);
