/* board.h -- what the demo needs of a board; each board's main.c brings it. */
#ifndef BOARD_H
#define BOARD_H

#include "../../../device-sdk/c/port/baremetal/tg_uart.h"

/* Who this board is. Real boards keep it where their flash script put it; emulated ones get it from the simulator. */
typedef struct board_identity {
    char magic[4]; /* "TGID" when the page was written */
    char id[32];   /* zero-terminated */
    char token[64];
    uint32_t seed;
    uint32_t interval_ms; /* between two readings; 0 or all ones (an erased page): what the image was built with */
} board_identity;

extern tg_uart board_uart;

/* Copies the identity; leaves it alone when none was written. */
void board_read_identity(board_identity *identity);
/* Sleeps until an interrupt, at most a millisecond or so. */
void board_sleep(void);
/* A measurement: degrees Celsius. */
float board_temperature(uint32_t now_ms);

/* The demo: called by the board's main() once clocks, UART and interrupts run. Never returns. */
void demo_run(const char *model, uint32_t interval_ms);

#endif
