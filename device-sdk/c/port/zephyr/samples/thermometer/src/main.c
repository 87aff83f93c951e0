/* main.c -- a thermometer on Zephyr over wss, on whatever network interface comes up.
 *
 *   reports  temperature  once a second; made up until you put your sensor into read_sensor()
 *   obeys    led          {"on":true} or {"on":false}: the log says what it would switch
 *
 * secrets.h is made by hardware/flash/credential-header.mjs from what `tidegate device add` prints.
 */
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "secrets.h"
#include "tg.h"
#include "tg_zephyr.h"

LOG_MODULE_REGISTER(thermometer, LOG_LEVEL_INF);

#define INTERVAL_MS 1000u

enum { TEMPERATURE = 1, SET_LED = 1 };

static uint8_t rx[1024], tx[1024], ring[8192], catalog[128];
static tg_client client;
static tg_config config;
static tg_wss gateway_link;
static tg_port port;

static float read_sensor(uint32_t count)
{
    return 20.0f + (float)(count % 50u) * 0.1f;
}

static tg_state on_command(tg_client *c, const tg_command *command)
{
    (void)c;
    if (!tg_command_is(command, SET_LED, "led")) return TG_UNSUPPORTED;
    LOG_INF("led: %u bytes of arguments", (unsigned)command->args.len);
    return TG_SUCCEEDED;
}

static void on_event(tg_client *c, tg_event event, uint32_t arg)
{
    (void)c;
    if (event == TG_EVENT_ONLINE) LOG_INF("online");
    if (event == TG_EVENT_OFFLINE) {
        const int error = tg_wss_get_stats(&gateway_link)->last_error;
        LOG_WRN("offline, reason %u, mbedTLS -0x%04x; it tries again by itself", (unsigned)arg, (unsigned)-error);
    }
    if (event == TG_EVENT_REFUSED) LOG_ERR("refused, reason %u: look at id, token and CA", (unsigned)arg);
}

static tg_span span(const char *text)
{
    tg_span s;
    s.ptr = (const uint8_t *)text;
    s.len = (uint16_t)strlen(text);
    return s;
}

static tg_span make_catalog(void)
{
    tg_signal temperature;
    tg_command_spec led;
    tg_writer writer;
    memset(&temperature, 0, sizeof temperature);
    memset(&led, 0, sizeof led);
    temperature.id = TEMPERATURE;
    temperature.key = "temperature";
    temperature.type = TG_FLOAT;
    temperature.unit = "\xC2\xB0" "C";
    led.code = SET_LED;
    led.name = "led";
    (void)tg_catalog_begin(&writer, catalog, sizeof catalog);
    (void)tg_catalog_signal(&writer, &temperature);
    (void)tg_catalog_command(&writer, &led);
    return tg_catalog_end(&writer);
}

static bool start(void)
{
    static tg_wss_config link_config;
    link_config.platform = &tg_zephyr_platform;
    link_config.host = TIDEGATE_HOST;
    link_config.service = TIDEGATE_PORT;
    link_config.ca_pem = TIDEGATE_CA;
    link_config.fragment = TG_WSS_FRAGMENT;
    if (tg_wss_init(&gateway_link, &link_config, &port) != TG_OK) return false;
    config.port = &port;
    config.framing = tg_websocket_framing;
    config.rx = rx;
    config.rx_bytes = sizeof rx;
    config.tx = tx;
    config.tx_bytes = sizeof tx;
    config.ring = ring;
    config.ring_bytes = sizeof ring;
    config.device_id = span(TIDEGATE_ID);
    config.token = span(TIDEGATE_TOKEN);
    config.host = span(TG_GATEWAY_NAME);
    config.firmware = span("thermometer " TG_VERSION);
    config.model = span(CONFIG_BOARD);
    config.catalog = make_catalog();
    config.send_catalog = tg_send_catalog;
    config.on_command = on_command;
    config.on_event = on_event;
    return tg_init(&client, &config) == TG_OK;
}

static void report(uint32_t count)
{
    uint8_t scratch[48];
    tg_writer writer;
    (void)tg_telemetry_begin(&client, &writer, scratch, sizeof scratch);
    (void)tg_put_f32(&writer, TEMPERATURE, read_sensor(count));
    if (tg_telemetry_end(&client, &writer) != TG_OK) LOG_WRN("a reading was not queued");
}

int main(void)
{
    uint32_t last_ms = k_uptime_get_32();
    uint32_t count = 0;
    if (!start()) {
        LOG_ERR("did not start: a buffer is too small, or the CA in secrets.h is none");
        return 0;
    }
    for (;;) {
        const uint32_t age_ms = k_uptime_get_32() - last_ms;
        uint32_t wait_ms = tg_poll(&client);
        if (age_ms >= INTERVAL_MS) {
            last_ms += INTERVAL_MS;
            report(++count);
            continue;
        }
        if (wait_ms > INTERVAL_MS - age_ms) wait_ms = INTERVAL_MS - age_ms;
        tg_wss_wait(&gateway_link, wait_ms);
    }
}
