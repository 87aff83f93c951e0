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

/* Plays the calls on the SDK's writer; returns the end of what it wrote. */
static uint8_t *play(uint8_t *p, const vector_message *v)
{
    uint8_t *starts[8];
    unsigned depth = 0;
    uint16_t i;
    for (i = 0; i < v->call_count; i++) {
        const vector_call *call = &v->calls[i];
        const tg_span bytes = {call->bytes, call->len};
        switch (call->op) {
        case OP_U32: p = tg_pb_put(p, TG_NUMBER(call->number), call->value); break;
        case OP_FIXED32: p = tg_pb_put(p, TG_FIXED(call->number), call->value); break;
        case OP_BYTES: p = tg_pb_bytes(p, TG_BYTES(call->number), &bytes); break;
        case OP_BEGIN: starts[depth++] = p = tg_pb_begin(p, TG_BYTES(call->number)); break;
        case OP_END: p = tg_pb_end(starts[--depth], p); break;
        case OP_VARINT: p = tg_pb_varint(p, call->value); break;
        case OP_LE32: p = tg_pb_le32(p, call->value); break;
        case OP_BYTE: *p++ = (uint8_t)call->value; break;
        case OP_RAW:
            if (call->len > 0) memcpy(p, call->bytes, call->len);
            p += call->len;
            break;
        }
    }
    return p;
}

static unsigned write_all(const vector_message *vectors, size_t count)
{
    static uint8_t buf[80000];
    unsigned written = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        size_t n;
        if (vectors[i].calls == NULL || vectors[i].len > 16000) continue; /* longer than any device writes */
        n = (size_t)(play(buf, &vectors[i]) - buf);
        if (n != vectors[i].len || memcmp(buf, vectors[i].wire, n) != 0) printf("%s\n", vectors[i].name);
        CHECK_EQ(n, vectors[i].len);
        CHECK(memcmp(buf, vectors[i].wire, n) == 0);
        written++;
    }
    return written;
}

static void what_a_device_writes_is_the_golden_encoding_p28(void)
{
    CHECK(write_all(vectors_uplink, COUNT(vectors_uplink)) > 60);
    CHECK(write_all(vectors_downlink, COUNT(vectors_downlink)) > 30);
}

/* The calls say one flat body; compares it with what the reader found. */
static void compare(const tg_fields *f, const vector_message *v)
{
    uint16_t i;
    for (i = 1; i + 1u < v->call_count; i++) {
        const vector_call *call = &v->calls[i];
        if (call->op == OP_U32 || call->op == OP_FIXED32) CHECK_EQ(f->v[call->number], call->value);
        if (call->op == OP_BYTES && call->len > 0) {
            const uint32_t where = f->v[call->number];
            CHECK(where >> 16 == call->len && memcmp(v->wire + (uint16_t)where, call->bytes, call->len) == 0);
        }
    }
}

/* The numbers of its fields that carry bytes. */
static uint16_t bytes_of(const vector_message *v)
{
    unsigned bits = 0;
    uint16_t i;
    for (i = 1; i + 1u < v->call_count; i++) {
        if (v->calls[i].op == OP_BYTES) bits |= 1u << v->calls[i].number;
    }
    return (uint16_t)bits;
}

static void what_a_gateway_writes_is_read_as_meant_p28(void)
{
    unsigned compared = 0;
    size_t i;
    for (i = 0; i < COUNT(vectors_downlink); i++) {
        const vector_message *v = &vectors_downlink[i];
        tg_fields f;
        CHECK(tg_pb_read(v->wire, TG_WHERE(0, v->len), 0x3FE, &f));
        if (v->calls == NULL) continue;
        CHECK_EQ(f.kind, v->calls[0].number);
        CHECK(tg_pb_read(v->wire, f.v[f.kind], bytes_of(v), &f));
        compare(&f, v);
        compared++;
    }
    CHECK(compared > 30);
    for (i = 0; i < COUNT(vectors_uplink); i++) { /* not ours to read, but well formed all the same */
        const vector_message *v = &vectors_uplink[i];
        tg_fields f;
        CHECK(tg_pb_read(v->wire, TG_WHERE(0, v->len), 0, &f));
    }
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
    b->client.echo.boot_nonce = 0xDEADBEEFu;
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
        b->client.tx_left = n;
        b->client.tx_phase = 1;
        while (b->client.tx_phase != 0) b->config.framing(&b->client, TG_OP_TX);
        if (b->client.tx_left != v->len) printf("%s\n", v->name);
        CHECK_EQ(b->client.tx_left, v->len);
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
        wire_field field;
        if (v->parts > 1) continue;
        b->config.catalog = in;
        while (in.len > 0 && (*in.ptr >> 3) < 4 && wire_next(&in, &field) > 0) b->config.catalog = in;
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
