/* app.c -- the smallest applications that use a profile of the SDK; c-size.mjs links them and counts what of the SDK
 * ends up in flash.  -DFRAMING=tg_serial_framing | tg_websocket_framing   -DCATALOG for the catalog as well. */
#include "tg.h"

static volatile uint8_t board;

static int16_t up(void *ctx) { (void)ctx; return 1; }
static int16_t put(void *ctx, const uint8_t *p, uint16_t n) { (void)ctx; board = p[0]; return (int16_t)n; }
static int16_t get(void *ctx, uint8_t *p, uint16_t n) { (void)ctx; p[0] = board; return (int16_t)(n > 0); }
static void down(void *ctx) { (void)ctx; }
static uint32_t number(void *ctx) { (void)ctx; return board; }

static const tg_port port = {up, put, get, down, number, number, NULL};
static uint8_t rx[96], tx[160], ring[384];

static tg_state command(tg_client *c, const tg_command *k)
{
    return tg_reply(c, k->id, TG_SUCCEEDED, k->args) == TG_OK ? TG_RECEIVED : TG_FAILED;
}

static const tg_config config = {
    .port = &port, .framing = FRAMING, .rx = rx, .tx = tx, .ring = ring,
    .rx_bytes = sizeof rx, .tx_bytes = sizeof tx, .ring_bytes = sizeof ring,
    .device_id = {(const uint8_t *)"size-1", 6}, .on_command = command,
#ifdef CATALOG
    .catalog = {(const uint8_t *)"catalog", 7}, .send_catalog = tg_send_catalog,
#endif
};

tg_client client;

int main(void)
{
    (void)tg_init(&client, &config);
    for (;;) {
        uint8_t scratch[32];
        tg_writer w;
        if (tg_poll(&client) == 0) continue;
        (void)tg_telemetry_begin(&client, &w, scratch, sizeof scratch);
        (void)tg_put_f32(&w, 1, (float)board);
        (void)tg_telemetry_end(&client, &w);
    }
}
