/* tg_store.h -- what survives a power cut or deep sleep: held messages, the epoch, the last command. Optional: compile the
 * SDK and your application with -DTG_WITH_STORE=1.
 *
 *   static tg_store store = {.read = …, .write = …, .erase = …, .slots = 4, .slot_bytes = 1024};
 *   config.store = &store;
 *   tg_init(&client, &config);
 *   tg_load(&client);                                    before the first poll
 *   …
 *   tg_save(&client);                                    before deep sleep, or every few minutes
 *
 *   flash    | slot 0 | slot 1 | slot 2 | slot 3 |       each save takes the next slot: n slots wear a n-th
 *   slot     | head, 40 bytes, CRC-32 last | held messages, as they stand in the ring |
 *
 * A save erases the slot, writes the messages, then the head. Whenever the power fails the slot before it still stands,
 * whole, and an unfinished one does not pass its CRC.
 *
 * The SDK saves by itself when that is a rule: before the first message of a new epoch [P-9], and before an at-most-once
 * command runs [P-17]. All else may be lazy: what was not saved in time is the open end of an epoch, which the gateway
 * lists. After a restart the saved messages go first, under the epoch they were numbered in [P-9]; meanwhile new ones are
 * queued behind them, and get their numbers afterwards. Every telemetry message carries the boot it was measured in.
 */
#ifndef TG_STORE_H
#define TG_STORE_H

#include "tg_client.h"

#if TG_WITH_STORE

#ifdef __cplusplus
extern "C" {
#endif

/* Memory that keeps its bytes. Unlike a port, these calls may take as long as the flash does; so does the poll they
 * happen in. `at` is a byte offset, a multiple of 8 in write and of slot_bytes in erase; `n` is a multiple of 8 in write.
 * All return 0, or < 0 when it failed.
 *
 *   read    n bytes
 *   write   n bytes, to where erase was called since
 *   erase   a slot; nothing to do on EEPROM and FRAM
 */
typedef struct tg_store {
    int16_t (*read)(void *ctx, uint32_t at, uint8_t *p, uint16_t n);
    int16_t (*write)(void *ctx, uint32_t at, const uint8_t *p, uint16_t n);
    int16_t (*erase)(void *ctx, uint32_t at, uint32_t n);
    void *ctx;
    uint32_t slot_bytes; /* >= 48 + ring_bytes, a multiple of the flash's erase unit */
    uint8_t slots;       /* >= 2 */

    /* Private. */
    uint8_t slot;        /* the newest */
    uint32_t generation; /* of the newest; 0: none */
    uint16_t failures;   /* saves that failed; to be read */
} tg_store;

/* Takes what was saved last into the ring. Call it once, after tg_init() and before the first poll.
 *
 * Returns TG_OK, also when there was nothing, or
 *   TG_ERR_ARG      no store is configured, or it has fewer than 2 slots
 *   TG_ERR_STATE    messages were queued already
 *   TG_ERR_TOO_BIG  what was saved does not fit the ring as it is configured now; nothing was taken
 */
tg_err tg_load(tg_client *client);

/* Writes what is held to the next slot.
 *
 * Returns TG_OK, or
 *   TG_ERR_ARG       no store is configured
 *   TG_ERR_NO_SPACE  slot_bytes is too small
 *   TG_ERR_STATE     the flash failed; what was saved before still stands, and store->failures counts
 */
tg_err tg_save(tg_client *client);

#ifdef __cplusplus
}
#endif
#endif
#endif
