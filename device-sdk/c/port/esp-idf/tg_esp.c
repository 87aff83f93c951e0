/* tg_esp.c -- see tg_esp.h. */
#include "tg_esp.h"

#include "esp_random.h"
#include "esp_timer.h"

static uint32_t now_ms(void)
{
    return (uint32_t)(esp_timer_get_time() / 1000);
}

static uint32_t entropy(void)
{
    return esp_random();
}

static int fill(void *ctx, unsigned char *to, size_t bytes)
{
    (void)ctx;
    esp_fill_random(to, bytes);
    return 0;
}

const tg_wss_platform tg_esp_platform = {now_ms, entropy, fill};
