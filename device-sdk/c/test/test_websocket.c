/* test_websocket.c -- the WebSocket client: upgrade, frames, and what a peer may not do (RFC 6455). */
#include "bench.h"

#include <ctype.h>

/* SHA-1 and base64 of the tests' own, byte by byte and slow. */
static void sha1_of(const uint8_t *p, size_t n, uint8_t *out)
{
    uint32_t h[5] = {0x67452301u, 0xEFCDAB89u, 0x98BADCFEu, 0x10325476u, 0xC3D2E1F0u};
    uint8_t m[256] = {0};
    const size_t blocks = (n + 8) / 64 + 1;
    size_t block;
    size_t i;
    memcpy(m, p, n);
    m[n] = 0x80;
    m[blocks * 64 - 2] = (uint8_t)(n * 8 >> 8);
    m[blocks * 64 - 1] = (uint8_t)(n * 8);
    for (block = 0; block < blocks; block++) {
        uint32_t w[80];
        uint32_t v[5];
        for (i = 0; i < 80; i++) {
            if (i < 16) {
                const uint8_t *b = &m[block * 64 + i * 4];
                w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
            } else {
                const uint32_t x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
                w[i] = x << 1 | x >> 31;
            }
        }
        memcpy(v, h, sizeof v);
        for (i = 0; i < 80; i++) {
            static const uint32_t k[4] = {0x5A827999u, 0x6ED9EBA1u, 0x8F1BBCDCu, 0xCA62C1D6u};
            const uint32_t f[4] = {(v[1] & v[2]) | (~v[1] & v[3]), v[1] ^ v[2] ^ v[3],
                                   (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3]), v[1] ^ v[2] ^ v[3]};
            const uint32_t t = (v[0] << 5 | v[0] >> 27) + f[i / 20] + v[4] + k[i / 20] + w[i];
            v[4] = v[3];
            v[3] = v[2];
            v[2] = v[1] << 30 | v[1] >> 2;
            v[1] = v[0];
            v[0] = t;
        }
        for (i = 0; i < 5; i++) h[i] += v[i];
    }
    for (i = 0; i < 20; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64_of(const uint8_t *p, size_t n, char *out)
{
    static const char *const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i;
    for (i = 0; i < n; i += 3) {
        const uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? alphabet[v & 63] : '=';
    }
    *out = 0;
}

/* Takes the request off the wire; empty when it is not whole. */
static void take_request(fake *f, char *text)
{
    const size_t n = f->up.tail - f->up.head;
    size_t i;
    for (i = 0; i < n; i++) text[i] = (char)f->up.bytes[(f->up.head + i) % FAKE_WIRE_BYTES];
    text[n] = 0;
    if (strstr(text, "\r\n\r\n") == NULL) text[0] = 0; else f->up.head += n;
}

static void accept_of(const char *text, char *accept)
{
    const char *key = strstr(text, "sec-websocket-key: ");
    uint8_t digest[20];
    char input[64];
    CHECK(key != NULL);
    memcpy(input, key + 19, 24);
    memcpy(input + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    sha1_of((const uint8_t *)input, 60, digest);
    base64_of(digest, 20, accept);
}

static void reply(fake *f, const char *text)
{
    fake_put_raw(f, (const uint8_t *)text, strlen(text));
}

static bench *socket_new(void)
{
    bench *b = bench_new();
    b->config.framing = tg_websocket_framing;
    b->config.host = span_of("gateway.tidegate.internal");
    b->config.rx_bytes = 512;
    b->gateway.websocket = true;
    b->gateway.max_uplink_bytes = 65536;
    return b;
}

/* Polls until the request stands whole in `text`. */
static void until_request(bench *b, char *text)
{
    unsigned i;
    bench_open(b);
    for (i = 0, text[0] = 0; i < 2000 && text[0] == 0; i++) {
        tg_poll(&b->client);
        take_request(&b->gateway, text);
    }
    CHECK(text[0] != 0);
}

/* A whole good upgrade. */
static void upgrade(bench *b)
{
    char text[4096];
    char accept[32];
    char answer[512];
    until_request(b, text);
    accept_of(text, accept);
    sprintf(answer, "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nX-Junk: %0200d\r\n"
            "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: tidegate.v1\r\n\r\n", 7, accept);
    reply(&b->gateway, answer);
    bench_settle(b);
}

static void the_request_is_what_the_rfc_and_the_gateway_ask_for(void)
{
    bench *b = socket_new();
    char text[4096];
    const char *key;
    until_request(b, text);
    CHECK(strncmp(text, "GET /v1/device HTTP/1.1\r\nhost: gateway.tidegate.internal\r\n", 57) == 0);
    CHECK(strstr(text, "\r\nupgrade: websocket\r\n") != NULL);
    CHECK(strstr(text, "\r\nconnection:upgrade\r\n") != NULL);
    CHECK(strstr(text, "\r\nsec-websocket-version: 13\r\n") != NULL);
    CHECK(strstr(text, "\r\nsec-websocket-protocol: tidegate.v1\r\n") != NULL);
    CHECK(strstr(text, "\r\nauthorization: Bearer secret-token\r\n") != NULL);
    key = strstr(text, "sec-websocket-key: ") + 19;
    CHECK(strncmp(key + 21, "A==\r\n", 5) == 0); /* 16 bytes in base64 */
    CHECK(strspn(key, "ABCDEFGHIJKLMNOP") == 22);
    CHECK(strcmp(text + strlen(text) - 4, "\r\n\r\n") == 0);
}

static void a_device_comes_online_over_websocket_whatever_the_chunks(void)
{
    static const size_t sizes[] = {1, 2, 5, 64, 1000};
    size_t s;
    size_t r;
    for (s = 0; s < 5; s++) {
        for (r = 0; r < 5; r++) {
            bench *b = socket_new();
            unsigned i;
            b->gateway.send_max = sizes[s];
            b->gateway.recv_max = sizes[r];
            b->reply_in_callback = true;
            upgrade(b);
            CHECK(tg_get_phase(&b->client) == TG_ONLINE);
            for (i = 1; i <= 40; i++) {
                bench_put(b);
                fake_command(&b->gateway, i, 2, 0);
                bench_pass(b, 100, 50);
            }
            CHECK_EQ(b->gateway.stored_count, 40);
            CHECK_EQ(b->gateway.update_count, 40);
            CHECK_EQ(tg_held(&b->client), 0);
        }
    }
}

/* What the device does with a response of the test's making; %s stands for the right accept. */
static bench *answered(const char *response)
{
    bench *b = socket_new();
    char text[4096];
    char accept[32];
    char answer[1024];
    until_request(b, text);
    accept_of(text, accept);
    sprintf(answer, response, accept);
    reply(&b->gateway, answer);
    bench_settle(b);
    return b;
}

static void a_wrong_response_ends_the_attempt(void)
{
    static const char *const wrong[] = {
        "HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: xxxx%s\r\nSec-WebSocket-Protocol: tidegate.v1\r\n\r\n",
        "HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: %s\r\nSec-WebSocket-Protocol: tidegate.v1\r\n\r\n",
        "HTTP/1.1 101 ok\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: tidegate.v1\r\n\r\n",
        "HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: tidegate.v1\r\n\r\n",
        "HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
        "HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: tidegate.v12\r\n\r\n",
        "HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: tidegate.v1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        "HTTP/1.1 200 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: tidegate.v1\r\n\r\n",
        "HTTP/1.1 500 no %s\r\n\r\n", "HTTP/1.1 404 no %s\r\n\r\n", "HTTP/1.1 410 no %s\r\n\r\n", "HTTP/1.1 100 no %s\r\n\r\n",
        "HTTP/1.1 111 no %s\r\n\r\n", "HTTP/1.1x101 no %s\r\n\r\n", "HTTP/1.1 503 no\r\nRetry-After: soon%s\r\n\r\n", "what\r\n%s\r\n\r\n"};
    size_t i;
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const bench *b = answered(wrong[i]);
        CHECK_EQ(b->offline, 1);
        CHECK_EQ(b->gateway.hellos, 0);
        CHECK(tg_get_phase(&b->client) != TG_ONLINE);
    }
}

static void refusals_before_the_upgrade_are_obeyed_p31(void)
{
    const bench *b = answered("HTTP/1.1 401 Unauthorized\r\nX: %s\r\n\r\n");
    CHECK_EQ(b->refused, 1);
    CHECK_EQ(b->offline_reason, TG_REASON_BAD_CREDENTIAL);
    b = answered("HTTP/1.1 403 Forbidden\r\nX: %s\r\n\r\n");
    CHECK_EQ(b->refused, 1);
    b = answered("HTTP/1.1 503 Busy\r\nX: %s\r\nRetry-After: 40\r\n\r\n");
    CHECK_EQ(b->offline, 1);
    {
        bench *again = &table;
        const uint32_t wait = tg_poll(&again->client);
        CHECK(wait >= 39800 && wait <= 41200);
    }
}

static void a_server_that_never_answers_is_given_up(void)
{
    bench *b = socket_new();
    char text[4096];
    until_request(b, text);
    bench_pass(b, 29000, 500);
    CHECK(tg_get_phase(&b->client) == TG_GREETING);
    bench_pass(b, 2000, 500);
    CHECK_EQ(b->offline_reason, TG_REASON_HELLO_TIMEOUT);
}

static void a_gateway_that_never_welcomes_is_given_up(void)
{
    bench *b = socket_new();
    b->gateway.mute = true;
    upgrade(b);
    bench_pass(b, 29000, 500);
    CHECK_EQ(b->gateway.hellos, 1);
    CHECK_EQ(b->offline, 0);
    bench_pass(b, 2000, 500);
    CHECK_EQ(b->offline_reason, TG_REASON_HELLO_TIMEOUT);
}

static void frame(fake *f, unsigned first, const uint8_t *payload, size_t n)
{
    const uint8_t head[4] = {(uint8_t)first, n < 126 ? (uint8_t)n : 126, (uint8_t)(n >> 8), (uint8_t)n};
    fake_put_raw(f, head, n < 126 ? 2 : 4);
    fake_put_raw(f, payload, n);
}

/* The next frame the device sent, unmasked. Returns its length. */
static size_t sent_frame(fake *f, uint8_t *first, uint8_t *payload)
{
    uint8_t head[8];
    size_t n;
    size_t i;
    size_t at = 2;
    for (i = 0; i < 8; i++) head[i] = f->up.bytes[(f->up.head + i) % FAKE_WIRE_BYTES];
    CHECK(f->up.tail - f->up.head >= 6);
    CHECK(head[1] & 0x80); /* a client masks */
    n = head[1] & 0x7Fu;
    if (n == 126) {
        n = (size_t)head[2] << 8 | head[3];
        at = 4;
    }
    *first = head[0];
    for (i = 0; i < n; i++) payload[i] = f->up.bytes[(f->up.head + at + 4 + i) % FAKE_WIRE_BYTES] ^ head[at + (i & 3)];
    f->up.head += at + 4 + n;
    return n;
}

static void pings_are_answered_with_their_payload_also_inside_a_message(void)
{
    bench *b = socket_new();
    uint8_t payload[130];
    uint8_t got[2048];
    uint8_t first;
    static const uint8_t ack[] = {0x12, 0x02, 0x08, 0x01};
    size_t n;
    upgrade(b);
    b->gateway.hold_acks = true;
    bench_put(b);
    bench_settle(b);
    for (n = 0; n <= 125; n += 25) {
        unsigned i;
        memset(payload, (int)n, sizeof payload);
        frame(&b->gateway, 0x02, ack, 1);
        frame(&b->gateway, 0x89, payload, n);
        frame(&b->gateway, 0x00, ack + 1, 2);
        frame(&b->gateway, 0x8A, payload, n);
        frame(&b->gateway, 0x80, ack + 3, 1);
        for (i = 0; i < 20; i++) tg_poll(&b->client);
        CHECK_EQ(sent_frame(&b->gateway, &first, got), n);
        CHECK_EQ(first, 0x8A);
        CHECK(memcmp(got, payload, n) == 0);
        CHECK_EQ(tg_held(&b->client), 0); /* the fragments were put together */
    }
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
}

static void a_close_is_answered_and_its_reason_understood_p31(void)
{
    static const struct { uint8_t code[2]; size_t n; unsigned reason; } closes[] = {
        {{0x0F, 0xA4}, 2, TG_REASON_REVOKED}, {{0x03, 0xE8}, 2, 0}, {{0, 0}, 0, 0}, {{0x0F, 0xB3}, 2, 0},
        {{0x0F, 0xA9}, 2, TG_REASON_SILENT}};
    size_t i;
    for (i = 0; i < sizeof closes / sizeof closes[0]; i++) {
        bench *b = socket_new();
        uint8_t got[128];
        uint8_t first;
        unsigned polls;
        upgrade(b);
        bench_settle(b);
        frame(&b->gateway, 0x88, closes[i].code, closes[i].n);
        for (polls = 0; polls < 20; polls++) tg_poll(&b->client);
        CHECK_EQ(sent_frame(&b->gateway, &first, got), closes[i].n);
        CHECK_EQ(first, 0x88);
        CHECK_EQ(b->offline + b->refused, 1);
        CHECK_EQ(b->offline_reason, closes[i].reason);
    }
}

static void what_the_rfc_forbids_ends_the_link(void)
{
    static const uint8_t forbidden[][4] = {
        {0xC2, 0x01, 0, 0}, /* a reserved bit */        {0x81, 0x01, 'x', 0}, /* text: not in this protocol */
        {0x83, 0x00, 0, 0}, /* an unknown opcode */     {0x80, 0x01, 0, 0},   /* a continuation of nothing */
        {0x82, 0x81, 0, 0}, /* masked by a server */    {0x09, 0x00, 0, 0},   /* a ping in pieces */
        {0x89, 0x7E, 0, 0}, /* a ping of 126 bytes */   {0x82, 0x7F, 0, 0},   /* a length of eight bytes */
        {0x82, 0x7E, 2, 1}, /* more than announced */   {0x02, 0x00, 0x82, 0}, /* a message inside a message */
        {0x8B, 0x00, 0, 0}};
    size_t i;
    for (i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        bench *b = socket_new();
        upgrade(b);
        fake_put_raw(&b->gateway, forbidden[i], 4);
        bench_settle(b);
        CHECK_EQ(b->offline, 1);
        CHECK(b->offline_reason == TG_REASON_PROTOCOL_VIOLATION || b->offline_reason == TG_REASON_TOO_LARGE);
    }
}

static void the_largest_message_it_announced_is_taken_and_one_more_byte_is_not(void)
{
    size_t n;
    for (n = 509; n <= 513; n++) {
        bench *b = socket_new();
        uint8_t message[600];
        wire_writer w;
        upgrade(b);
        CHECK_EQ(b->gateway.hello_max_rx, 512);
        wire_open(&w, message, sizeof message);
        wire_byte(&w, 0x2A); /* Command */
        wire_varint(&w, n - 3);
        wire_u32(&w, 1, 5);
        wire_u32(&w, 2, 1);
        wire_byte(&w, 0x22);
        wire_varint(&w, n - w.len - 2);
        while (w.len < n) wire_byte(&w, 'a');
        fake_say_raw(&b->gateway, message, n);
        bench_settle(b);
        CHECK_EQ(b->runs[5], n <= 512);
        CHECK_EQ(b->offline, n > 512);
    }
}

static void a_retry_after_of_years_is_an_hour_p31(void)
{
    bench *b = answered("HTTP/1.1 503 Busy\r\nX: %s\r\nRetry-After: 99999999999\r\n\r\n");
    const uint32_t wait = tg_poll(&b->client);
    CHECK(wait >= 3599000u && wait < 3700000u);
}

static void a_retry_after_in_a_good_response_is_ignored(void)
{
    const bench *b = answered("HTTP/1.1 101 ok\r\nRetry-After: 9\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: tidegate.v1\r\n\r\n");
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
}

static void long_messages_and_small_buffers_work(void)
{
    char text[200];
    uint8_t scratch[220];
    tg_writer w;
    bench *b = socket_new();
    memset(text, 'x', sizeof text);
    text[150] = 0;
    upgrade(b);
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
    CHECK(tg_put_str(&w, 1, span_of(text)) == TG_OK);
    CHECK(tg_telemetry_end(&b->client, &w) == TG_OK);
    bench_settle(b);
    CHECK_EQ(b->gateway.stored_count, 1);
    CHECK_EQ(tg_held(&b->client), 0);
    b = socket_new();
    b->config.tx_bytes = 110; /* the upgrade request passes in pieces */
    b->config.token.len = 0;
    upgrade(b);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
}

static void a_stop_during_the_upgrade_is_immediate(void)
{
    bench *b = socket_new();
    char text[4096];
    until_request(b, text);
    tg_stop(&b->client, TG_REASON_SHUTDOWN);
    CHECK(tg_get_phase(&b->client) == TG_STOPPED);
}

static void a_stop_says_bye(void)
{
    bench *b = socket_new();
    upgrade(b);
    tg_stop(&b->client, TG_REASON_SLEEPING);
    bench_settle(b);
    CHECK(tg_get_phase(&b->client) == TG_STOPPED);
    CHECK_EQ(b->gateway.bye_reason, TG_REASON_SLEEPING);
}

static void a_host_that_does_not_fit_is_refused_at_init(void)
{
    bench *b = socket_new();
    b->config.host.len = 400;
    CHECK(tg_init(&b->client, &b->config) == TG_ERR_TOO_BIG);
}

static void the_session_survives_a_link_that_dies_at_any_byte(void)
{
    long at;
    for (at = 1; at < 900; at += 3) {
        bench *b = socket_new();
        char text[4096];
        char accept[32];
        char answer[512];
        unsigned i;
        bench_open(b);
        b->gateway.die_after = at;
        for (i = 0; i < 4; i++) bench_put(b);
        for (i = 0; i < 4000 && tg_held(&b->client) > 0; i++) {
            const unsigned opens = b->gateway.opens;
            const uint32_t wait = tg_poll(&b->client);
            if (b->gateway.opens != opens && opens > 0) b->gateway.die_after = -1;
            if (wait > 2) b->gateway.now_ms += wait < 500 ? wait : 500;
            if (!(b->client.flags & TG_READY)) {
                take_request(&b->gateway, text);
                if (text[0] == 0) continue;
                accept_of(text, accept);
                sprintf(answer, "HTTP/1.1 101 k\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                        "Sec-WebSocket-Protocol: tidegate.v1\r\n\r\n", accept);
                reply(&b->gateway, answer);
            } else {
                fake_step(&b->gateway);
            }
        }
        CHECK_EQ(tg_held(&b->client), 0);
        CHECK_EQ(b->gateway.stored_count, 4);
        CHECK_EQ(b->gateway.gap_count, 0);
    }
}

int main(void)
{
    RUN(the_request_is_what_the_rfc_and_the_gateway_ask_for);
    RUN(a_device_comes_online_over_websocket_whatever_the_chunks);
    RUN(a_wrong_response_ends_the_attempt);
    RUN(refusals_before_the_upgrade_are_obeyed_p31);
    RUN(a_server_that_never_answers_is_given_up);
    RUN(a_gateway_that_never_welcomes_is_given_up);
    RUN(pings_are_answered_with_their_payload_also_inside_a_message);
    RUN(a_close_is_answered_and_its_reason_understood_p31);
    RUN(what_the_rfc_forbids_ends_the_link);
    RUN(the_largest_message_it_announced_is_taken_and_one_more_byte_is_not);
    RUN(a_retry_after_of_years_is_an_hour_p31);
    RUN(a_retry_after_in_a_good_response_is_ignored);
    RUN(long_messages_and_small_buffers_work);
    RUN(a_stop_during_the_upgrade_is_immediate);
    RUN(a_stop_says_bye);
    RUN(a_host_that_does_not_fit_is_refused_at_init);
    RUN(the_session_survives_a_link_that_dies_at_any_byte);
    return tg_test_done();
}
