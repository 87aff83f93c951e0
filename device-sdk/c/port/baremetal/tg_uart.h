/* tg_uart.h -- a port for a bare UART: two byte rings between its interrupts and the SDK.
 *
 *   receive interrupt --tg_uart_received()--> [ rx ring ] --> tg_poll()
 *   transmit interrupt <--tg_uart_to_send()-- [ tx ring ] <-- tg_poll(), which calls tg_uart_kick() to enable it
 *
 *   static tg_uart uart;
 *   static const tg_port port = TG_UART_PORT(&uart, clock_ms, random_bits);
 *   void tg_uart_kick(tg_uart *which) { enable the transmit interrupt }
 *
 * One producer and one consumer per ring and one-byte indices, so neither needs a lock on any core. When the rx ring is
 * full the newest byte is dropped and counted: the frame fails its checksum and is sent again.
 */
#ifndef TG_UART_H
#define TG_UART_H

#include "../../include/tg_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ring sizes in bytes: powers of two, 2 .. 128. At 115200 baud 64 bytes last 5.5 ms between two polls. */
#ifndef TG_UART_RX_BYTES
#define TG_UART_RX_BYTES 128u
#endif
#ifndef TG_UART_TX_BYTES
#define TG_UART_TX_BYTES 64u
#endif

/* Yours to allocate, all zero. Private fields, but for `overruns`. */
typedef struct tg_uart {
    volatile uint8_t rx_head; /* indices run freely and are masked where they are used */
    volatile uint8_t rx_tail;
    volatile uint8_t tx_head;
    volatile uint8_t tx_tail;
    volatile uint8_t overruns;  /* bytes dropped because nobody polled in time; wraps */
    uint8_t rx[TG_UART_RX_BYTES];
    uint8_t tx[TG_UART_TX_BYTES];
} tg_uart;

/* The initializer of a tg_port.
 *   uart     a tg_uart *
 *   now_ms   uint32_t (*)(void *ctx), milliseconds since boot; ctx is the tg_uart
 *   entropy  the same, 32 bits: see tg_port
 */
#define TG_UART_PORT(uart, now_ms, entropy) \
    {tg_uart_open, tg_uart_send, tg_uart_recv, tg_uart_close, (now_ms), (entropy), (uart)}
int16_t tg_uart_open(void *uart);
int16_t tg_uart_send(void *uart, const uint8_t *p, uint16_t n);
int16_t tg_uart_recv(void *uart, uint8_t *p, uint16_t cap);
void tg_uart_close(void *uart);

/* Yours to write: there are bytes to send, enable the transmit interrupt. Called with any interrupt state. */
void tg_uart_kick(tg_uart *uart);

/* From the receive interrupt. Inline, so that the interrupt saves no more registers than this takes. */
static inline void tg_uart_received(tg_uart *uart, uint8_t byte)
{
    const uint8_t head = uart->rx_head;
    if ((uint8_t)(head - uart->rx_tail) == TG_UART_RX_BYTES) {
        uart->overruns++;
        return;
    }
    uart->rx[head & (TG_UART_RX_BYTES - 1u)] = byte;
    uart->rx_head = (uint8_t)(head + 1u);
}

/* From the transmit interrupt: the next byte, or -1: disable the interrupt. */
static inline int16_t tg_uart_to_send(tg_uart *uart)
{
    const uint8_t tail = uart->tx_tail;
    uint8_t byte;
    if (tail == uart->tx_head) return -1;
    byte = uart->tx[tail & (TG_UART_TX_BYTES - 1u)];
    uart->tx_tail = (uint8_t)(tail + 1u);
    return byte;
}

/* Whether received bytes wait: then do not sleep. */
static inline bool tg_uart_waiting(const tg_uart *uart)
{
    return uart->rx_head != uart->rx_tail;
}

#ifdef __cplusplus
}
#endif
#endif
