/* demo.c -- the demo application, one for all boards: a temperature and a counter up, two commands down.
 *
 *   1 led  {"on":true}   sets the reported LED          2 echo   returns its arguments
 *
 * `executed` counts the commands that ran: beside the gateway's records it shows that none ran twice. Everything is
 * static, and the temperature a scaled integer: on an ATmega328P the whole image has 8 KB of flash and 1 KB of RAM.
 */
#include "board.h"
#include "painted.h"

#if defined(__AVR__)
#include <avr/pgmspace.h>
#define IN_FLASH PROGMEM
#define FLASH_COPY copy_from_flash
#define NOT_CLEARED __attribute__((section(".noinit")))
#else
#define IN_FLASH
#define FLASH_COPY NULL
#define NOT_CLEARED
#endif

enum { TEMPERATURE = 1, COUNT = 2, LED = 3, EXECUTED = 4, COMMAND_LED = 1, COMMAND_ECHO = 2 };

/* What fits an ATmega328P; a WebSocket needs more of the first. tx: a Hello with the gateway's tokens of 46 characters,
 * an id of 31, and a model if there is room. */
#ifndef DEMO_RX_BYTES
#define DEMO_RX_BYTES 80u
#endif
#ifndef DEMO_TX_BYTES
#define DEMO_TX_BYTES 172u
#endif
#ifndef DEMO_RING_BYTES
#define DEMO_RING_BYTES 384u
#endif
#define SCRATCH_BYTES 48u

#ifndef INTERVAL_MS
#define INTERVAL_MS 1000u
#endif

/* The catalog, encoded by hand: four signals and two commands are shorter so than the code that would write them.
 * Signal {1: id, 2: key, 4: type, 5: unit, 7: kind, 8: scale, zigzag}, CommandSpec {1: code, 2: name}. */
static const uint8_t catalog[] IN_FLASH = {
    0x22, 26, 0x08, 1, 0x12, 11, 't', 'e', 'm', 'p', 'e', 'r', 'a', 't', 'u', 'r', 'e', 0x20, 2, 0x2A, 3, 0xC2, 0xB0, 'C',
    0x38, 1, 0x40, 3,
    0x22, 13, 0x08, 2, 0x12, 5, 'c', 'o', 'u', 'n', 't', 0x20, 2, 0x38, 3,
    0x22, 11, 0x08, 3, 0x12, 3, 'l', 'e', 'd', 0x20, 1, 0x38, 4,
    0x22, 16, 0x08, 4, 0x12, 8, 'e', 'x', 'e', 'c', 'u', 't', 'e', 'd', 0x20, 2, 0x38, 3,
    0x2A, 7, 0x08, 1, 0x12, 3, 'l', 'e', 'd',
    0x2A, 8, 0x08, 2, 0x12, 4, 'e', 'c', 'h', 'o',
};
static const uint8_t model[sizeof BOARD_MODEL - 1u] = BOARD_MODEL;

static tg_state on_command(tg_client *client, const tg_command *command);

#if defined(__AVR__)
/* memcpy_P for what is shorter than 256 bytes. A poll that sends the catalog spends a fifth of its time here, and the
 * compiler does not find the load that moves its pointer on. */
static void *copy_from_flash(void *to, const void *from, size_t n)
{
    register const uint8_t *next __asm("r30") = from;
    uint8_t *at = to;
    uint8_t left = (uint8_t)n;
    uint8_t byte;
    if (left == 0) return to;
    do {
        __asm volatile("lpm %0, %a1+" : "=r"(byte), "+z"(next));
        *at++ = byte;
    } while (--left != 0);
    return to;
}
#endif

static uint8_t rx[DEMO_RX_BYTES];
static uint8_t tx[DEMO_TX_BYTES];
static uint8_t ring[DEMO_RING_BYTES];
static tg_client client;
static tg_config config = {
    .port = &board_port, .framing = BOARD_FRAMING,
    .rx = rx, .tx = tx, .ring = ring, .rx_bytes = sizeof rx, .tx_bytes = sizeof tx, .ring_bytes = sizeof ring,
    .device_id = {model, sizeof model}, .model = {model, sizeof model},
    .catalog = {catalog, sizeof catalog}, .catalog_copy = FLASH_COPY, .send_catalog = tg_send_catalog,
    .on_command = on_command,
};
static uint16_t values[4]; /* of the signals, from 1 */
#define VALUE(signal) values[(signal) - 1]
/* What the last boot, or the power switch, left in it makes two boots with one seed differ. */
static uint32_t random_state NOT_CLEARED;

uint32_t demo_entropy(void *ctx)
{
    (void)ctx;
    random_state = (random_state << 8 | random_state >> 24) + 0x9E3779B9u;
    return random_state;
}

void demo_stir(uint32_t bits)
{
    random_state ^= bits;
}

static tg_state on_command(tg_client *c, const tg_command *command)
{
    const bool is_echo = tg_command_is(command, COMMAND_ECHO, "echo");
    if (!is_echo && !tg_command_is(command, COMMAND_LED, "led")) return TG_UNSUPPORTED;
    VALUE(EXECUTED)++;
    if (is_echo) return tg_reply(c, command->id, TG_SUCCEEDED, command->args) == TG_OK ? TG_RECEIVED : TG_FAILED;
    VALUE(LED) = command->args.len > 7 && command->args.ptr[6] == 't'; /* {"on":true} */
    return TG_SUCCEEDED;
}

/* The temperature rises by 0.02 degrees with each report, and then falls back. */
static void report(void)
{
    uint8_t scratch[SCRATCH_BYTES];
    tg_writer w;
    const uint8_t count = (uint8_t)++VALUE(COUNT);
    const uint8_t last = count % 16u == 1u ? EXECUTED : COUNT;
    uint8_t i;
    VALUE(TEMPERATURE) = BOARD_DEGREES * 100u + 2u * count;
    (void)tg_telemetry_begin(&client, &w, scratch, sizeof scratch);
    for (i = 0; i < last; i++) (void)tg_put_i32(&w, (uint8_t)(i + 1u), values[i]);
    (void)tg_telemetry_end(&client, &w);
}

void demo_run(void)
{
    uint32_t interval_ms = board_start(&config);
    uint32_t last_ms = 0;
    if (interval_ms + 1u <= 1u) interval_ms = INTERVAL_MS;
    while (tg_init(&client, &config) != TG_OK) config.model.len = 0; /* the id is long: Hello has no room for both */
    for (;;) {
        const uint32_t now_ms = board_now_ms(NULL);
        if (now_ms - last_ms >= interval_ms) {
            last_ms = now_ms;
            report();
        }
        board_rest(DEMO_POLL(&client) != 0);
    }
}
