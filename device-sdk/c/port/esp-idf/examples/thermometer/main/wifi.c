/* wifi.c -- see wifi.h. The station's events come on the system's event task. */
#include "wifi.h"

#include <string.h>

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_wifi.h"
#include "nvs_flash.h"
#include "sdkconfig.h"

/* The driver pauses between attempts by itself; so there is nothing to count and nothing to give up. */
static void on_wifi(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)data;
    if (id == WIFI_EVENT_STA_START || id == WIFI_EVENT_STA_DISCONNECTED) (void)esp_wifi_connect();
}

/* The driver keeps its calibration in flash; a partition of an older layout is made anew. */
static void start_flash(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
}

void wifi_start(void)
{
    wifi_init_config_t driver = WIFI_INIT_CONFIG_DEFAULT();
    wifi_config_t station;
    memset(&station, 0, sizeof station);
    strncpy((char *)station.sta.ssid, CONFIG_THERMOMETER_WIFI_SSID, sizeof station.sta.ssid - 1);
    strncpy((char *)station.sta.password, CONFIG_THERMOMETER_WIFI_PASSWORD, sizeof station.sta.password - 1);
    start_flash();
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    (void)esp_netif_create_default_wifi_sta();
    ESP_ERROR_CHECK(esp_wifi_init(&driver));
    ESP_ERROR_CHECK(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL));
    ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
    ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &station));
    ESP_ERROR_CHECK(esp_wifi_start());
}
