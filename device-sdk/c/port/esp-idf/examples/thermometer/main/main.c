/* main.c -- a thermometer on an ESP32 over Wi-Fi and wss.
 *
 *   reports  temperature  once a second; made up until you put your sensor into read_sensor()
 *   obeys    led          {"on":true} or {"on":false}: the log says what it would switch
 *
 * secrets.h is made by hardware/flash/credential-header.mjs from what `tidegate device add` prints.
 */
#include <string.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "secrets.h"
#include "tg.h"
#include "tg_esp.h"
#include "wifi.h"

#define INTERVAL_MS 1000u
#define STACK_BYTES 8192

enum { TEMPERATURE = 1, SET_LED = 1 };

static const char TAG[] = "thermometer";
static tg_wss gateway_link;

static float read_sensor(uint32_t count)
{
    return 20.0f + (float)(count % 50u) * 0.1f;
}

static tg_state on_command(tg_client *client, const tg_command *command)
{
    (void)client;
    if (!tg_command_is(command, SET_LED, "led")) return TG_UNSUPPORTED;
    ESP_LOGI(TAG, "led: %.*s", (int)command->args.len, (const char *)command->args.ptr);
    return TG_SUCCEEDED;
}

static void on_event(tg_client *client, tg_event event, uint32_t arg)
{
    (void)client;
    if (event == TG_EVENT_ONLINE) ESP_LOGI(TAG, "online");
    if (event == TG_EVENT_OFFLINE) {
        const int error = tg_wss_get_stats(&gateway_link)->last_error;
        ESP_LOGW(TAG, "offline, reason %u, mbedTLS -0x%04x; it tries again by itself", (unsigned)arg, (unsigned)-error);
    }
    if (event == TG_EVENT_REFUSED) ESP_LOGE(TAG, "refused, reason %u: id, token or CA are not its own", (unsigned)arg);
}

static tg_span span(const char *text)
{
    tg_span s;
    s.ptr = (const uint8_t *)text;
    s.len = (uint16_t)strlen(text);
    return s;
}

static tg_span make_catalog(uint8_t *bytes, uint16_t cap)
{
    const tg_signal temperature = {
        TEMPERATURE, "temperature", NULL, TG_FLOAT, "\xC2\xB0" "C", "temperature", TG_MEASUREMENT, 0, INTERVAL_MS};
    const tg_command_spec led = {SET_LED, "led", false, "{\"on\":true}"};
    tg_writer writer;
    (void)tg_catalog_begin(&writer, bytes, cap);
    (void)tg_catalog_signal(&writer, &temperature);
    (void)tg_catalog_command(&writer, &led);
    return tg_catalog_end(&writer);
}

static void report(tg_client *client, uint32_t count)
{
    uint8_t scratch[48];
    tg_writer writer;
    (void)tg_telemetry_begin(client, &writer, scratch, sizeof scratch);
    (void)tg_put_f32(&writer, TEMPERATURE, read_sensor(count));
    if (tg_telemetry_end(client, &writer) != TG_OK) ESP_LOGW(TAG, "a reading was not queued");
}

/* Everything of the SDK happens in this task. */
static void run(void *arg)
{
    static const tg_wss_config link_config = {
        &tg_esp_platform, TIDEGATE_HOST, TIDEGATE_PORT, TIDEGATE_CA, NULL, TG_WSS_FRAGMENT, false};
    static uint8_t rx[1024], tx[1024], ring[16384], catalog[128];
    static tg_client client;
    static tg_config config;
    static tg_port port;
    uint32_t last_ms;
    uint32_t count = 0;
    (void)arg;
    if (tg_wss_init(&gateway_link, &link_config, &port) != TG_OK) {
        const int error = tg_wss_get_stats(&gateway_link)->last_error;
        ESP_LOGE(TAG, "the link did not start: mbedTLS says -0x%04x", (unsigned)-error);
        vTaskDelete(NULL);
    }
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
    config.model = span("esp32");
    config.catalog = make_catalog(catalog, sizeof catalog);
    config.send_catalog = tg_send_catalog;
    config.on_command = on_command;
    config.on_event = on_event;
    if (tg_init(&client, &config) != TG_OK) {
        ESP_LOGE(TAG, "the client did not start: a buffer is too small for id, token or catalog");
        vTaskDelete(NULL);
    }
    last_ms = port.now_ms(port.ctx);
    for (;;) {
        const uint32_t age_ms = port.now_ms(port.ctx) - last_ms;
        uint32_t wait_ms = tg_poll(&client);
        if (age_ms >= INTERVAL_MS) {
            last_ms += INTERVAL_MS;
            report(&client, ++count);
        } else {
            if (wait_ms > INTERVAL_MS - age_ms) wait_ms = INTERVAL_MS - age_ms;
            tg_wss_wait(&gateway_link, wait_ms);
        }
    }
}

void app_main(void)
{
    wifi_start();
    (void)xTaskCreate(run, "tidegate", STACK_BYTES, NULL, 5, NULL);
}
