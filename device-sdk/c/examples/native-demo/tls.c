/* tls.c -- see tls.h. The linker gives us mbedTLS's calls of calloc and free (--wrap), so that the peak can be told. */
#define _POSIX_C_SOURCE 200809L

#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../port/posix/tg_posix.h"
#include "../../port/wss/tg_wss.h"

#define HEAD_BYTES 16u /* before each block: its size; keeps the alignment of malloc */

static tg_wss tls;
static tg_wss_config config;
static char ca[8192];
static size_t heap_bytes;
static size_t heap_peak_bytes;

void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *block);

void *__wrap_calloc(size_t count, size_t size)
{
    const size_t bytes = count * size;
    uint8_t *head;
    if (size != 0 && bytes / size != count) return NULL;
    head = __real_calloc(1, HEAD_BYTES + bytes);
    if (head == NULL) return NULL;
    memcpy(head, &bytes, sizeof bytes);
    heap_bytes += bytes;
    if (heap_bytes > heap_peak_bytes) heap_peak_bytes = heap_bytes;
    return head + HEAD_BYTES;
}

void __wrap_free(void *block)
{
    size_t bytes;
    if (block == NULL) return;
    memcpy(&bytes, (uint8_t *)block - HEAD_BYTES, sizeof bytes);
    heap_bytes -= bytes;
    __real_free((uint8_t *)block - HEAD_BYTES);
}

static bool read_ca(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t n = 0;
    if (file != NULL) {
        n = fread(ca, 1, sizeof ca - 1, file);
        (void)fclose(file);
    }
    ca[n] = 0;
    config.ca_pem = ca;
    return n > 0;
}

static tg_fragment fragment_of(unsigned bytes)
{
    switch (bytes) {
    case 1024: return TG_FRAGMENT_1024;
    case 2048: return TG_FRAGMENT_2048;
    case 4096: return TG_FRAGMENT_4096;
    default: return TG_FRAGMENT_UNASKED;
    }
}

static uint32_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

static uint32_t entropy(void)
{
    unsigned char bytes[4] = {0};
    uint32_t v;
    if (tg_posix_random(NULL, bytes, sizeof bytes) != 0) return now_ms();
    memcpy(&v, bytes, sizeof v);
    return v;
}

static const tg_wss_platform platform = {now_ms, entropy, tg_posix_random};

bool tls_start(const tls_options *options, tg_port *port)
{
    if (!read_ca(options->ca_path)) {
        fprintf(stderr, "native-demo: cannot read the CA %s\n", options->ca_path);
        return false;
    }
    config.platform = &platform;
    config.host = options->host;
    config.service = options->service;
    config.name = options->name;
    config.fragment = fragment_of(options->fragment);
    config.has_clock = true;
    if (tg_wss_init(&tls, &config, port) == TG_OK) return true;
    fprintf(stderr, "native-demo: TLS did not start: mbedTLS says -0x%04x\n", (unsigned)-tg_wss_get_stats(&tls)->last_error);
    return false;
}

void tls_wait(uint32_t wait_ms)
{
    tg_wss_wait(&tls, wait_ms);
}

void tls_report(void)
{
    const tg_mbedtls_stats *stats = tg_wss_get_stats(&tls);
    fprintf(stderr, "tls handshakes=%u resumed=%u refused=%u flags=0x%x error=-0x%04x heap_peak=%lu\n", stats->handshakes,
            stats->resumed, stats->refused, (unsigned)stats->verify_flags, (unsigned)-stats->last_error,
            (unsigned long)heap_peak_bytes);
}
