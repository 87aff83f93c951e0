/*
 * The device of a rehearsal in the C edition: it obeys one command, and writes down each time that it did.
 *
 *   actor ID HOST PORT EFFECTS [STORE]          the token: TIDEGATE_TOKEN
 *
 *   Command {"n":7} ─▶ tg_client ─▶ on_command ─▶ one byte of STEPS ─▶ "7\n" appended to EFFECTS: the effect itself
 *                                                                 └─▶ the answer, sent again until it is acked
 *   STORE   a file in the place of flash: what is held, the epoch and the last command survive the process
 *
 * Over plain WebSocket on loopback. A test tool: nothing of the product is built from it.
 */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../device-sdk/c/include/tg.h"
#include "../../device-sdk/c/include/tg_store.h"
#include "../../device-sdk/c/port/posix/tg_posix.h"

enum { SLOTS = 4, RING_BYTES = 4096, SLOT_BYTES = 8192, WAIT_MS_MAX = 20, COMMAND_ACT = 1 };

static int effects_fd = -1;
static int store_fd = -1;

static int16_t store_read(void *ctx, uint32_t at, uint8_t *to, uint16_t n)
{
    const ssize_t got = pread(store_fd, to, n, (off_t)at);
    (void)ctx;
    if (got < 0) return -1;
    memset(to + got, 0xff, (size_t)(n - got)); /* flash that was never written */
    return 0;
}

static int16_t store_write(void *ctx, uint32_t at, const uint8_t *from, uint16_t n)
{
    (void)ctx;
    if (pwrite(store_fd, from, n, (off_t)at) != (ssize_t)n) return -1;
    return (int16_t)fdatasync(store_fd);
}

static int16_t store_erase(void *ctx, uint32_t at, uint32_t n)
{
    static uint8_t blank[SLOT_BYTES];
    (void)ctx;
    memset(blank, 0xff, sizeof blank);
    return pwrite(store_fd, blank, n, (off_t)at) == (ssize_t)n ? 0 : -1;
}

static tg_state on_command(tg_client *client, const tg_command *command)
{
    char line[24];
    const char *const digits = (const char *)command->args.ptr + 5; /* behind {"n": */
    const int length = command->args.len > 5 ? snprintf(line, sizeof line, "%d\n", atoi(digits)) : 0;
    (void)client;
    if (!tg_command_is(command, COMMAND_ACT, "act")) return TG_UNSUPPORTED;
    if (length <= 0 || write(effects_fd, line, (size_t)length) != length) return TG_FAILED;
    return TG_SUCCEEDED;
}

static tg_span span(const char *text)
{
    tg_span s;
    s.ptr = (const uint8_t *)text;
    s.len = (uint16_t)strlen(text);
    return s;
}

static tg_span catalog(uint8_t *buffer, uint16_t cap)
{
    const tg_command_spec act = {COMMAND_ACT, "act", false, "{\"n\":1}"};
    tg_writer w;
    (void)tg_catalog_begin(&w, buffer, cap);
    (void)tg_catalog_command(&w, &act);
    return tg_catalog_end(&w);
}

int main(int argc, char **argv)
{
    static uint8_t rx[1024], tx[1024], ring[RING_BYTES], catalog_bytes[128];
    static tg_client client;
    static tg_store store = {.read = store_read, .write = store_write, .erase = store_erase, .slots = SLOTS};
    const char *token = getenv("TIDEGATE_TOKEN");
    tg_config config;
    tg_posix link;
    tg_port port;
    if (argc < 5 || token == NULL) return 2;
    effects_fd = open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (argc > 5) store_fd = open(argv[5], O_RDWR | O_CREAT, 0600);
    if (effects_fd < 0 || (argc > 5 && store_fd < 0)) return 1;
    store.slot_bytes = SLOT_BYTES;
    tg_posix_tcp(&link, argv[2], argv[3]);
    tg_posix_port(&link, &port);
    memset(&config, 0, sizeof config);
    config.port = &port;
    config.framing = tg_websocket_framing;
    config.rx = rx;
    config.tx = tx;
    config.ring = ring;
    config.rx_bytes = sizeof rx;
    config.tx_bytes = sizeof tx;
    config.ring_bytes = sizeof ring;
    config.device_id = span(argv[1]);
    config.token = span(token);
    config.host = span("gateway.tidegate.internal");
    config.model = span("rehearsal-actor");
    config.catalog = catalog(catalog_bytes, sizeof catalog_bytes);
    config.send_catalog = tg_send_catalog;
    config.on_command = on_command;
    config.store = store_fd < 0 ? NULL : &store;
    if (tg_init(&client, &config) != TG_OK) return 1;
    if (store_fd >= 0 && tg_load(&client) != TG_OK) return 1;
    for (;;) {
        const uint32_t wait_ms = tg_poll(&client);
        tg_posix_wait(&link, wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX);
    }
}
