/* test_store.c -- what survives a restart: saved messages, the epoch, the last command. Compiled with TG_WITH_STORE=1. */
#include "store_bench.h"

static void saved_messages_are_drained_under_their_epoch_before_new_ones_get_numbers_p9(void)
{
    bench *b = store_new();
    unsigned i;
    boot(b);
    bench_online(b);
    b->gateway.hold_acks = true;
    for (i = 0; i < 5; i++) bench_put(b);
    bench_settle(b);
    CHECK(tg_save(&b->client) == TG_OK);
    b->gateway.accepted = 0; /* the gateway restarted, too, before its commit */
    b->gateway.stored_count = 0;
    boot(b);
    for (i = 0; i < 3; i++) bench_put(b); /* before the gateway is reached */
    b->gateway.hold_acks = false;
    b->gateway.mute = true;
    bench_settle(b);
    CHECK(b->gateway.hello_closing);
    CHECK_EQ(b->gateway.hello_next_seq, 6);
    CHECK_EQ(b->gateway.hello_oldest, 1);
    b->gateway.mute = false;
    bench_pass(b, 20000, 20);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
    CHECK_EQ(b->gateway.epoch, 0x1002);
    CHECK(!b->gateway.hello_closing);
    CHECK_EQ(b->gateway.durable, 3);
    for (i = 1; i <= 8; i++) CHECK_EQ(times_stored(b, i), 1);
    bench_accounts(b, 0x1001, 5);
    bench_accounts(b, 0x1002, 3);
}

static void saved_messages_that_are_evicted_before_they_are_sent_are_listed_p1(void)
{
    bench *b = store_new();
    unsigned i;
    boot(b);
    bench_online(b);
    b->gateway.window = 0;
    fake_number(&b->gateway, 6, 1, 0); /* Flow: stop */
    bench_settle(b);
    for (i = 0; i < 3; i++) bench_put(b);
    CHECK(tg_save(&b->client) == TG_OK);
    b->gateway.window = 8;
    boot(b);
    for (i = 0; i < 60; i++) bench_put(b); /* the saved ones have to go */
    CHECK(b->dropped > 3);
    bench_online(b);
    bench_pass(b, 30000, 20);
    CHECK_EQ(tg_held(&b->client), 0);
    CHECK_EQ(b->gateway.gaps[0].epoch, 0x1001);
    CHECK_EQ(b->gateway.gaps[0].from, 1);
    CHECK_EQ(b->gateway.gaps[0].to, 3);
    CHECK_EQ(times_stored(b, 63), 1);
}

static void an_image_older_than_the_last_acks_is_told_that_all_of_it_is_safe_p9(void)
{
    bench *b = store_new();
    unsigned i;
    boot(b);
    bench_online(b);
    b->gateway.hold_acks = true;
    for (i = 0; i < 4; i++) bench_put(b);
    CHECK(tg_save(&b->client) == TG_OK);
    b->gateway.hold_acks = false;
    for (i = 0; i < 4; i++) {
        bench_put(b);
        bench_pass(b, 100, 50);
    }
    CHECK_EQ(b->gateway.durable, 8);
    boot(b);
    bench_pass(b, 20000, 20);
    CHECK_EQ(b->gateway.stored_count, 8);
    CHECK_EQ(b->gateway.duplicates, 0);
    CHECK_EQ(tg_held(&b->client), 0);
}

static void what_was_saved_before_the_first_session_keeps_its_numbers_p6(void)
{
    bench *b = store_new();
    boot(b);
    bench_put(b);
    bench_put(b);
    CHECK(tg_save(&b->client) == TG_OK);
    boot(b);
    bench_put(b);
    bench_online(b);
    bench_pass(b, 3000, 20);
    CHECK_EQ(b->gateway.epoch, 0x1001);
    CHECK_EQ(b->gateway.durable, 3);
}

static void a_foreign_epoch_while_draining_takes_old_and_new_p7(void)
{
    bench *b = store_new();
    boot(b);
    bench_online(b);
    b->gateway.window = 0;
    fake_number(&b->gateway, 6, 1, 0); /* Flow: stop */
    bench_settle(b);
    bench_put(b);
    CHECK(tg_save(&b->client) == TG_OK);
    b->gateway.window = 8;
    boot(b);
    bench_put(b);
    b->gateway.force_epoch = 0x999;
    bench_online(b);
    bench_pass(b, 3000, 20);
    CHECK_EQ(b->gateway.epoch, 0x999);
    CHECK_EQ(b->gateway.durable, 2);
    CHECK_EQ(b->renumbered, 1);
}

static void a_recorded_command_without_a_result_is_reported_interrupted_p19(void)
{
    bench *b = store_new();
    boot(b);
    bench_online(b);
    b->answer = TG_RECEIVED; /* it runs, and never ends */
    once_command(b, 5);
    bench_settle(b);
    CHECK_EQ(b->runs[5], 1);
    boot(b);
    CHECK_EQ(b->client.last_command, 5);
    bench_online(b);
    bench_pass(b, 3000, 20);
    CHECK(fake_has_update(&b->gateway, 5, TG_INTERRUPTED));
    once_command(b, 5); /* known */
    bench_settle(b);
    CHECK_EQ(b->runs[5], 1);
    b->answer = TG_SUCCEEDED;
    once_command(b, 6);
    bench_settle(b);
    CHECK(tg_save(&b->client) == TG_OK); /* with its result */
    boot(b);
    bench_online(b);
    bench_pass(b, 3000, 20);
    CHECK(fake_has_update(&b->gateway, 6, TG_SUCCEEDED));
    CHECK(!fake_has_update(&b->gateway, 6, TG_INTERRUPTED));
}

static void without_a_record_an_at_most_once_command_does_not_run_p17(void)
{
    bench *b = store_new();
    boot(b);
    bench_online(b);
    fails = true;
    once_command(b, 5);
    bench_settle(b);
    CHECK_EQ(b->runs[5], 0);
    CHECK_EQ(tg_get_stats(&b->client)->deferred, 1);
    CHECK_EQ(b->client.last_command, 0);
    CHECK(store.failures > 0);
    fails = false;
    fake_command(&b->gateway, 4, 1, 0); /* at least once needs no record */
    once_command(b, 5);
    bench_settle(b);
    CHECK_EQ(b->runs[4], 1);
    CHECK_EQ(b->runs[5], 1);
}

static void every_telemetry_message_names_its_boot_p9(void)
{
    bench *b = store_new();
    const uint8_t *body;
    uint8_t scratch[24];
    tg_writer w;
    boot(b);
    CHECK(bench_put(b) == TG_OK);
    body = b->client.ring_end - 5;
    CHECK_EQ(body[0], 4 << 3 | 5);
    CHECK_EQ(tg_pb_get32(body + 1), b->client.echo.boot_nonce);
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
    while (tg_put_i32(&w, 1, 1) == TG_OK) {
    }
    CHECK(w.len + 6u <= sizeof scratch); /* its room is kept free */
    bench_put(b);
    bench_online(b);
    CHECK_EQ(b->gateway.durable, 2);
}

static void what_does_not_fit_or_is_no_image_is_not_taken(void)
{
    bench *b = store_new();
    unsigned i;
    boot(b);
    CHECK(tg_load(&b->client) == TG_OK);
    bench_put(b);
    CHECK(tg_load(&b->client) == TG_ERR_STATE);
    for (i = 0; i < 25; i++) bench_put(b);
    CHECK(tg_save(&b->client) == TG_OK);
    b->config.ring_bytes = 700; /* the new firmware has less room: the bytes fit, the share does not */
    bench_open(b);
    CHECK(tg_load(&b->client) == TG_ERR_TOO_BIG);
    CHECK_EQ(tg_held(&b->client), 0);
    CHECK(bench_put(b) == TG_OK);
    b->config.ring_bytes = 128;
    bench_open(b);
    CHECK(tg_load(&b->client) == TG_OK); /* no image that fits at all */
    b->config.ring_bytes = 1024;
    store.slot_bytes = 48;
    CHECK(tg_save(&b->client) == TG_OK);
    CHECK(bench_put(b) == TG_OK);
    CHECK(tg_save(&b->client) == TG_ERR_NO_SPACE);
    store.slots = 1;
    CHECK(tg_save(&b->client) == TG_ERR_ARG);
    CHECK(tg_load(&b->client) == TG_ERR_ARG);
    b->config.store = NULL;
    CHECK(tg_save(&b->client) == TG_ERR_ARG);
    CHECK(tg_load(&b->client) == TG_ERR_ARG);
}

static void small_catalog(bench *b)
{
    tg_writer w;
    tg_signal signal;
    memset(&signal, 0, sizeof signal);
    signal.id = 1;
    signal.key = "n";
    signal.type = TG_INT;
    CHECK(tg_catalog_begin(&w, b->catalog, sizeof b->catalog) == TG_OK);
    CHECK(tg_catalog_signal(&w, &signal) == TG_OK);
    b->config.catalog = tg_catalog_end(&w);
    b->config.send_catalog = tg_send_catalog;
    b->gateway.want_catalog = true;
}

static void numbers_that_a_catalog_moved_are_saved_before_they_are_used_p9(void)
{
    bench *b = store_new();
    unsigned i;
    small_catalog(b);
    boot(b);
    for (i = 0; i < 5; i++) bench_put(b);
    b->gateway.window = 2; /* the catalog and the first reading */
    b->gateway.hold_acks = true;
    bench_online(b);
    CHECK_EQ(b->gateway.accepted, 2);
    CHECK_EQ(b->gateway.early, 0);
    b->gateway.window = 16;
    b->gateway.hold_acks = false;
    boot(b); /* a power cut: what the last Welcome saved knew nothing of the catalog */
    bench_online(b);
    bench_pass(b, 20000, 20);
    for (i = 1; i <= 5; i++) CHECK_EQ(times_stored(b, i), 1);
    CHECK_EQ(tg_held(&b->client), 0);
}

static void a_catalog_waits_until_an_older_epoch_is_drained_p9(void)
{
    bench *b = store_new();
    unsigned i;
    boot(b);
    b->gateway.hold_acks = true;
    bench_online(b);
    for (i = 0; i < 3; i++) bench_put(b);
    bench_settle(b);
    CHECK(tg_save(&b->client) == TG_OK);
    b->gateway.accepted = 0; /* the gateway restarted, too, before its commit */
    b->gateway.stored_count = 0;
    b->gateway.hold_acks = false;
    small_catalog(b);
    boot(b);
    for (i = 0; i < 2; i++) bench_put(b);
    bench_pass(b, 20000, 20);
    CHECK_EQ(b->gateway.epoch, 0x1002);
    CHECK(b->gateway.catalog_whole);
    bench_accounts(b, 0x1001, 3); /* no number of it went to the catalog */
    for (i = 1; i <= 5; i++) CHECK_EQ(times_stored(b, i), 1);
}

static void parts_of_a_catalog_are_not_taken_out_of_an_older_firmware(void)
{
    bench *b = store_new();
    small_catalog(b);
    b->gateway.hold_acks = true;
    boot(b);
    bench_put(b);
    bench_online(b);
    CHECK_EQ(tg_held(&b->client), 2);
    CHECK(tg_save(&b->client) == TG_OK);
    b->config.send_catalog = NULL;
    b->gateway.want_catalog = false;
    b->gateway.hold_acks = false;
    boot(b);
    CHECK_EQ(tg_held(&b->client), 1);
    bench_online(b);
    bench_pass(b, 20000, 20);
    CHECK_EQ(times_stored(b, 1), 1);
}

static void a_flash_that_fails_at_any_call_leaves_the_image_before(void)
{
    int at;
    for (at = 0; at < 4; at++) { /* erase, whole units, the rest, head */
        bench *b = store_new();
        boot(b);
        bench_put(b);
        CHECK(tg_save(&b->client) == TG_OK);
        bench_put(b);
        calls_left = at;
        CHECK(tg_save(&b->client) == TG_ERR_STATE);
        CHECK_EQ(store.failures, 1);
        if (at == 3) continue; /* it said so, but was written */
        boot(b);
        CHECK_EQ(tg_held(&b->client), 1);
        is_deaf = true;
        boot(b);
        CHECK_EQ(tg_held(&b->client), 0);
    }
}

/* An image whose CRC is right and whose content is not: another firmware's, or a mistake of ours. */
static void forged(void (*damage)(bench *b))
{
    bench *b = store_new();
    boot(b);
    bench_put(b);
    bench_put(b);
    once_command(b, 9);
    bench_online(b);
    damage(b);
    CHECK(tg_save(&b->client) == TG_OK);
    bench_open(b);
    CHECK(tg_load(&b->client) == TG_ERR_TOO_BIG);
    CHECK_EQ(tg_held(&b->client), 0);
    CHECK_EQ(b->client.updates, 0);
    CHECK(bench_put(b) == TG_OK);
}

static void hold(bench *b)
{
    b->gateway.hold_acks = true;
    bench_put(b);
    bench_put(b);
}

static void longer_than_the_rest(bench *b)
{
    hold(b);
    b->client.ring_head[4] = 200;
}

static void falling_numbers(bench *b)
{
    hold(b);
    b->client.ring_head[0] = 99;
}

static void numbers_past_the_next(bench *b)
{
    hold(b);
    b->client.next_seq = 2;
}

static void half_a_head(bench *b)
{
    hold(b);
    b->client.ring_end += 3;
}

static void too_many_updates(bench *b)
{
    uint8_t *at;
    unsigned i;
    hold(b);
    for (i = 0; i < 12; i++) bench_put(b);
    for (at = b->client.ring_head; at != b->client.ring_end; at = tg_outbox_after(at)) at[5] |= 0x80;
}

static void an_image_whose_content_makes_no_sense_is_not_taken(void)
{
    forged(longer_than_the_rest);
    forged(falling_numbers);
    forged(numbers_past_the_next);
    forged(half_a_head);
    forged(too_many_updates);
}

static void without_a_store_everything_is_as_without_the_switch(void)
{
    bench *b = store_new();
    b->config.store = NULL;
    bench_open(b);
    bench_put(b);
    bench_online(b);
    once_command(b, 1);
    bench_settle(b);
    CHECK_EQ(b->runs[1], 1);
    CHECK_EQ(b->gateway.durable, 2);
}

static void saves_go_round_so_that_no_slot_wears_more(void)
{
    bench *b = store_new();
    unsigned i;
    boot(b);
    for (i = 0; i < 30; i++) CHECK(tg_save(&b->client) == TG_OK);
    for (i = 0; i < SLOTS; i++) CHECK_EQ(erases[i], 10);
}

int main(void)
{
    RUN(saved_messages_are_drained_under_their_epoch_before_new_ones_get_numbers_p9);
    RUN(saved_messages_that_are_evicted_before_they_are_sent_are_listed_p1);
    RUN(an_image_older_than_the_last_acks_is_told_that_all_of_it_is_safe_p9);
    RUN(what_was_saved_before_the_first_session_keeps_its_numbers_p6);
    RUN(a_foreign_epoch_while_draining_takes_old_and_new_p7);
    RUN(a_recorded_command_without_a_result_is_reported_interrupted_p19);
    RUN(without_a_record_an_at_most_once_command_does_not_run_p17);
    RUN(every_telemetry_message_names_its_boot_p9);
    RUN(what_does_not_fit_or_is_no_image_is_not_taken);
    RUN(numbers_that_a_catalog_moved_are_saved_before_they_are_used_p9);
    RUN(a_catalog_waits_until_an_older_epoch_is_drained_p9);
    RUN(parts_of_a_catalog_are_not_taken_out_of_an_older_firmware);
    RUN(a_flash_that_fails_at_any_call_leaves_the_image_before);
    RUN(an_image_whose_content_makes_no_sense_is_not_taken);
    RUN(without_a_store_everything_is_as_without_the_switch);
    RUN(saves_go_round_so_that_no_slot_wears_more);
    return tg_test_done();
}
