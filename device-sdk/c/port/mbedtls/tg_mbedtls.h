/* tg_mbedtls.h -- TLS between a TCP port and tg_websocket_framing, with mbedTLS 2.28 or 3.2+: Linux, ESP32, Zephyr.
 *
 *     the SDK          six functions: tg_mbedtls_port()
 *     this port        pins the site's CA, checks the constant name, asks for small records, resumes sessions
 *     your TCP port    the same six functions: config.below (port/posix, lwIP, Zephyr sockets ...)
 *
 *   static tg_mbedtls tls;
 *   static const tg_mbedtls_config tls_config = { .below = &tcp, .ca = ca_pem, .ca_bytes = sizeof ca_pem,
 *                                                 .random = my_random, .fragment = TG_FRAGMENT_1024 };
 *   if (tg_mbedtls_init(&tls, &tls_config) == TG_OK) tg_mbedtls_port(&tls, &port);
 *
 * Nothing here allocates; mbedTLS does. Nothing here blocks, but the public-key steps of a handshake take processor
 * time inside one open(): on cores where that is too long build mbedTLS with MBEDTLS_ECP_RESTARTABLE and call
 * mbedtls_ecp_set_max_ops(); open() then returns 0 between the pieces.
 *
 * TLS 1.2 only: it has the smallest handshake, and tickets come inside it. The gateway's certificate must chain to
 * `ca`, carry `name` as a DNS name, and be marked for server use. Whatever fails there is TG_PORT_REFUSED, on every
 * attempt anew: only a session that was verified whole is ever kept for resumption.
 */
#ifndef TG_MBEDTLS_H
#define TG_MBEDTLS_H

#include "../../include/tg_port.h"

#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What every gateway's certificate is called, wherever it stands: send and check this, and a new address or host name
 * never locks a device out. */
#define TG_GATEWAY_NAME "gateway.tidegate.internal"

/* Largest TLS record payload to ask the gateway for (RFC 6066, section 4). It bounds what the gateway sends in one
 * record; mbedTLS built with MBEDTLS_SSL_IN_CONTENT_LEN and ..._OUT_... of that size then needs no larger buffers, and
 * takes no larger wish.
 *
 * A handshake message larger than a record is cut, too, and mbedTLS before 3.6.3 cannot put it together again
 * (Mbed-TLS/mbedtls#1840; handshakes fail with MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE). The largest is the gateway's
 * certificate: 570 bytes when the gateway has four names and four addresses; each further IPv4 address adds 6, IPv6 18,
 * a name its length and 2. So the 512 of the RFC are not offered, and 2048 is the choice where they can be spared. */
typedef enum tg_fragment {
    TG_FRAGMENT_UNASKED = 0, /* up to 16384 bytes: for hosts with memory */
    TG_FRAGMENT_1024 = 2,
    TG_FRAGMENT_2048 = 3,
    TG_FRAGMENT_4096 = 4
} tg_fragment;

/* Kept by reference, with everything it points to, as long as the port. */
typedef struct tg_mbedtls_config {
    const tg_port *below;    /* TCP; its clock and entropy become this port's */
    const uint8_t *ca;       /* the CA to pin: PEM with its closing zero byte, or DER */
    size_t ca_bytes;         /* with the zero, for PEM */
    const char *name;        /* NULL: TG_GATEWAY_NAME */
    tg_fragment fragment;
    bool has_clock;          /* the system's date is right: check dates of certificates, too. Devices without a clock
                                leave it false; the roots of a gateway are made for them and do not end */
    /* Cryptographic randomness: 0, or non-zero when it has none. mbedTLS calls it during handshakes. */
    int (*random)(void *ctx, unsigned char *to, size_t bytes);
    void *random_ctx;
} tg_mbedtls_config;

/* What the last attempts were like. */
typedef struct tg_mbedtls_stats {
    uint16_t handshakes;     /* finished, resumed ones included */
    uint16_t resumed;        /* of these: without certificates and public-key work */
    uint16_t refused;        /* the peer was not the gateway we pin */
    int last_error;          /* of mbedTLS, 0: none; look it up in its error.h */
    uint32_t verify_flags;   /* MBEDTLS_X509_BADCERT_..., of the last full handshake; 0: good */
} tg_mbedtls_stats;

/* Yours to allocate, private inside. */
typedef struct tg_mbedtls {
    const tg_mbedtls_config *config;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config ssl_config;
    mbedtls_ssl_session session; /* for resumption */
    mbedtls_x509_crt ca;
    tg_mbedtls_stats stats;
    uint16_t unsent; /* bytes mbedTLS holds encrypted and wants to hear of again */
    uint8_t phase;
    bool has_session;
    bool verified; /* a certificate was looked at in this handshake: it is a full one */
} tg_mbedtls;

/* Prepares the port; nothing is sent. Returns TG_OK, or
 *   TG_ERR_ARG       a required pointer is NULL, `ca` is no certificate, the name is too long, or `fragment` is more
 *                    than mbedTLS was built for; last_error tells which
 *   TG_ERR_NO_SPACE  mbedTLS got no memory
 * After an error there is nothing to free. */
tg_err tg_mbedtls_init(tg_mbedtls *tls, const tg_mbedtls_config *config);

/* Fills in the port of the link; config.below stays in use below it. */
void tg_mbedtls_port(tg_mbedtls *tls, tg_port *port);

/* Gives all memory back to mbedTLS. The link must be closed: tg_stop() first, or never tg_poll() again. */
void tg_mbedtls_free(tg_mbedtls *tls);

/* The counters; valid as long as the port. */
const tg_mbedtls_stats *tg_mbedtls_get_stats(const tg_mbedtls *tls);

#ifdef __cplusplus
}
#endif
#endif
