/* tg_reply.c -- what became of a command, into the reserved room of the outbox [P-13]. */
#include "tg_core.h"

/* The body without the result: three tags and two lengths, id, state. */
#define UPDATE_BYTES 18u

enum { UP_COMMAND_UPDATE = TG_BYTES(6), ID = TG_NUMBER(1), STATE = TG_NUMBER(2), RESULT = TG_BYTES(3), ERROR_TEXT = TG_BYTES(4) };

tg_err tg_reply(tg_client *c, uint32_t command_id, tg_state state, tg_span result)
{
    uint8_t *start;
    uint8_t *p;
    tg_err err;
    if (command_id - 1u >= c->last_command || (uint8_t)(state - 1) >= TG_INTERRUPTED) return TG_ERR_ARG;
    if (result.len > c->tx_room) return TG_ERR_TOO_BIG;
    err = tg_outbox_open(c, TG_UPDATES, (uint16_t)(result.len + UPDATE_BYTES));
    if (err != TG_OK) return err;
    start = tg_pb_begin(tg_outbox_body(c), UP_COMMAND_UPDATE);
    p = tg_pb_put(start, ID, command_id);
    p = tg_pb_put(p, STATE, (uint32_t)state);
    p = tg_pb_bytes(p, state == TG_FAILED ? ERROR_TEXT : RESULT, &result);
    tg_outbox_close(c, TG_UPDATES, tg_pb_end(start, p));
    if (command_id == c->last_command) c->flags |= TG_REPLIED;
#if TG_WITH_STORE
    if (command_id == c->running && state >= TG_SUCCEEDED) c->running = 0;
#endif
    return TG_OK;
}
