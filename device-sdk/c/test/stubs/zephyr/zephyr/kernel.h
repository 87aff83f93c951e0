/* zephyr/kernel.h stands in for the real header (see README.md): time since boot. */
#pragma once
#include <stdint.h>
uint32_t k_uptime_get_32(void);
