/* demo.c -- the demo application, one for all boards: a temperature and a counter up, two commands down.
 *
 *   1 led  {"on":true}   sets the reported LED          2 echo   returns its arguments
 *
 * `executed` counts the commands that ran: beside the gateway's records it shows that none ran twice.
 */
#include <string.h>

#include "board.h"

#if defined(__AVR__)
#include <avr/pgmspace.h>
#define IN_FLASH PROGMEM
#define FLASH_COPY memcpy_P
#else
#define IN_FLASH
#define FLASH_COPY memcpy
#endif

enum { TEMPERATURE = 1, COUNT = 2, LED = 3, EXECUTED = 4, COMMAND_LED = 1, COMMAND_ECHO = 2 };

/* What fits an ATmega328P; a WebSocket needs more of the first. */
#ifndef DEMO_RX_BYTES
#define DEMO_RX_BYTES 96u
#endif
#ifndef DEMO_TX_BYTES
#define DEMO_TX_BYTES 176u
#endif
#ifndef DEMO_RING_BYTES
#define DEMO_RING_BYTES 384u
#endif

static uint8_t rx[DEMO_RX_BYTES];
static uint8_t tx[DEMO_TX_BYTES];
static uint8_t ring[DEMO_RING_BYTES];
static board_identity identity;
static tg_client client;
static tg_config config;
static bool led;
static uint16_t executed;
static uint32_t random_state;

/* The catalog, encoded by hand: four signals and two commands are shorter so than the code that would write them.
 * Signal {1: id, 2: key, 4: type, 5: unit, 7: kind}, CommandSpec {1: code, 2: name}. */
static const uint8_t catalog[] IN_FLASH = {
    0x22, 24, 0x08, 1, 0x12, 11, 't', 'e', 'm', 'p', 'e', 'r', 'a', 't', 'u', 'r', 'e', 0x20, 4, 0x2A, 3, 0xC2, 0xB0, 'C', 0x38, 1,
    0x22, 13, 0x08, 2, 0x12, 5, 'c', 'o', 'u', 'n', 't', 0x20, 2, 0x38, 3,
    0x22, 11, 0x08, 3, 0x12, 3, 'l', 'e', 'd', 0x20, 1, 0x38, 4,
    0x22, 16, 0x08, 4, 0x12, 8, 'e', 'x', 'e', 'c', 'u', 't', 'e', 'd', 0x20, 2, 0x38, 3,
    0x2A, 7, 0x08, 1, 0x12, 3, 'l', 'e', 'd',
    0x2A, 8, 0x08, 2, 0x12, 4, 'e', 'c', 'h', 'o',
};

static uint32_t entropy(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static tg_state on_command(tg_client *c, const tg_command *command)
{
    if (tg_command_is(command, COMMAND_ECHO, "echo")) {
        executed++;
        return tg_reply(c, command->id, TG_SUCCEEDED, command->args) == TG_OK ? TG_RECEIVED : TG_FAILED;
    }
    if (!tg_command_is(command, COMMAND_LED, "led")) return TG_UNSUPPORTED;
    executed++;
    led = command->args.len > 7 && command->args.ptr[6] == 't'; /* {"on":true} */
    return TG_SUCCEEDED;
}

static void on_event(tg_client *c, tg_event event, uint32_t arg)
{
    (void)c;
    board_event(event, arg);
}

static tg_span span(const char *text)
{
    tg_span s;
    s.ptr = (const uint8_t *)text;
    s.len = (uint16_t)strlen(text);
    return s;
}

static void report(uint32_t now_ms, uint32_t count)
{
    uint8_t scratch[48];
    tg_writer w;
    (void)tg_telemetry_begin(&client, &w, scratch, sizeof scratch);
    (void)tg_put_f32(&w, TEMPERATURE, board_temperature(now_ms));
    (void)tg_put_i32(&w, COUNT, (int32_t)count);
    if (count % 16u == 1u) {
        (void)tg_put_bool(&w, LED, led);
        (void)tg_put_i32(&w, EXECUTED, (int32_t)executed);
    }
    (void)tg_telemetry_end(&client, &w);
}

void demo_run(const char *model, uint32_t interval_ms)
{
    uint32_t last_ms = 0;
    uint32_t count = 0;
    strcpy(identity.id, model);
    board_read_identity(&identity);
    random_state = identity.seed | 1u;
    if (identity.interval_ms != 0 && identity.interval_ms != 0xFFFFFFFFu) interval_ms = identity.interval_ms;
    board_link(&config, entropy);
    config.rx = rx;
    config.tx = tx;
    config.ring = ring;
    config.rx_bytes = sizeof rx;
    config.tx_bytes = sizeof tx;
    config.ring_bytes = sizeof ring;
    config.device_id = span(identity.id);
    config.token = span(identity.token);
    config.model = span(model);
    config.catalog.ptr = catalog;
    config.catalog.len = sizeof catalog;
    config.catalog_copy = FLASH_COPY;
    config.send_catalog = tg_send_catalog;
    config.on_command = on_command;
    config.on_event = on_event;
    if (tg_init(&client, &config) != TG_OK) last_ms = 0; /* sizes are fixed above: it cannot fail but on a long token */
    for (;;) {
        const uint32_t now_ms = board_now_ms();
        if (now_ms - last_ms >= interval_ms) {
            last_ms = now_ms;
            report(now_ms, ++count);
        }
        board_rest(tg_poll(&client) != 0);
    }
}
