/* painted.c -- see painted.h. */
#include "painted.h"

#ifdef PAINTED_STACK
#define PAINT 0xA5A5A5A5u
#define PAINTED_WORDS 384u /* three times what a poll may take */

volatile uint32_t deepest_poll;

/* The words below the stack pointer are nobody's: an interrupt that uses them meanwhile is done before the next line. */
__attribute__((noinline)) uint32_t painted_poll(tg_client *client)
{
    volatile uint32_t *sp;
    uint32_t words;
    uint32_t wait;
    __asm volatile("mov %0, sp" : "=r"(sp));
    for (words = 1; words <= PAINTED_WORDS; words++) *(sp - words) = PAINT;
    wait = tg_poll(client);
    for (words = PAINTED_WORDS; words > 0 && *(sp - words) == PAINT; words--) {
    }
    if (words * sizeof *sp > deepest_poll) deepest_poll = words * sizeof *sp;
    return wait;
}
#endif
