/* fuzz.h -- a device whose link is the fuzzer's input: what a hostile peer or a broken line can say.
 *
 * Every harness builds a client with buffers that fit exactly, so the address sanitizer sees one byte too many, and
 * feeds the input in pieces whose sizes the input itself decides.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "../../src/tg_core.h"

static const uint8_t *fuzz_at;
static size_t fuzz_left;
static uint32_t fuzz_now;

static int16_t fuzz_open(void *ctx) { (void)ctx; return 1; }
static void fuzz_close(void *ctx) { (void)ctx; }
static uint32_t fuzz_now_ms(void *ctx) { (void)ctx; return fuzz_now; }
static uint32_t fuzz_entropy(void *ctx) { (void)ctx; return 0x01020304u; }

static int16_t fuzz_send(void *ctx, const uint8_t *p, uint16_t n)
{
    (void)ctx;
    (void)p;
    if (n == 0) abort();
    return (int16_t)n;
}

static int16_t fuzz_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    size_t n;
    (void)ctx;
    if (fuzz_left == 0) return 0;
    n = 1u + (*fuzz_at & 63u);
    if (n > cap) n = cap;
    if (n > fuzz_left) n = fuzz_left;
    memcpy(p, fuzz_at, n);
    fuzz_at += n;
    fuzz_left -= n;
    return (int16_t)n;
}

static const tg_port fuzz_port = {fuzz_open, fuzz_send, fuzz_recv, fuzz_close, fuzz_now_ms, fuzz_entropy, NULL};

/* A buffer that ends exactly at the bytes asked for. Under the storm (storm.c) it ends at a page that must not be
 * touched, and is used again; under libFuzzer the address sanitizer watches it. */
#ifdef FUZZ_STORM
uint8_t *storm_buffer(unsigned which, size_t n);
#define FUZZ_BUFFER(which, n) storm_buffer(which, n)
#define FUZZ_FREE(p) (void)(p)
#else
#define FUZZ_BUFFER(which, n) malloc(n)
#define FUZZ_FREE(p) free(p)
#endif

static tg_state fuzz_command(tg_client *c, const tg_command *command)
{
    uint32_t sum = 0;
    uint16_t i;
    for (i = 0; i < command->args.len; i++) sum += command->args.ptr[i];
    for (i = 0; i < command->name.len; i++) sum += command->name.ptr[i];
    return tg_reply(c, command->id, (tg_state)(sum % 9u), command->args) == TG_OK ? TG_RECEIVED : TG_FAILED;
}

/* Runs a client on the input until it is used up. `online` skips the greeting. */
static void fuzz_run(tg_framing *framing, const uint8_t *data, size_t size, bool online)
{
    uint8_t *rx = FUZZ_BUFFER(0, 128);
    uint8_t *tx = FUZZ_BUFFER(1, 160);
    uint8_t *ring = FUZZ_BUFFER(2, 256);
    tg_client client;
    tg_config config;
    unsigned polls;
    memset(&config, 0, sizeof config);
    config.port = &fuzz_port;
    config.framing = framing;
    config.rx = rx;
    config.tx = tx;
    config.ring = ring;
    config.rx_bytes = 128;
    config.tx_bytes = 160;
    config.ring_bytes = 256;
    config.device_id.ptr = (const uint8_t *)"fuzz";
    config.device_id.len = 4;
    config.on_command = fuzz_command;
    fuzz_now = 1000;
    fuzz_left = 0;
    if (tg_init(&client, &config) != TG_OK) abort();
    (void)tg_poll(&client);
    (void)tg_poll(&client);
    if (online) {
        client.phase = TG_ONLINE;
        client.flags |= TG_READY;
        client.rx_phase = 1; /* a WebSocket: past the upgrade */
        client.heartbeat = 44;
        client.window = 8;
        client.epoch = 1;
    }
    fuzz_at = data;
    fuzz_left = size;
    for (polls = 0; polls < 4096u && fuzz_left > 0 && client.phase >= TG_GREETING; polls++) {
        uint8_t scratch[32];
        tg_writer w;
        if ((polls & 7u) == 7u) {
            (void)tg_telemetry_begin(&client, &w, scratch, sizeof scratch);
            (void)tg_put_i32(&w, 1, (int32_t)polls);
            (void)tg_telemetry_end(&client, &w);
        }
        (void)tg_poll(&client);
        if (client.acked > client.tx_high || client.cursor > client.tx_high || client.tx_high >= client.next_seq) abort();
    }
    FUZZ_FREE(rx);
    FUZZ_FREE(tx);
    FUZZ_FREE(ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
