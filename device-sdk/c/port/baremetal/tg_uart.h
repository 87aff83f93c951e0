/* tg_uart.h -- a port for a bare UART: two byte rings between its interrupts and the SDK.
 *
 *   receive interrupt --tg_uart_received()--> [ rx ring ] --> tg_poll()
 *   transmit interrupt <--tg_uart_to_send()-- [ tx ring ] <-- tg_poll(), which calls kick() to enable it
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

/* Yours to allocate; set the three functions, leave the rest zero. They may be called with any interrupt state.
 *   kick     there are bytes to send: enable the transmit interrupt
 *   now_ms   milliseconds since boot
 *   entropy  see tg_port
 */
typedef struct tg_uart {
    void (*kick)(void);
    uint32_t (*now_ms)(void);
    uint32_t (*entropy)(void);
    volatile uint8_t rx_head;
    volatile uint8_t rx_tail;
    volatile uint8_t tx_head;
    volatile uint8_t tx_tail;
    volatile uint16_t overruns; /* bytes dropped because nobody polled in time */
    uint8_t rx[TG_UART_RX_BYTES];
    uint8_t tx[TG_UART_TX_BYTES];
} tg_uart;

/* Fills in the port of a UART. */
void tg_uart_port(tg_uart *uart, tg_port *port);

/* From the receive interrupt. */
void tg_uart_received(tg_uart *uart, uint8_t byte);

/* From the transmit interrupt: the next byte, or -1: disable the interrupt. */
int16_t tg_uart_to_send(tg_uart *uart);

/* Whether received bytes wait: then do not sleep. */
bool tg_uart_waiting(const tg_uart *uart);

#ifdef __cplusplus
}
#endif
#endif
