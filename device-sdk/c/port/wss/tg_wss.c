/* tg_wss.c -- see tg_wss.h. */
#include "tg_wss.h"

#include <string.h>

tg_err tg_wss_init(tg_wss *link, const tg_wss_config *config, tg_port *port)
{
    tg_err err;
    if (link == NULL || config == NULL || config->platform == NULL || config->host == NULL ||
        config->service == NULL || config->ca_pem == NULL || port == NULL) {
        return TG_ERR_ARG;
    }
    memset(link, 0, sizeof *link);
    tg_sockets_init(&link->tcp, config->host, config->service);
    link->tcp.now_ms = config->platform->now_ms;
    link->tcp.entropy = config->platform->entropy;
    tg_sockets_port(&link->tcp, &link->below);
    link->tls_config.below = &link->below;
    link->tls_config.ca = (const uint8_t *)config->ca_pem;
    link->tls_config.ca_bytes = strlen(config->ca_pem) + 1;
    link->tls_config.name = config->name;
    link->tls_config.fragment = config->fragment;
    link->tls_config.has_clock = config->has_clock;
    link->tls_config.random = config->platform->random;
    err = tg_mbedtls_init(&link->tls, &link->tls_config);
    if (err == TG_OK) tg_mbedtls_port(&link->tls, port);
    return err;
}

void tg_wss_wait(tg_wss *link, uint32_t wait_ms)
{
    tg_sockets_wait(&link->tcp, wait_ms);
}

const tg_mbedtls_stats *tg_wss_get_stats(const tg_wss *link)
{
    return tg_mbedtls_get_stats(&link->tls);
}
