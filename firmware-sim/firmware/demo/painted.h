/* painted.h -- tg_poll() on a painted stack, for Cortex-M: how deep it went is read by who runs the emulator.
 *
 *      sp ->  | frames of tg_poll() and of interrupts | paint | paint |      towards lower addresses
 *               '------------ deepest_poll ----------'
 *
 * In an image built with -DPAINTED_STACK only; scripts/c-cycles.mjs makes and reads it.
 */
#ifndef PAINTED_H
#define PAINTED_H

#include "../../../device-sdk/c/include/tg.h"

#ifdef PAINTED_STACK
/* tg_poll(), and remembers in `deepest_poll` (bytes) the most stack that a call of it took. */
uint32_t painted_poll(tg_client *client);
#define DEMO_POLL painted_poll
#else
#define DEMO_POLL tg_poll
#endif

#endif
