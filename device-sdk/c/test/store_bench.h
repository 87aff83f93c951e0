/* store_bench.h -- flash in RAM that can lose its power at every write, and a board that comes up again. For programs
 * compiled with TG_WITH_STORE=1. */
#ifndef STORE_BENCH_H
#define STORE_BENCH_H

#include <setjmp.h>

#include "bench.h"

#define SLOTS 3u
#define SLOT_BYTES 1536u
#define UNIT 8u

static uint8_t flash[SLOTS * SLOT_BYTES];
static unsigned erases[SLOTS];
static long units_left; /* until the power fails; < 0: it does not */
static bool fails;      /* every write says so */
static bool is_deaf;    /* every read does */
static int calls_left;  /* until one erase or write fails; < 0: none does */
static uint32_t kept;   /* readings queued when the last image was finished */
static jmp_buf cut;
static tg_store store;

static void spend(void)
{
    if (units_left == 0) longjmp(cut, 1);
    if (units_left > 0) units_left--;
}

static int16_t flash_read(void *ctx, uint32_t at, uint8_t *p, uint16_t n)
{
    (void)ctx;
    CHECK(at + n <= sizeof flash);
    memcpy(p, flash + at, n);
    return is_deaf ? -1 : 0;
}

static int16_t flash_write(void *ctx, uint32_t at, const uint8_t *p, uint16_t n)
{
    uint16_t i;
    uint16_t k;
    (void)ctx;
    CHECK(at % UNIT == 0 && n % UNIT == 0 && at + n <= sizeof flash);
    for (i = 0; i < n; i = (uint16_t)(i + UNIT)) {
        for (k = 0; k < UNIT; k++) {
            CHECK_EQ(flash[at + i + k], 0xFF); /* flash is written once between erasures */
            if (k == 3) spend();               /* a unit can be torn */
            flash[at + i + k] = p[i + k];
        }
    }
    if (at % store.slot_bytes == 0) kept = table.put;
    return fails || calls_left-- == 0 ? -1 : 0;
}

static int16_t flash_erase(void *ctx, uint32_t at, uint32_t n)
{
    (void)ctx;
    CHECK(at % store.slot_bytes == 0 && n == store.slot_bytes);
    erases[at / store.slot_bytes]++;
    memset(flash + at, 0xFF, n / 2);
    spend(); /* half erased */
    memset(flash + at + n / 2, 0xFF, n / 2);
    return calls_left-- == 0 ? -1 : 0;
}

static inline bench *store_new(void)
{
    bench *b = bench_new();
    memset(flash, 0xFF, sizeof flash);
    memset(erases, 0, sizeof erases);
    memset(&store, 0, sizeof store);
    store.read = flash_read;
    store.write = flash_write;
    store.erase = flash_erase;
    store.slots = SLOTS;
    store.slot_bytes = SLOT_BYTES;
    b->config.store = &store;
    b->config.ring_bytes = 1024;
    units_left = -1;
    fails = false;
    is_deaf = false;
    calls_left = -1;
    kept = 0;
    return b;
}

/* The board comes up: RAM is lost, flash and gateway are not. */
static inline void boot(bench *b)
{
    memset(b->ring, 0x5A, sizeof b->ring);
    store.slot = 0;
    store.generation = 77; /* tg_load() knows better */
    b->gateway.is_open = false;
    b->gateway.session = false;
    b->gateway.durable = b->gateway.accepted; /* Hello waits for the storage queue [P-4] */
    b->gateway.up.head = b->gateway.up.tail = 0;
    b->gateway.down.head = b->gateway.down.tail = 0;
    b->gateway.frame_len = 0;
    bench_open(b);
    CHECK(tg_load(&b->client) == TG_OK);
}

static inline void once_command(bench *b, uint32_t id)
{
    uint8_t buf[16];
    wire_writer w;
    wire_open(&w, buf, sizeof buf);
    wire_u32(&w, 1, id);
    wire_u32(&w, 2, 1);
    wire_u32(&w, 6, 1); /* at most once */
    fake_say(&b->gateway, 5, &w);
}

static inline unsigned times_stored(const bench *b, uint32_t value)
{
    unsigned n = 0;
    size_t i;
    for (i = 0; i < b->gateway.stored_count; i++) n += b->gateway.stored[i].value == value;
    return n;
}

#endif
