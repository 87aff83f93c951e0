/* uart_link.c -- see uart_link.h. */
#include "uart_link.h"

tg_uart board_uart;
static tg_port port;

void board_link(tg_config *config, uint32_t (*entropy)(void))
{
    board_uart.entropy = entropy;
    tg_uart_port(&board_uart, &port);
    config->port = &port;
    config->framing = tg_serial_framing;
}

uint32_t board_now_ms(void)
{
    return board_uart.now_ms();
}

void board_rest(bool may_sleep)
{
    if (may_sleep && !tg_uart_waiting(&board_uart)) board_sleep();
}

void board_event(tg_event event, uint32_t arg)
{
    (void)event;
    (void)arg;
}
