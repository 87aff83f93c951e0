/* tg_control.c -- starting, stopping and looking at a client: the calls outside tg_poll(). */
#include "tg_core.h"

#include <string.h>

void tg_stop(tg_client *c, tg_reason reason)
{
    c->reason = (uint8_t)reason;
    if (c->phase == TG_WAITING) c->phase = TG_STOPPED;
    if (c->phase == TG_STOPPED) return;
    c->flags |= TG_STOPPING;
    if (!(c->flags & TG_READY)) tg_end(c, c->reason); /* nobody is there to hear a Bye */
}

void tg_start(tg_client *c)
{
    if (c->phase == TG_STOPPED) c->phase = TG_WAITING;
    if (c->phase == TG_WAITING) c->due = c->now; /* at or before the clock of the next poll */
}

bool tg_command_is(const tg_command *command, uint32_t code, const char *name)
{
    const size_t n = strlen(name);
    if (command->code != 0) return command->code == code;
    return command->name.len == n && n > 0 && memcmp(command->name.ptr, name, n) == 0;
}

tg_phase tg_get_phase(const tg_client *c)
{
    return (tg_phase)c->phase;
}

uint16_t tg_held(const tg_client *c)
{
    uint16_t n = 0;
    uint8_t *at = c->ring_head;
    for (; at != c->ring_end; at = tg_outbox_after(at)) n++;
    return n;
}

const tg_stats *tg_get_stats(const tg_client *c)
{
    return &c->stats;
}
