/* tg_reply.c -- what became of a command, into the reserved room of the outbox [P-13]. */
#include "tg_core.h"

/* The body without the result: three tags and two lengths, id, state. */
#define UPDATE_BYTES 18u

enum { UP_COMMAND_UPDATE = 6, RESULT = 3, ERROR_TEXT = 4 };

tg_err tg_reply(tg_client *c, uint32_t command_id, tg_state state, tg_span result)
{
    uint8_t *body;
    uint8_t *start;
    uint8_t *p;
    tg_err err;
    if (command_id - 1u >= c->last_command || (uint8_t)(state - 1) >= TG_INTERRUPTED) return TG_ERR_ARG;
    err = tg_outbox_push(c, TG_UPDATES, (size_t)result.len + UPDATE_BYTES, &body);
    if (err != TG_OK) return err;
    start = tg_pb_begin(body, UP_COMMAND_UPDATE);
    p = tg_pb_u32(start, 1, command_id);
    p = tg_pb_u32(p, 2, (uint32_t)state);
    p = tg_pb_bytes(p, state == TG_FAILED ? ERROR_TEXT : RESULT, &result);
    p = tg_pb_end(start, p);
    tg_outbox_trim(c, TG_UPDATES, body, (size_t)(p - body));
    if (command_id == c->last_command) c->flags |= TG_REPLIED;
    return TG_OK;
}
