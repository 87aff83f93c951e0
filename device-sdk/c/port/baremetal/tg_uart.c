/* tg_uart.c -- see tg_uart.h. Indices run freely and are masked where they are used. */
#include "tg_uart.h"

#define RX_MASK (TG_UART_RX_BYTES - 1u)
#define TX_MASK (TG_UART_TX_BYTES - 1u)

typedef char tg_rx_is_a_power_of_two[(TG_UART_RX_BYTES & RX_MASK) == 0 && TG_UART_RX_BYTES <= 128u ? 1 : -1];
typedef char tg_tx_is_a_power_of_two[(TG_UART_TX_BYTES & TX_MASK) == 0 && TG_UART_TX_BYTES <= 128u ? 1 : -1];

void tg_uart_received(tg_uart *uart, uint8_t byte)
{
    const uint8_t head = uart->rx_head;
    if ((uint8_t)(head - uart->rx_tail) == TG_UART_RX_BYTES) {
        uart->overruns++;
        return;
    }
    uart->rx[head & RX_MASK] = byte;
    uart->rx_head = (uint8_t)(head + 1u);
}

int16_t tg_uart_to_send(tg_uart *uart)
{
    const uint8_t tail = uart->tx_tail;
    uint8_t byte;
    if (tail == uart->tx_head) return -1;
    byte = uart->tx[tail & TX_MASK];
    uart->tx_tail = (uint8_t)(tail + 1u);
    return byte;
}

bool tg_uart_waiting(const tg_uart *uart)
{
    return uart->rx_head != uart->rx_tail;
}

/* A UART is always there: what waits from before belongs to nobody. */
static int16_t uart_open(void *ctx)
{
    tg_uart *uart = ctx;
    uart->rx_tail = uart->rx_head;
    return 1;
}

static int16_t uart_send(void *ctx, const uint8_t *p, uint16_t n)
{
    tg_uart *uart = ctx;
    uint16_t i = 0;
    while (i < n && (uint8_t)(uart->tx_head - uart->tx_tail) != TG_UART_TX_BYTES) {
        const uint8_t head = uart->tx_head;
        uart->tx[head & TX_MASK] = p[i++];
        uart->tx_head = (uint8_t)(head + 1u);
    }
    if (i > 0) uart->kick();
    return (int16_t)i;
}

static int16_t uart_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    tg_uart *uart = ctx;
    uint16_t i = 0;
    while (i < cap && uart->rx_tail != uart->rx_head) {
        const uint8_t tail = uart->rx_tail;
        p[i++] = uart->rx[tail & RX_MASK];
        uart->rx_tail = (uint8_t)(tail + 1u);
    }
    return (int16_t)i;
}

static void uart_close(void *ctx)
{
    (void)ctx;
}

static uint32_t uart_now_ms(void *ctx)
{
    return ((tg_uart *)ctx)->now_ms();
}

static uint32_t uart_entropy(void *ctx)
{
    return ((tg_uart *)ctx)->entropy();
}

void tg_uart_port(tg_uart *uart, tg_port *port)
{
    port->open = uart_open;
    port->send = uart_send;
    port->recv = uart_recv;
    port->close = uart_close;
    port->now_ms = uart_now_ms;
    port->entropy = uart_entropy;
    port->ctx = uart;
}
