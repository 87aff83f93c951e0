/* board.h -- what the demo needs of a board, and what it gives it. Each board's main.c brings the first part; boards
 * with a UART share uart_link.c, those that find their page in memory page.c.
 *
 * The page says who a board is. Real boards keep it where their flash script put it, emulated ones get it from the
 * simulator (boards/identity.ts).
 *
 *   0     4        36        100      104         108
 *   | TGID | id, 0… | token, 0… | seed  | interval ms |      numbers little-endian
 */
#ifndef BOARD_H
#define BOARD_H

#include "../../../device-sdk/c/include/tg.h"

typedef struct board_page {
    char magic[4]; /* "TGID" when the page was written */
    char id[32];   /* zero-terminated */
    char token[64];
    uint32_t seed; /* another one at every boot, where the board has no random numbers */
    uint32_t interval_ms; /* between two readings; 0 or all ones (an erased page): what the image was built with */
} board_page;

/* The link; and its framing, when it is not that of a serial line. */
extern tg_port board_port;
#ifndef BOARD_FRAMING
#define BOARD_FRAMING tg_serial_framing
#endif

/* Takes device_id and token from the page, leaves them alone when none was written, and stirs its seed; starts the link,
 * and adds to the configuration what else it needs. Returns the page's interval_ms. */
uint32_t board_start(tg_config *config);
/* Milliseconds since boot. `ctx` is not used: a port's clock. */
uint32_t board_now_ms(void *ctx);
/* Called again and again: sleeps until an interrupt, at most a millisecond or so, when nothing waits to be done. */
void board_rest(bool may_sleep);

/* board_start() for a page in memory, as far as the page goes. */
uint32_t board_use_page(const board_page *page, tg_config *config);

/* The demo: called by the board's main() once clocks, UART and interrupts run. Never returns.
 *   BOARD_MODEL    a string: what it says it is
 *   BOARD_DEGREES  Celsius: where its temperature begins; emulated boards have no sensor
 *   INTERVAL_MS    how often it reports when its page does not say */
void demo_run(void);
/* The demo's random numbers, for a port. `ctx` is not used. Not for secrets. */
uint32_t demo_entropy(void *ctx);
/* Stirs bits into them. */
void demo_stir(uint32_t bits);

#endif
