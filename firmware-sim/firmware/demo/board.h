/* board.h -- what the demo needs of a board; each board's main.c brings it, UART boards together with uart_link.c. */
#ifndef BOARD_H
#define BOARD_H

#include "../../../device-sdk/c/include/tg.h"

/* Who this board is. Real boards keep it where their flash script put it; emulated ones get it from the simulator. */
typedef struct board_identity {
    char magic[4]; /* "TGID" when the page was written */
    char id[32];   /* zero-terminated */
    char token[64];
    uint32_t seed;
    uint32_t interval_ms; /* between two readings; 0 or all ones (an erased page): what the image was built with */
} board_identity;

/* Copies the identity; leaves it alone when none was written. */
void board_read_identity(board_identity *identity);
/* Fills in port, framing and, for a WebSocket, the host. `entropy` is what the port may use for its own. */
void board_link(tg_config *config, uint32_t (*entropy)(void));
/* Milliseconds since boot. */
uint32_t board_now_ms(void);
/* Called again and again: sleeps until an interrupt, at most a millisecond or so, when nothing waits to be done. */
void board_rest(bool may_sleep);
/* Told what happens to the session; most boards do nothing. */
void board_event(tg_event event, uint32_t arg);
/* A measurement: degrees Celsius. */
float board_temperature(uint32_t now_ms);

/* The demo: called by the board's main() once clocks, UART and interrupts run. Never returns. */
void demo_run(const char *model, uint32_t interval_ms);

#endif
