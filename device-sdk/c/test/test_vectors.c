/* test_vectors.c -- the golden vectors of proto, run by the C edition: byte-identical with every other implementation. */
#include "bench.h"

typedef enum vector_op { OP_U32, OP_FIXED32, OP_BYTES, OP_BEGIN, OP_END, OP_VARINT, OP_LE32, OP_BYTE, OP_RAW } vector_op;

typedef struct vector_call {
    vector_op op;
    uint8_t number;
    uint32_t value;
    const uint8_t *bytes;
    uint16_t len;
} vector_call;

typedef struct vector_message {
    const char *name;
    const uint8_t *wire;
    uint16_t len;
    const vector_call *calls; /* NULL: a device never writes it */
    uint16_t call_count;
} vector_message;

typedef struct vector_invalid {
    const char *name;
    const uint8_t *wire;
    uint16_t len;
    const char *error;
    bool downlink;
} vector_invalid;

typedef struct vector_stream {
    const char *name;
    const uint8_t *wire;
    uint16_t len;
    const uint8_t *messages; /* each: length (2 bytes, big-endian), bytes */
    uint16_t messages_len;
    uint16_t bad;
    uint16_t limit;
    bool decode_only;
} vector_stream;

typedef struct vector_catalog {
    const char *name;
    const uint8_t *wire;
    uint16_t len;
    uint32_t hash;
    uint8_t parts;
} vector_catalog;

#include "vectors.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void play(tg_writer *w, const vector_message *v)
{
    uint16_t marks[8];
    unsigned depth = 0;
    uint16_t i;
    for (i = 0; i < v->call_count; i++) {
        const vector_call *call = &v->calls[i];
        const tg_span bytes = {call->bytes, call->len};
        switch (call->op) {
        case OP_U32: tg_pb_u32(w, call->number, call->value); break;
        case OP_FIXED32: tg_pb_fixed32(w, call->number, call->value); break;
        case OP_BYTES: tg_pb_bytes(w, call->number, bytes); break;
        case OP_BEGIN: marks[depth++] = tg_pb_begin(w, call->number); break;
        case OP_END: tg_pb_end(w, marks[--depth]); break;
        case OP_VARINT: tg_pb_varint(w, call->value); break;
        case OP_LE32: tg_pb_le32(w, call->value); break;
        case OP_BYTE: tg_pb_byte(w, (uint8_t)call->value); break;
        case OP_RAW: tg_pb_raw(w, call->bytes, call->len); break;
        }
    }
}

static unsigned write_all(const vector_message *vectors, size_t count)
{
    static uint8_t buf[4096];
    unsigned written = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        tg_writer w;
        uint16_t cap;
        if (vectors[i].calls == NULL) continue;
        tg_pb_open(&w, buf, sizeof buf);
        play(&w, &vectors[i]);
        if (w.failed || w.len != vectors[i].len || memcmp(buf, vectors[i].wire, w.len) != 0) printf("%s\n", vectors[i].name);
        CHECK(!w.failed);
        CHECK_EQ(w.len, vectors[i].len);
        CHECK(memcmp(buf, vectors[i].wire, w.len) == 0);
        for (cap = 0; cap < vectors[i].len; cap++) { /* one byte too few, or many: never a byte beyond */
            buf[cap] = 0xA5;
            tg_pb_open(&w, buf, cap);
            play(&w, &vectors[i]);
            CHECK(w.failed);
            CHECK(buf[cap] == 0xA5);
        }
        written++;
    }
    return written;
}

static void what_a_device_writes_is_the_golden_encoding_p28(void)
{
    CHECK(write_all(vectors_uplink, COUNT(vectors_uplink)) > 60);
    CHECK(write_all(vectors_downlink, COUNT(vectors_downlink)) > 30);
}

/* Reads `in` against the calls from `*at` on; nested messages recursively (a test may). */
static void compare(tg_span in, const vector_message *v, uint16_t *at)
{
    tg_field field;
    while (*at < v->call_count && v->calls[*at].op != OP_END) {
        const vector_call *call = &v->calls[(*at)++];
        if ((call->op == OP_U32 || call->op == OP_FIXED32) && call->value == 0) continue;
        if (call->op == OP_BYTES && call->len == 0) continue;
        if (call->op == OP_RAW) {
            CHECK(in.len == call->len && memcmp(in.ptr, call->bytes, in.len) == 0);
            in.len = 0;
            continue;
        }
        if (call->op == OP_VARINT || call->op == OP_LE32) { /* a packed column: the writer's test covers it */
            in.len = 0;
            continue;
        }
        if (call->op == OP_BYTE) { /* the base of Telemetry: tag, then its varint */
            CHECK(tg_pb_next(&in, &field) == 1);
            CHECK(field.number == 1 && field.value == v->calls[(*at)++].value);
            continue;
        }
        CHECK(tg_pb_next(&in, &field) == 1);
        CHECK_EQ(field.number, call->number);
        if (call->op == OP_BEGIN) {
            CHECK_EQ(field.wire, 2);
            compare(field.bytes, v, at);
            CHECK(v->calls[*at].op == OP_END);
            (*at)++;
        } else if (call->op == OP_BYTES) {
            CHECK(field.wire == 2 && field.bytes.len == call->len && memcmp(field.bytes.ptr, call->bytes, call->len) == 0);
        } else {
            CHECK_EQ(field.value, call->value);
            CHECK_EQ(field.wire, call->op == OP_U32 ? 0 : 5);
        }
    }
    CHECK_EQ(in.len, 0);
}

static void read_all(const vector_message *vectors, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        tg_span in = {vectors[i].wire, vectors[i].len};
        tg_field field;
        uint16_t at = 0;
        int8_t got;
        if (vectors[i].calls != NULL) compare(in, &vectors[i], &at);
        while ((got = tg_pb_next(&in, &field)) > 0) {
        }
        CHECK_EQ(got, 0); /* read-only ones at least hold together */
    }
}

static void what_a_gateway_writes_is_read_as_meant_p28(void)
{
    read_all(vectors_uplink, COUNT(vectors_uplink));
    read_all(vectors_downlink, COUNT(vectors_downlink));
}

/* A device online, and a message said to it. */
static bench *told(const uint8_t *message, uint16_t n)
{
    bench *b = bench_new();
    b->config.rx_bytes = sizeof b->rx;
    bench_open(b);
    bench_online(b);
    if (n > 0) fake_say_raw(&b->gateway, message, n);
    (void)tg_poll(&b->client);
    while (b->client.flags & TG_MORE) (void)tg_poll(&b->client);
    return b;
}

static void every_downlink_vector_is_survived_and_only_byes_end_the_session(void)
{
    size_t i;
    for (i = 0; i < COUNT(vectors_downlink); i++) {
        const vector_message *v = &vectors_downlink[i];
        const bench *b = told(v->wire, v->len);
        const bool bye = v->wire[0] == 0x3A;
        if (v->len > TG_SERIAL_BYTES_MAX) continue;
        if (v->len > 0 && v->wire[0] == 0x42) continue; /* say hello: greets again */
        CHECK_EQ(b->client.stats.rx_bad, 0);
        CHECK_EQ(b->offline + b->refused, bye);
    }
}

static void broken_vectors_end_the_session_and_nothing_worse_p29(void)
{
    unsigned ended = 0;
    size_t i;
    for (i = 0; i < COUNT(vectors_invalid); i++) {
        const vector_invalid *v = &vectors_invalid[i];
        const bench *b = told(v->wire, v->len);
        if (!v->downlink || v->len == 0) continue;
        if (strcmp(v->error, "truncated") == 0 || strcmp(v->error, "malformed") == 0) {
            CHECK_EQ(b->offline_reason, TG_REASON_MALFORMED);
            ended++;
        }
    }
    CHECK(ended > 0);
}

static void hello_is_the_golden_one_p6(void)
{
    const vector_message *v = &vectors_uplink[0];
    bench *b = bench_new();
    uint8_t got[300];
    size_t n;
    b->config.device_id = span_of("greenhouse-1");
    b->config.firmware = span_of("2.4.1");
    b->config.model = span_of("esp32-c3");
    b->config.token.len = 0;
    b->config.rx_bytes = 1029;
    b->config.ring_bytes = 1024;
    b->gateway.now_ms = 1234;
    b->gateway.mute = true;
    bench_open(b);
    b->client.boot_nonce = 0xDEADBEEFu;
    b->client.catalog_hash = 305419896u;
    while (tg_poll(&b->client) == 0) {
    }
    n = b->gateway.up.tail;
    CHECK(b->gateway.up.bytes[0] == 0 && b->gateway.up.bytes[n - 1] == 0); /* [P-38] */
    n = fake_unframe(b->gateway.up.bytes + 1, n - 2, got);
    CHECK_EQ(n, v->len);
    CHECK(memcmp(got, v->wire, n) == 0);
}

/* The SDK's own framing and the golden streams. */
static void golden_frames_are_written_to_the_byte_p37(void)
{
    unsigned written = 0;
    size_t i;
    for (i = 0; i < COUNT(vectors_stream); i++) {
        const vector_stream *v = &vectors_stream[i];
        bench *b = bench_new();
        const uint16_t n = (uint16_t)(v->messages_len - 2u);
        if (v->decode_only) continue;
        b->config.tx_bytes = sizeof b->tx;
        bench_open(b);
        memcpy(b->tx + 1, v->messages + 2, n);
        b->client.tx_at = 1;
        b->client.tx_len = (uint16_t)(n + 1u);
        b->client.tx_phase = 1;
        while (b->client.tx_phase != 0) b->config.framing(&b->client, TG_OP_TX);
        if (b->client.tx_len != v->len) printf("%s\n", v->name);
        CHECK_EQ(b->client.tx_len, v->len);
        CHECK(memcmp(b->tx, v->wire, v->len) == 0);
        written++;
    }
    CHECK(written > 10);
}

static void golden_streams_are_read_as_meant_p37(void)
{
    size_t i;
    size_t step;
    for (step = 1; step < 300; step += 37) {
        for (i = 0; i < COUNT(vectors_stream); i++) {
            const vector_stream *v = &vectors_stream[i];
            const uint8_t *expected = v->messages;
            bench *b = bench_new();
            unsigned idle = 0;
            if (v->limit == 16) continue; /* below what this edition allows */
            b->config.rx_bytes = (uint16_t)(v->limit + 5u);
            b->gateway.recv_max = step;
            bench_open(b);
            b->gateway.mute = true;
            while (tg_poll(&b->client) == 0) {
            }
            fake_put_raw(&b->gateway, v->wire, v->len);
            while (idle < 3) {
                const int16_t n = b->config.framing(&b->client, TG_OP_RX);
                CHECK(n >= 0);
                idle = n == 0 && b->gateway.down.head == b->gateway.down.tail ? idle + 1 : 0;
                if (n == 0) continue;
                CHECK(expected + 2 <= v->messages + v->messages_len);
                CHECK_EQ(n, expected[0] << 8 | expected[1]);
                CHECK(memcmp(b->rx, expected + 2, (size_t)n) == 0);
                expected += 2 + n;
            }
            CHECK(expected == v->messages + v->messages_len);
            CHECK(b->client.stats.rx_bad == v->bad);
        }
    }
}

static void the_hash_of_a_catalog_is_the_golden_one_p26(void)
{
    size_t i;
    for (i = 0; i < COUNT(vectors_catalog); i++) {
        const vector_catalog *v = &vectors_catalog[i];
        bench *b = bench_new();
        tg_span in = {v->wire, v->len};
        tg_field field;
        if (v->parts > 1) continue;
        b->config.catalog = in;
        while (in.len > 0 && (*in.ptr >> 3) < 4 && tg_pb_next(&in, &field) > 0) b->config.catalog = in;
        b->config.send_catalog = tg_send_catalog;
        bench_open(b);
        CHECK_EQ(b->client.catalog_hash, v->hash);
    }
}

int main(void)
{
    RUN(what_a_device_writes_is_the_golden_encoding_p28);
    RUN(what_a_gateway_writes_is_read_as_meant_p28);
    RUN(every_downlink_vector_is_survived_and_only_byes_end_the_session);
    RUN(broken_vectors_end_the_session_and_nothing_worse_p29);
    RUN(hello_is_the_golden_one_p6);
    RUN(golden_frames_are_written_to_the_byte_p37);
    RUN(golden_streams_are_read_as_meant_p37);
    RUN(the_hash_of_a_catalog_is_the_golden_one_p26);
    return tg_test_done();
}
