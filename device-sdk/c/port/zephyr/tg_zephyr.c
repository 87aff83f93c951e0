/* tg_zephyr.c -- see tg_zephyr.h. */
#include "tg_zephyr.h"

#include <zephyr/kernel.h>
#include <zephyr/random/random.h>

static uint32_t now_ms(void)
{
    return k_uptime_get_32();
}

static uint32_t entropy(void)
{
    return sys_rand32_get();
}

static int fill(void *ctx, unsigned char *to, size_t bytes)
{
    (void)ctx;
    return sys_csrand_get(to, bytes);
}

const tg_wss_platform tg_zephyr_platform = {now_ms, entropy, fill};
