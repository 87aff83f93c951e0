/* tg_uart.c -- see tg_uart.h. What the SDK calls; the interrupts' side is inline there. */
#include "tg_uart.h"

#define RX_MASK (TG_UART_RX_BYTES - 1u)
#define TX_MASK (TG_UART_TX_BYTES - 1u)

typedef char tg_rx_is_a_power_of_two[(TG_UART_RX_BYTES & RX_MASK) == 0 && TG_UART_RX_BYTES <= 128u ? 1 : -1];
typedef char tg_tx_is_a_power_of_two[(TG_UART_TX_BYTES & TX_MASK) == 0 && TG_UART_TX_BYTES <= 128u ? 1 : -1];

/* A UART is always there: what waits from before belongs to nobody. */
int16_t tg_uart_open(void *ctx)
{
    tg_uart *uart = ctx;
    uart->rx_tail = uart->rx_head;
    return 1;
}

int16_t tg_uart_send(void *ctx, const uint8_t *p, uint16_t n)
{
    tg_uart *uart = ctx;
    uint8_t head = uart->tx_head;
    uint8_t room = (uint8_t)(TG_UART_TX_BYTES - (uint8_t)(head - uart->tx_tail));
    const uint8_t taken = n < room ? (uint8_t)n : room;
    for (room = taken; room > 0; room--) uart->tx[head++ & TX_MASK] = *p++;
    uart->tx_head = head;
    tg_uart_kick(uart);
    return taken;
}

int16_t tg_uart_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    tg_uart *uart = ctx;
    uint8_t tail = uart->rx_tail;
    uint8_t waiting = (uint8_t)(uart->rx_head - tail);
    const uint8_t given = cap < waiting ? (uint8_t)cap : waiting;
    for (waiting = given; waiting > 0; waiting--) *p++ = uart->rx[tail++ & RX_MASK];
    uart->rx_tail = tail;
    return given;
}

void tg_uart_close(void *ctx)
{
    (void)ctx;
}
