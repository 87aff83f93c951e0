/* tg_zephyr.h -- what Zephyr 3.5 and later brings to port/wss: the kernel's clock and its random numbers.
 *
 * NOT run on a board, and not built by Zephyr itself: compiled here against headers of ours that repeat the documented
 * names. Everything above it -- port/wss, port/mbedtls, port/sockets -- runs in the tests, on Linux.
 */
#ifndef TG_ZEPHYR_H
#define TG_ZEPHYR_H

#include "../wss/tg_wss.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For tg_wss_config. Needs CONFIG_ENTROPY_GENERATOR and a board with an entropy driver: Zephyr then sets
 * CONFIG_CSPRNG_ENABLED by itself, which no configuration file may do. */
extern const tg_wss_platform tg_zephyr_platform;

#ifdef __cplusplus
}
#endif
#endif
