/* uart_link.h -- the link of a board with one UART; its main.c brings interrupts, clock, tg_uart_kick() and sleep. */
#ifndef UART_LINK_H
#define UART_LINK_H

#include "../../../device-sdk/c/port/baremetal/tg_uart.h"
#include "board.h"

extern tg_uart board_uart;

/* Sleeps until an interrupt, at most a millisecond or so. */
void board_sleep(void);

#endif
