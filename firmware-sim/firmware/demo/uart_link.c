/* uart_link.c -- see uart_link.h. */
#include "uart_link.h"

tg_uart board_uart;
tg_port board_port = TG_UART_PORT(&board_uart, board_now_ms, demo_entropy);

void board_rest(bool may_sleep)
{
    if (may_sleep && !tg_uart_waiting(&board_uart)) board_sleep();
}
