/* zephyr/random/random.h stands in for the real header (see README.md): random numbers. */
#pragma once
#include <stddef.h>
#include <stdint.h>
uint32_t sys_rand32_get(void);
int sys_csrand_get(void *dst, size_t len);
