/* tg_wss.h -- wss in one call: port/sockets below, port/mbedtls above it. ESP-IDF, Zephyr, POSIX.
 *
 *   static tg_wss link;
 *   static tg_wss_config link_config = { .host = TIDEGATE_HOST, .service = TIDEGATE_PORT, .ca_pem = TIDEGATE_CA,
 *                                        .platform = &tg_esp_platform, .fragment = TG_WSS_FRAGMENT };
 *   tg_wss_init(&link, &link_config, &port);            then config.framing = tg_websocket_framing
 *   for (;;) tg_wss_wait(&link, tg_poll(&client));      in one task or thread: 8 KB of stack for the handshake
 *
 * The network has to be up only for an attempt to succeed: without it attempts fail, and come again with longer pauses.
 */
#ifndef TG_WSS_H
#define TG_WSS_H

#include "../mbedtls/tg_mbedtls.h"
#include "../sockets/tg_sockets.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The size of records that ESP-IDF's menuconfig or Zephyr's Kconfig chose. */
#if defined(CONFIG_TIDEGATE_FRAGMENT_1024)
#define TG_WSS_FRAGMENT TG_FRAGMENT_1024
#elif defined(CONFIG_TIDEGATE_FRAGMENT_4096)
#define TG_WSS_FRAGMENT TG_FRAGMENT_4096
#else
#define TG_WSS_FRAGMENT TG_FRAGMENT_2048
#endif

/* What a system brings: its clock, and its randomness. port/esp-idf and port/zephyr have one each. */
typedef struct tg_wss_platform {
    uint32_t (*now_ms)(void);  /* see tg_port */
    uint32_t (*entropy)(void); /* see tg_port */
    int (*random)(void *ctx, unsigned char *to, size_t bytes); /* see tg_mbedtls_config; `ctx` is NULL */
} tg_wss_platform;

/* Kept by reference, with everything it points to, as long as the link. */
typedef struct tg_wss_config {
    const tg_wss_platform *platform;
    const char *host;    /* address or name of the gateway; an address cannot fail to resolve */
    const char *service; /* its port in digits, usually "8443" */
    const char *ca_pem;  /* the CA that `tidegate device add` prints, to its closing zero */
    const char *name;    /* what its certificate is called; NULL: TG_GATEWAY_NAME */
    tg_fragment fragment;
    bool has_clock;      /* see tg_mbedtls_config */
} tg_wss_config;

/* Yours to allocate, private inside. */
typedef struct tg_wss {
    tg_sockets tcp;
    tg_port below;
    tg_mbedtls_config tls_config;
    tg_mbedtls tls;
} tg_wss;

/* Prepares the link and fills in `port`. Nothing is sent. Returns TG_OK, or
 *   TG_ERR_ARG       a required pointer is NULL, `ca_pem` is no certificate, or `fragment` is more than mbedTLS was
 *                    built for
 *   TG_ERR_NO_SPACE  mbedTLS got no memory */
tg_err tg_wss_init(tg_wss *link, const tg_wss_config *config, tg_port *port);

/* Sleeps as tg_sockets_wait() does, and lets other tasks run. */
void tg_wss_wait(tg_wss *link, uint32_t wait_ms);

/* Of the TLS layer; see tg_mbedtls_get_stats(). */
const tg_mbedtls_stats *tg_wss_get_stats(const tg_wss *link);

#ifdef __cplusplus
}
#endif
#endif
