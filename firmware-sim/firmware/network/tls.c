/* tls.c -- see tls.h: port/mbedtls on a heap of its own, its random numbers seeded from the page. */
#include "tls.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <string.h>

#include "../../../device-sdk/c/port/mbedtls/tg_mbedtls.h"

#define HEAP_BYTES 14336u
#define SEED_BYTES 32u

static unsigned char heap[HEAP_BYTES];
static mbedtls_ctr_drbg_context drbg;
static tg_mbedtls tls;
static tg_mbedtls_config config;
static tg_port below;

int tls_says_nothing(const char *format, ...)
{
    (void)format;
    return 0;
}

int tls_writes_nothing(FILE *file, const char *format, ...)
{
    (void)file;
    (void)format;
    return 0;
}

void board_halt(void);
void tls_halt(int code)
{
    (void)code;
    board_halt();
}

static int seed(void *ctx, unsigned char *to, size_t bytes)
{
    const uint8_t *randomness = ctx;
    if (bytes > SEED_BYTES) return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
    memcpy(to, randomness, bytes);
    return 0;
}

bool tls_start(tg_port *link, const uint8_t *ca, size_t ca_bytes, const uint8_t *randomness)
{
    static uint8_t kept[SEED_BYTES];
    below = *link;
    memcpy(kept, randomness, sizeof kept);
    mbedtls_memory_buffer_alloc_init(heap, sizeof heap);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_ctr_drbg_set_entropy_len(&drbg, SEED_BYTES);
    /* The nonce would be a second draw of a source that has just one. */
    if (mbedtls_ctr_drbg_set_nonce_len(&drbg, 0) != 0) return false;
    if (mbedtls_ctr_drbg_seed(&drbg, seed, kept, NULL, 0) != 0) return false;
    config.below = &below;
    config.ca = ca;
    config.ca_bytes = ca_bytes;
    config.fragment = TG_FRAGMENT_1024;
    config.random = mbedtls_ctr_drbg_random;
    config.random_ctx = &drbg;
    if (tg_mbedtls_init(&tls, &config) != TG_OK) return false;
    tg_mbedtls_port(&tls, link);
    return true;
}

tls_report tls_get_report(void)
{
    const tg_mbedtls_stats *stats = tg_mbedtls_get_stats(&tls);
    tls_report report;
    size_t peak = 0;
    size_t blocks = 0;
    mbedtls_memory_buffer_alloc_max_get(&peak, &blocks);
    report.handshakes = stats->handshakes;
    report.resumed = stats->resumed;
    report.refused = stats->refused;
    report.last_error = (uint32_t)-stats->last_error;
    report.heap_peak_bytes = (uint32_t)peak;
    report.heap_bytes = HEAP_BYTES;
    return report;
}
