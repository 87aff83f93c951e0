/* tls.c -- see tls.h. The linker gives us mbedTLS's calls of calloc and free (--wrap), so that the peak can be told. */
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../port/posix/tg_posix.h"

#define HEAD_BYTES 16u /* before each block: its size; keeps the alignment of malloc */

static tg_mbedtls tls;
static tg_mbedtls_config config;
static uint8_t ca[8192];
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
    config.ca = ca;
    config.ca_bytes = n + 1;
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

bool tls_start(const tls_options *options, const tg_port *below, tg_port *port)
{
    if (!read_ca(options->ca_path)) {
        fprintf(stderr, "native-demo: cannot read the CA %s\n", options->ca_path);
        return false;
    }
    config.below = below;
    config.name = options->name;
    config.fragment = fragment_of(options->fragment);
    config.has_clock = true;
    config.random = tg_posix_random;
    if (tg_mbedtls_init(&tls, &config) != TG_OK) {
        fprintf(stderr, "native-demo: TLS did not start: mbedTLS says -0x%04x\n",
                (unsigned)-tg_mbedtls_get_stats(&tls)->last_error);
        return false;
    }
    tg_mbedtls_port(&tls, port);
    return true;
}

void tls_report(void)
{
    const tg_mbedtls_stats *stats = tg_mbedtls_get_stats(&tls);
    fprintf(stderr, "tls handshakes=%u resumed=%u refused=%u flags=0x%x error=-0x%04x heap_peak=%lu\n", stats->handshakes,
            stats->resumed, stats->refused, (unsigned)stats->verify_flags, (unsigned)-stats->last_error,
            (unsigned long)heap_peak_bytes);
}
