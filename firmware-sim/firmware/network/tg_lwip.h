/* tg_lwip.h -- a TCP port over lwIP's raw interface: no operating system, no sockets, no heap but lwIP's.
 *
 *   static tg_lwip tcp;
 *   tcp.now_ms = ..., tcp.entropy = ...;
 *   tg_lwip_init(&tcp, &address, 8443);
 *   tg_lwip_port(&tcp, &port);             and port/mbedtls on top
 *   for (;;) { read frames into lwIP; sys_check_timeouts(); tg_poll(&client); }
 *
 * Everything runs in the main loop: with NO_SYS, lwIP may be called from one context only.
 */
#ifndef TG_LWIP_H
#define TG_LWIP_H

#include <lwip/ip_addr.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>

#include "../../../device-sdk/c/include/tg_port.h"

/* Yours to allocate. Set the two functions; the rest is private. */
typedef struct tg_lwip {
    uint32_t (*now_ms)(void);  /* see tg_port */
    uint32_t (*entropy)(void); /* see tg_port */
    ip_addr_t address;
    uint16_t port;
    uint8_t state;
    uint16_t taken;       /* bytes of the first received buffer that were given out */
    struct pbuf *received;
    struct tcp_pcb *pcb;
} tg_lwip;

/* Where to connect. Nothing happens before the first open(). */
void tg_lwip_init(tg_lwip *tcp, const ip_addr_t *address, uint16_t port);

/* Fills in the port of the link. */
void tg_lwip_port(tg_lwip *tcp, tg_port *port);

#endif
