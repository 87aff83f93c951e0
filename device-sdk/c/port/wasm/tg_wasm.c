/* tg_wasm.c -- one device as a WebAssembly module: the same C that runs on a board, inside a program of yours.
 *
 *   host (JavaScript ...)                        module, one instance per device
 *     tg_wasm_io() -> address of 4 KB  ------>   texts and payloads are written there, then named by length
 *     tg_wasm_poll() ------------------------>   tg_poll()
 *        tg.open send recv close now_ms entropy  <------  the port, called during a poll
 *        tg.command tg.event                     <------  the application
 *
 * Every instance has a memory of its own, so one static device is all a module needs; a fleet is many instances. Nothing
 * reaches the outside but through the imports: with a simulated clock and line the device is deterministic.
 */
#include <string.h>

#include "../../include/tg.h"

#define IMPORT(name) __attribute__((import_module("tg"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

/* The host's side of the port, and the application. Addresses are offsets into the module's memory, valid during the
 * call. Return values and meanings as in tg_port.h. */
IMPORT("open") int32_t host_open(void);
IMPORT("send") int32_t host_send(const uint8_t *p, uint32_t n);
IMPORT("recv") int32_t host_recv(uint8_t *p, uint32_t cap);
IMPORT("close") void host_close(void);
IMPORT("now_ms") uint32_t host_now_ms(void);
IMPORT("entropy") uint32_t host_entropy(void);
/* `about` is the whole command; its fields are u32 words: id, code, name, name bytes, args, args bytes, deadline_ms,
 * at_most_once. Returns a tg_state. */
IMPORT("command") int32_t host_command(const uint32_t *about);
IMPORT("event") void host_event(uint32_t event, uint32_t arg);

enum { TEXTS = 6, IO_BYTES = 4096, TEXT_BYTES = 4096, RX_BYTES = 2048, TX_BYTES = 2048, RING_BYTES = 32768 };

static tg_client client;
static tg_config config;
static tg_writer writer;
static uint8_t io[IO_BYTES];
static uint8_t texts[TEXT_BYTES];
static uint16_t texts_used;
static uint8_t rx[RX_BYTES];
static uint8_t tx[TX_BYTES];
static uint8_t ring[RING_BYTES];
static uint8_t scratch[1024];

static int16_t port_open(void *ctx) { (void)ctx; return (int16_t)host_open(); }
static int16_t port_send(void *ctx, const uint8_t *p, uint16_t n) { (void)ctx; return (int16_t)host_send(p, n); }
static int16_t port_recv(void *ctx, uint8_t *p, uint16_t cap) { (void)ctx; return (int16_t)host_recv(p, cap); }
static void port_close(void *ctx) { (void)ctx; host_close(); }
static uint32_t port_now_ms(void *ctx) { (void)ctx; return host_now_ms(); }
static uint32_t port_entropy(void *ctx) { (void)ctx; return host_entropy(); }

static const tg_port port = {port_open, port_send, port_recv, port_close, port_now_ms, port_entropy, NULL};

static uint32_t address(const uint8_t *p)
{
    return (uint32_t)(uintptr_t)p;
}

static tg_state on_command(tg_client *c, const tg_command *k)
{
    const uint32_t about[] = {k->id,           k->code,     address(k->name.ptr), k->name.len, address(k->args.ptr),
                              k->args.len, k->deadline_ms, k->at_most_once};
    (void)c;
    return (tg_state)host_command(about);
}

static void on_event(tg_client *c, tg_event event, uint32_t arg)
{
    (void)c;
    host_event((uint32_t)event, arg);
}

/* Where the host puts bytes for the next call, IO_BYTES of them. */
EXPORT("tg_wasm_io") uint8_t *tg_wasm_io(void)
{
    return io;
}

/* Takes the first `n` bytes of io as a text of the configuration, before tg_wasm_init(): 0 device id, 1 token, 2 host,
 * 3 firmware, 4 model, 5 catalog (the encoded entries). Returns TG_OK, TG_ERR_ARG or TG_ERR_NO_SPACE. */
EXPORT("tg_wasm_text") int32_t tg_wasm_text(uint32_t which, uint32_t n)
{
    tg_span *const spans[TEXTS] = {&config.device_id, &config.token, &config.host,
                                   &config.firmware,  &config.model, &config.catalog};
    if (which >= TEXTS || n > IO_BYTES) return TG_ERR_ARG;
    if (n > (uint32_t)(TEXT_BYTES - texts_used)) return TG_ERR_NO_SPACE;
    memcpy(texts + texts_used, io, n);
    spans[which]->ptr = texts + texts_used;
    spans[which]->len = (uint16_t)n;
    texts_used = (uint16_t)(texts_used + n);
    return TG_OK;
}

/* tg_init(). `websocket` 0: a serial line. Sizes in bytes, 0: as large as there is. Returns as tg_init(), and
 * TG_ERR_ARG for sizes above the module's own: rx and tx 2,048, ring 32,768. */
EXPORT("tg_wasm_init")
int32_t tg_wasm_init(uint32_t websocket, uint32_t rx_bytes, uint32_t tx_bytes, uint32_t ring_bytes, uint32_t update_bytes)
{
    if (rx_bytes > RX_BYTES || tx_bytes > TX_BYTES || ring_bytes > RING_BYTES || update_bytes > RING_BYTES) {
        return TG_ERR_ARG;
    }
    config.port = &port;
    config.framing = websocket != 0 ? tg_websocket_framing : tg_serial_framing;
    config.rx = rx;
    config.rx_bytes = rx_bytes != 0 ? (uint16_t)rx_bytes : RX_BYTES;
    config.tx = tx;
    config.tx_bytes = tx_bytes != 0 ? (uint16_t)tx_bytes : TX_BYTES;
    config.ring = ring;
    config.ring_bytes = ring_bytes != 0 ? (uint16_t)ring_bytes : RING_BYTES;
    config.update_bytes = (uint16_t)update_bytes;
    config.send_catalog = config.catalog.len > 0 ? tg_send_catalog : NULL;
    config.on_command = on_command;
    config.on_event = on_event;
    return tg_init(&client, &config);
}

/* The calls of tg_client.h on this module's device. */
EXPORT("tg_wasm_poll") uint32_t tg_wasm_poll(void) { return tg_poll(&client); }
EXPORT("tg_wasm_start") void tg_wasm_start(void) { tg_start(&client); }
EXPORT("tg_wasm_stop") void tg_wasm_stop(uint32_t reason) { tg_stop(&client, (tg_reason)reason); }
EXPORT("tg_wasm_phase") uint32_t tg_wasm_phase(void) { return (uint32_t)tg_get_phase(&client); }
EXPORT("tg_wasm_held") uint32_t tg_wasm_held(void) { return tg_held(&client); }

/* tg_reply() with the first `n` bytes of io as the result. */
EXPORT("tg_wasm_reply") int32_t tg_wasm_reply(uint32_t id, uint32_t state, uint32_t n)
{
    const tg_span result = {io, (uint16_t)n};
    return n > IO_BYTES ? TG_ERR_ARG : tg_reply(&client, id, (tg_state)state, result);
}

/* A message of readings: begin, any number of puts, end. Returns as in tg_telemetry.h. */
EXPORT("tg_wasm_begin") int32_t tg_wasm_begin(void)
{
    return tg_telemetry_begin(&client, &writer, scratch, sizeof scratch);
}
EXPORT("tg_wasm_i32") int32_t tg_wasm_i32(uint32_t signal, int32_t v) { return tg_put_i32(&writer, (uint8_t)signal, v); }
EXPORT("tg_wasm_f32") int32_t tg_wasm_f32(uint32_t signal, float v) { return tg_put_f32(&writer, (uint8_t)signal, v); }
EXPORT("tg_wasm_end") int32_t tg_wasm_end(void) { return tg_telemetry_end(&client, &writer); }

/* tg_log() with the first `n` bytes of io as the line. */
EXPORT("tg_wasm_log") int32_t tg_wasm_log(uint32_t level, uint32_t n)
{
    const tg_log_line line = {(uint8_t)level, {io, (uint16_t)n}};
    return n > IO_BYTES ? TG_ERR_ARG : tg_log(&client, &line, scratch, sizeof scratch);
}

/* A counter of tg_stats: 0 sent, 1 acked, 2 dropped, 3 rx_bad, 4 sessions, 5 commands, 6 deferred. */
EXPORT("tg_wasm_stat") uint32_t tg_wasm_stat(uint32_t which)
{
    const tg_stats *s = tg_get_stats(&client);
    const uint32_t all[] = {s->sent, s->acked, s->dropped, s->rx_bad, s->sessions, s->commands, s->deferred};
    return which < sizeof all / sizeof all[0] ? all[which] : 0;
}

/* The rest of the C library the SDK needs; see include/string.h. */
int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a;
    const uint8_t *y = b;
    for (; n > 0; n--, x++, y++) {
        if (*x != *y) return *x < *y ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *s)
{
    const volatile char *p = s;
    while (*p != 0) p++;
    return (size_t)(p - s);
}
