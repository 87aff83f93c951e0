/* test_tls.c -- port/mbedtls against a TLS server in the same process, over a pipe that is as bad as asked for.
 *
 *   test_tls CA.pem LEAF.pem LEAF.key CHUNK [clock]
 *
 *   tg_mbedtls --below--> [ pipe, CHUNK bytes a call, every other call none ] <--> mbedTLS server
 *
 * Connects twice, and each time sends 5000 bytes there and back through the six functions of the port. Prints a line per
 * attempt: `up resumed=0 flags=0x0`, or `refused flags=0x8`, or `failed error=-0x7080`. tls.test.ts makes the certificates.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl_ticket.h>

#include "../../port/mbedtls/tg_mbedtls.h"

#define PIPE_BYTES 65536u
#define PAYLOAD_BYTES 5000u
#define ROUNDS_MAX 400000u

typedef struct pipe {
    uint8_t bytes[PIPE_BYTES];
    size_t head;
    size_t tail;
} pipe;

static pipe up, down;
static size_t chunk;
static unsigned calls;
static unsigned opens;

static int put(pipe *to, const uint8_t *p, size_t n)
{
    if (n > chunk) n = chunk;
    if (++calls % 2u == 0) return 0;
    if (n > PIPE_BYTES - to->head) n = PIPE_BYTES - to->head;
    memcpy(to->bytes + to->head, p, n);
    to->head += n;
    return (int)n;
}

static int get(pipe *from, uint8_t *p, size_t cap)
{
    size_t n = from->head - from->tail;
    if (n > chunk) n = chunk;
    if (n > cap) n = cap;
    memcpy(p, from->bytes + from->tail, n);
    from->tail += n;
    if (from->tail == from->head) from->tail = from->head = 0;
    return (int)n;
}

static int16_t below_open(void *ctx)
{
    (void)ctx;
    return ++opens % 2u == 0 ? 1 : 0;
}

static int16_t below_send(void *ctx, const uint8_t *p, uint16_t n)
{
    (void)ctx;
    return (int16_t)put(&up, p, n);
}

static int16_t below_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    (void)ctx;
    return (int16_t)get(&down, p, cap);
}

static void below_close(void *ctx)
{
    (void)ctx;
    up.head = up.tail = down.head = down.tail = 0;
}

static uint32_t below_number(void *ctx)
{
    (void)ctx;
    return 42;
}

static int server_send(void *ctx, const unsigned char *p, size_t n)
{
    const int sent = put(&down, p, n);
    (void)ctx;
    return sent > 0 ? sent : MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int server_recv(void *ctx, unsigned char *p, size_t cap)
{
    const int got = get(&up, p, cap);
    (void)ctx;
    return got > 0 ? got : MBEDTLS_ERR_SSL_WANT_READ;
}

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static mbedtls_ssl_context server;
static mbedtls_ssl_config server_config;
static mbedtls_ssl_ticket_context tickets;
static mbedtls_x509_crt leaf;
static mbedtls_pk_context leaf_key;

static void must(int result, const char *what)
{
    if (result == 0) return;
    fprintf(stderr, "%s: -0x%04x\n", what, (unsigned)-result);
    exit(2);
}

static void start_server(const char *certificate, const char *key)
{
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    must(mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0), "seed");
    mbedtls_x509_crt_init(&leaf);
    mbedtls_pk_init(&leaf_key);
    must(mbedtls_x509_crt_parse_file(&leaf, certificate), certificate);
#if MBEDTLS_VERSION_MAJOR >= 3
    must(mbedtls_pk_parse_keyfile(&leaf_key, key, NULL, mbedtls_ctr_drbg_random, &drbg), key);
#else
    must(mbedtls_pk_parse_keyfile(&leaf_key, key, NULL), key);
#endif
    mbedtls_ssl_config_init(&server_config);
    must(mbedtls_ssl_config_defaults(&server_config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT), "server");
    mbedtls_ssl_conf_rng(&server_config, mbedtls_ctr_drbg_random, &drbg);
    must(mbedtls_ssl_conf_own_cert(&server_config, &leaf, &leaf_key), "certificate");
    mbedtls_ssl_ticket_init(&tickets);
    must(mbedtls_ssl_ticket_setup(&tickets, mbedtls_ctr_drbg_random, &drbg, MBEDTLS_CIPHER_AES_256_GCM, 86400), "tickets");
    mbedtls_ssl_conf_session_tickets_cb(&server_config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &tickets);
    mbedtls_ssl_init(&server);
    must(mbedtls_ssl_setup(&server, &server_config), "setup");
    mbedtls_ssl_set_bio(&server, NULL, server_send, server_recv, NULL);
}

/* The server's part of a round: whatever it can read it says back. */
static void serve(bool shaken)
{
    static uint8_t held[PAYLOAD_BYTES];
    static size_t held_bytes;
    int n;
    if (!shaken) {
        held_bytes = 0;
        (void)mbedtls_ssl_handshake(&server);
        return;
    }
    if (held_bytes == 0) {
        n = mbedtls_ssl_read(&server, held, sizeof held);
        held_bytes = n > 0 ? (size_t)n : 0;
        return;
    }
    n = mbedtls_ssl_write(&server, held, held_bytes);
    if (n <= 0) return;
    memmove(held, held + n, held_bytes - (size_t)n);
    held_bytes -= (size_t)n;
}

/* Sends the payload and takes it back. */
static bool echo(const tg_port *port)
{
    static uint8_t said[PAYLOAD_BYTES], heard[PAYLOAD_BYTES];
    size_t sent = 0;
    size_t got = 0;
    unsigned round;
    for (round = 0; round < PAYLOAD_BYTES; round++) said[round] = (uint8_t)(round * 7u + round / 256u);
    for (round = 0; round < ROUNDS_MAX && got < PAYLOAD_BYTES; round++) {
        if (sent < PAYLOAD_BYTES) {
            const int16_t n = port->send(port->ctx, said + sent, (uint16_t)(PAYLOAD_BYTES - sent));
            if (n < 0) return false;
            sent += (size_t)n;
        }
        {
            const int16_t n = port->recv(port->ctx, heard + got, (uint16_t)(PAYLOAD_BYTES - got));
            if (n < 0) return false;
            got += (size_t)n;
        }
        serve(true);
    }
    return got == PAYLOAD_BYTES && memcmp(said, heard, PAYLOAD_BYTES) == 0;
}

static void attempt(tg_mbedtls *tls, const tg_port *port)
{
    const tg_mbedtls_stats *stats = tg_mbedtls_get_stats(tls);
    int16_t result = 0;
    unsigned round;
    must(mbedtls_ssl_session_reset(&server), "reset");
    for (round = 0; round < ROUNDS_MAX && result == 0; round++) {
        result = port->open(port->ctx);
        serve(false);
    }
    if (result == TG_PORT_REFUSED) {
        printf("refused flags=0x%x\n", (unsigned)stats->verify_flags);
    } else if (result != 1) {
        printf("failed error=-0x%04x\n", (unsigned)-stats->last_error);
    } else {
        for (round = 0; round < 64; round++) serve(false); /* its last words of the handshake */
        if (!echo(port)) printf("not the bytes that were sent\n");
        printf("up resumed=%u flags=0x%x\n", stats->resumed, (unsigned)stats->verify_flags);
        port->close(port->ctx);
    }
}

static uint8_t *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    uint8_t *text = calloc(1, 16384);
    if (file == NULL || text == NULL) exit(2);
    *bytes = fread(text, 1, 16383, file) + 1;
    (void)fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    static const tg_port below = {below_open, below_send, below_recv, below_close, below_number, below_number, NULL};
    static tg_mbedtls tls;
    static tg_mbedtls_config config;
    tg_port port;
    uint8_t *ca;
    if (argc < 5) return 2;
    ca = read_file(argv[1], &config.ca_bytes);
    start_server(argv[2], argv[3]);
    chunk = (size_t)strtoul(argv[4], NULL, 10);
    config.below = &below;
    config.ca = ca;
    config.fragment = TG_FRAGMENT_1024;
    config.has_clock = argc > 5;
    config.random = mbedtls_ctr_drbg_random;
    config.random_ctx = &drbg;
    if (tg_mbedtls_init(&tls, &config) != TG_OK) {
        printf("not started error=-0x%04x\n", (unsigned)-tg_mbedtls_get_stats(&tls)->last_error);
        return 0;
    }
    tg_mbedtls_port(&tls, &port);
    attempt(&tls, &port);
    attempt(&tls, &port);
    tg_mbedtls_free(&tls);
    mbedtls_ssl_free(&server);
    mbedtls_ssl_config_free(&server_config);
    mbedtls_ssl_ticket_free(&tickets);
    mbedtls_x509_crt_free(&leaf);
    mbedtls_pk_free(&leaf_key);
    mbedtls_ctr_drbg_free(&drbg);
    mbedtls_entropy_free(&entropy);
    free(ca);
    return 0;
}
