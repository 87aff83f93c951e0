/* tg_mbedtls.c -- see tg_mbedtls.h.
 *
 *   DOWN --open()--> CONNECTING --below is up--> SHAKING --finished--> UP
 *     ^                  |                          |                   |
 *     +------------------+--------------------------+----- close() -----+
 *
 * An open() that fails has cleaned up behind itself: the SDK calls close() only for what returned 0 or 1.
 */
#include "tg_mbedtls.h"

#include <mbedtls/oid.h>
#include <string.h>

#if MBEDTLS_VERSION_NUMBER < 0x021C0000 || (MBEDTLS_VERSION_MAJOR == 3 && MBEDTLS_VERSION_NUMBER < 0x03020000)
#error "port/mbedtls needs mbedTLS 2.28, or 3.2 and later"
#elif MBEDTLS_VERSION_MAJOR > 3
#error "port/mbedtls is written for mbedTLS 2.28 and 3; in version 4 randomness and keys work another way"
#endif

/* For the bio callbacks; the value of MBEDTLS_ERR_NET_CONN_RESET, whose header wants an operating system's sockets. */
#define BELOW_IS_DEAD (-0x0050)
#define TAKE_MAX 32767u /* what a port can say it took */

enum { DOWN = 0, CONNECTING, SHAKING, UP };

static int16_t as_count(int n)
{
    return (int16_t)n; /* the caller kept it within TAKE_MAX */
}

static int bio_send(void *ctx, const unsigned char *p, size_t n)
{
    const tg_port *below = ((tg_mbedtls *)ctx)->config->below;
    const int sent = below->send(below->ctx, p, (uint16_t)(n < TAKE_MAX ? n : TAKE_MAX));
    if (sent < 0) return BELOW_IS_DEAD;
    return sent > 0 ? sent : MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int bio_recv(void *ctx, unsigned char *p, size_t cap)
{
    const tg_port *below = ((tg_mbedtls *)ctx)->config->below;
    const int got = below->recv(below->ctx, p, (uint16_t)(cap < TAKE_MAX ? cap : TAKE_MAX));
    if (got < 0) return BELOW_IS_DEAD;
    return got > 0 ? got : MBEDTLS_ERR_SSL_WANT_READ;
}

static bool marks_its_use(const mbedtls_x509_crt *certificate)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_x509_crt_has_ext_type(certificate, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) != 0;
#else
    return (certificate->ext_types & MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) != 0;
#endif
}

/* Runs once per certificate of a full handshake, leaf last; never when a session is resumed. mbedTLS checks an
 * extended key usage only where there is one; a leaf without would pass, though it may be a device's. */
static int on_certificate(void *ctx, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    tg_mbedtls *tls = ctx;
    tls->verified = true;
    if (!tls->config->has_clock) *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    if (depth == 0 && !marks_its_use(certificate)) *flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    return 0;
}

static bool would_block(int result)
{
    if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) return true;
#if defined(MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS)
    if (result == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS) return true;
#endif
    return false;
}

static void forget_session(tg_mbedtls *tls)
{
    mbedtls_ssl_session_free(&tls->session);
    mbedtls_ssl_session_init(&tls->session);
    tls->has_session = false;
}

/* Takes the link apart, whatever state it is in. */
static void take_down(tg_mbedtls *tls)
{
    const tg_port *below = tls->config->below;
    if (tls->phase >= CONNECTING) below->close(below->ctx);
    tls->phase = DOWN;
    tls->unsent = 0;
}

/* A handshake ended in an error: refused for good when it was the certificate, else try again soon. A session that may
 * have been the reason is not offered again. */
static int16_t failed(tg_mbedtls *tls, int error)
{
    const bool refused = error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
    tls->stats.last_error = error;
    if (refused) {
        tls->stats.refused++;
        tls->stats.verify_flags = mbedtls_ssl_get_verify_result(&tls->ssl);
    }
    if (error != BELOW_IS_DEAD) forget_session(tls);
    take_down(tls);
    return refused ? TG_PORT_REFUSED : -1;
}

/* TCP is up: make mbedTLS ready for a new handshake. */
static int start_handshake(tg_mbedtls *tls)
{
    const int error = mbedtls_ssl_session_reset(&tls->ssl);
    tls->verified = false;
    tls->unsent = 0;
    if (error != 0 || !tls->has_session) return error;
    return mbedtls_ssl_set_session(&tls->ssl, &tls->session);
}

/* Keeps the session for the next time; without memory for it there just is no resumption. */
static void keep_session(tg_mbedtls *tls)
{
    forget_session(tls);
    if (mbedtls_ssl_get_session(&tls->ssl, &tls->session) == 0) {
        tls->has_session = true;
    } else {
        forget_session(tls);
    }
}

static int16_t shake(tg_mbedtls *tls)
{
    const int result = mbedtls_ssl_handshake(&tls->ssl);
    if (would_block(result)) return 0;
    if (result != 0) return failed(tls, result);
    if (tls->verified) {
        tls->stats.verify_flags = 0;
    } else if (tls->has_session) {
        tls->stats.resumed++;
    } else {
        return failed(tls, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED); /* nobody looked at a certificate: never go on */
    }
    keep_session(tls);
    tls->stats.handshakes++;
    tls->stats.last_error = 0;
    tls->phase = UP;
    return 1;
}

static int16_t tls_open(void *ctx)
{
    tg_mbedtls *tls = ctx;
    const tg_port *below = tls->config->below;
    if (tls->phase < SHAKING) {
        const int16_t up = below->open(below->ctx);
        int error;
        tls->phase = up < 0 ? DOWN : CONNECTING;
        if (up <= 0) return up;
        error = start_handshake(tls);
        if (error != 0) return failed(tls, error);
        tls->phase = SHAKING;
    }
    return shake(tls);
}

/* mbedTLS takes a whole record or none of it. After WANT_WRITE it has taken it, and says so only when it is asked
 * again: so we say "later" and ask again for just as many bytes, which the SDK offers again from the same place. */
static int16_t tls_send(void *ctx, const uint8_t *p, uint16_t n)
{
    tg_mbedtls *tls = ctx;
    int result;
    if (tls->unsent > n) return -1; /* never from the SDK: bytes once offered stay offered */
    if (tls->unsent > 0) n = tls->unsent;
    if (n > TAKE_MAX) n = TAKE_MAX;
    result = mbedtls_ssl_write(&tls->ssl, p, n);
    tls->unsent = 0;
    if (result >= 0) return as_count(result);
    if (would_block(result)) {
        const int most = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
        tls->unsent = most > 0 && most < n ? (uint16_t)most : n;
        return 0;
    }
    tls->stats.last_error = result;
    return -1;
}

static int16_t tls_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    tg_mbedtls *tls = ctx;
    const int result = mbedtls_ssl_read(&tls->ssl, p, cap < TAKE_MAX ? cap : TAKE_MAX);
    if (result > 0) return as_count(result);
    if (would_block(result)) return 0;
    if (result != 0 && result != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) tls->stats.last_error = result;
    return -1;
}

static void tls_close(void *ctx)
{
    tg_mbedtls *tls = ctx;
    if (tls->phase == UP) (void)mbedtls_ssl_close_notify(&tls->ssl); /* a courtesy: what does not go now, does not go */
    take_down(tls);
}

static uint32_t tls_now_ms(void *ctx)
{
    const tg_port *below = ((tg_mbedtls *)ctx)->config->below;
    return below->now_ms(below->ctx);
}

static uint32_t tls_entropy(void *ctx)
{
    const tg_port *below = ((tg_mbedtls *)ctx)->config->below;
    return below->entropy(below->ctx);
}

static int configure(tg_mbedtls *tls, const tg_mbedtls_config *config)
{
    mbedtls_ssl_config *to = &tls->ssl_config;
    int error = mbedtls_ssl_config_defaults(to, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                            MBEDTLS_SSL_PRESET_DEFAULT);
    if (error != 0) return error;
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_min_tls_version(to, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(to, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    mbedtls_ssl_conf_min_version(to, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(to, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
    mbedtls_ssl_conf_authmode(to, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(to, &tls->ca, NULL);
    mbedtls_ssl_conf_verify(to, on_certificate, tls);
    mbedtls_ssl_conf_rng(to, config->random, config->random_ctx);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
    mbedtls_ssl_conf_session_tickets(to, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#endif
#if defined(MBEDTLS_SSL_MAX_FRAGMENT_LENGTH)
    error = mbedtls_ssl_conf_max_frag_len(to, (unsigned char)config->fragment);
    if (error != 0) return error;
#endif
    error = mbedtls_ssl_setup(&tls->ssl, to);
    if (error != 0) return error;
    mbedtls_ssl_set_bio(&tls->ssl, tls, bio_send, bio_recv, NULL);
    return mbedtls_ssl_set_hostname(&tls->ssl, config->name != NULL ? config->name : TG_GATEWAY_NAME);
}

tg_err tg_mbedtls_init(tg_mbedtls *tls, const tg_mbedtls_config *config)
{
    int error;
    if (tls == NULL || config == NULL || config->below == NULL || config->ca == NULL || config->random == NULL) {
        return TG_ERR_ARG;
    }
    memset(tls, 0, sizeof *tls);
    tls->config = config;
    mbedtls_ssl_init(&tls->ssl);
    mbedtls_ssl_config_init(&tls->ssl_config);
    mbedtls_ssl_session_init(&tls->session);
    mbedtls_x509_crt_init(&tls->ca);
    error = mbedtls_x509_crt_parse(&tls->ca, config->ca, config->ca_bytes);
    if (error == 0) error = configure(tls, config);
    if (error == 0) return TG_OK;
    tg_mbedtls_free(tls);
    tls->stats.last_error = error;
    if (error == MBEDTLS_ERR_SSL_ALLOC_FAILED || error == MBEDTLS_ERR_X509_ALLOC_FAILED) return TG_ERR_NO_SPACE;
    return TG_ERR_ARG;
}

void tg_mbedtls_port(tg_mbedtls *tls, tg_port *port)
{
    port->open = tls_open;
    port->send = tls_send;
    port->recv = tls_recv;
    port->close = tls_close;
    port->now_ms = tls_now_ms;
    port->entropy = tls_entropy;
    port->ctx = tls;
}

void tg_mbedtls_free(tg_mbedtls *tls)
{
    mbedtls_ssl_free(&tls->ssl);
    mbedtls_ssl_session_free(&tls->session);
    mbedtls_ssl_config_free(&tls->ssl_config);
    mbedtls_x509_crt_free(&tls->ca);
}

const tg_mbedtls_stats *tg_mbedtls_get_stats(const tg_mbedtls *tls)
{
    return &tls->stats;
}
