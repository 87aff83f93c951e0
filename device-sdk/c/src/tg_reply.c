/* tg_reply.c -- what became of a command, into the reserved room of the outbox [P-13]. */
#include "tg_core.h"

/* The body without the result: three tags and two lengths, id, state. */
#define OVERHEAD_BYTES 18u

enum { COMMAND_UPDATE = 6, RESULT = 3, ERROR_TEXT = 4 };

tg_err tg_reply(tg_client *c, uint32_t command_id, tg_state state, tg_span result)
{
    uint8_t *body;
    uint16_t mark;
    tg_writer w;
    tg_err err;
    if (command_id - 1u >= c->last_command || state < TG_RECEIVED || state > TG_INTERRUPTED) return TG_ERR_ARG;
    err = tg_outbox_push(c, TG_UPDATES, (size_t)result.len + OVERHEAD_BYTES, &body);
    if (err != TG_OK) return err;
    tg_pb_open(&w, body, (uint16_t)(result.len + OVERHEAD_BYTES));
    mark = tg_pb_begin(&w, COMMAND_UPDATE);
    tg_pb_u32(&w, 1, command_id);
    tg_pb_u32(&w, 2, (uint32_t)state);
    tg_pb_bytes(&w, state == TG_FAILED ? ERROR_TEXT : RESULT, result);
    tg_pb_end(&w, mark);
    tg_outbox_trim(c, TG_UPDATES, body, w.len);
    if (command_id == c->last_command) c->flags |= TG_REPLIED;
    return TG_OK;
}
