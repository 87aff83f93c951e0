/* tg_esp.h -- what ESP-IDF 5 brings to port/wss: the chip's clock and its random numbers.
 *
 * NOT run on a board, and not built by ESP-IDF itself: compiled here against headers of ours that repeat the documented
 * names. Everything above it -- port/wss, port/mbedtls, port/sockets -- runs in the tests, on Linux.
 */
#ifndef TG_ESP_H
#define TG_ESP_H

#include "sdkconfig.h"

#include "../wss/tg_wss.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For tg_wss_config. Its random numbers are true ones while Wi-Fi or Bluetooth runs (ESP-IDF guide, "Random Number
 * Generation"): start the radio before the first tg_poll(). */
extern const tg_wss_platform tg_esp_platform;

#ifdef __cplusplus
}
#endif
#endif
