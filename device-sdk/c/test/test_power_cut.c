/* test_power_cut.c -- a life of a board, ended at every single write to its flash. Compiled with TG_WITH_STORE=1. */
#include "store_bench.h"

/* A life with saves of every kind. Ends by running out of power, or at its end. */
static void live(bench *b)
{
    unsigned i;
    boot(b);
    for (i = 0; i < 6; i++) bench_put(b);
    (void)tg_save(&b->client);
    bench_online(b);
    for (i = 0; i < 4; i++) {
        bench_put(b);
        bench_pass(b, 50, 50);
    }
    once_command(b, 1);
    bench_settle(b);
    b->gateway.hold_acks = true;
    for (i = 0; i < 8; i++) {
        bench_put(b);
        bench_settle(b);
        if (i % 3 == 2) (void)tg_save(&b->client);
    }
    fake_restart(&b->gateway);
    b->gateway.force_epoch = 0x2000; /* its store was restored: a new epoch [P-8] */
    b->gateway.hold_acks = false;
    bench_pass(b, 20000, 50);
    bench_put(b);
    (void)tg_save(&b->client);
}

/* Nothing that was finished in flash, or acked, is lost; nothing is stored twice; the command ran once at most, and
 * its end is known. */
static void a_cut_at_every_write_loses_nothing_that_was_saved_and_doubles_nothing(void)
{
    static long at;
    for (at = 0; at < 100000; at++) {
        bench *b = store_new();
        uint32_t value;
        uint32_t promised;
        static bool lived;
        lived = false;
        units_left = at;
        if (setjmp(cut) == 0) {
            live(b);
            lived = true;
        }
        b = &table;
        promised = kept;
        units_left = -1;
        b->gateway.hold_acks = false;
        b->gateway.force_epoch = 0;
        boot(b);
        bench_put(b);
        bench_pass(b, 60000, 250);
        CHECK_EQ(tg_held(&b->client), 0);
        for (value = 1; value <= promised; value++) CHECK(times_stored(b, value) >= 1);
        for (value = 1; value <= 10; value++) CHECK(times_stored(b, value) <= 1); /* all before the epoch was taken away */
        CHECK_EQ(times_stored(b, b->put), 1);
        CHECK(b->runs[1] <= 1);
        if (b->runs[1] == 1) {
            CHECK(fake_has_update(&b->gateway, 1, TG_SUCCEEDED) || fake_has_update(&b->gateway, 1, TG_INTERRUPTED));
        }
        CHECK_EQ(b->gateway.violations, 0);
        if (lived) {
            printf("# %ld places to cut\n", at);
            CHECK(at > 100);
            return;
        }
    }
    CHECK(!"a life that does not end");
}

int main(void)
{
    RUN(a_cut_at_every_write_loses_nothing_that_was_saved_and_doubles_nothing);
    return tg_test_done();
}
