/* tg_esp.c -- see tg_esp.h. */
#include "tg_esp.h"

#include "esp_random.h"
#include "esp_timer.h"
#include "sdkconfig.h"

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

tg_fragment tg_esp_fragment(void)
{
#if defined(CONFIG_TIDEGATE_FRAGMENT_1024)
    return TG_FRAGMENT_1024;
#elif defined(CONFIG_TIDEGATE_FRAGMENT_4096)
    return TG_FRAGMENT_4096;
#else
    return TG_FRAGMENT_2048;
#endif
}
