/* demo.c -- the demo application, one for all boards: a temperature and a counter up, two commands down.
 *
 *   1 led  {"on":true}   sets the reported LED          2 echo   returns its arguments
 *
 * `executed` counts the commands that ran: beside the gateway's records it shows that none ran twice.
 */
#include <string.h>

#include "../../../device-sdk/c/include/tg.h"
#include "board.h"

enum { TEMPERATURE = 1, COUNT = 2, LED = 3, EXECUTED = 4, COMMAND_LED = 1, COMMAND_ECHO = 2 };

static uint8_t rx[96];
static uint8_t tx[176];
static uint8_t ring[384];
static board_identity identity;
static tg_client client;
static tg_port port;
static tg_config config;
static bool led;
static uint16_t executed;
static uint32_t random_state;

/* The catalog, encoded by hand: four signals and two commands are shorter so than the code that would write them.
 * Signal {1: id, 2: key, 4: type, 5: unit, 7: kind}, CommandSpec {1: code, 2: name}. */
static const uint8_t catalog[] = {
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
    board_uart.entropy = entropy;
    tg_uart_port(&board_uart, &port);
    config.port = &port;
    config.framing = tg_serial_framing;
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
    config.send_catalog = tg_send_catalog;
    config.on_command = on_command;
    if (tg_init(&client, &config) != TG_OK) last_ms = 0; /* sizes are fixed above: it cannot fail but on a long token */
    for (;;) {
        const uint32_t now_ms = board_uart.now_ms();
        if (now_ms - last_ms >= interval_ms) {
            last_ms = now_ms;
            report(now_ms, ++count);
        }
        if (tg_poll(&client) != 0 && !tg_uart_waiting(&board_uart)) board_sleep();
    }
}
