/* tg_sockets.h -- a TCP port over BSD sockets as embedded systems have them: ESP-IDF (lwIP), Zephyr, any POSIX host.
 *
 *   static tg_sockets tcp;
 *   tg_sockets_init(&tcp, "192.168.1.10", "8443");
 *   tcp.now_ms = ..., tcp.entropy = ...;             port/esp-idf and port/zephyr do both
 *   tg_sockets_port(&tcp, &port);                    and put port/mbedtls on top
 *   for (;;) tg_sockets_wait(&tcp, tg_poll(&client));
 *
 * Needs non-blocking connect, poll() and getaddrinfo(). Give a numeric address where you can: looking a name up blocks
 * inside open() for as long as the resolver does, so do not do it in a task that feeds a watchdog.
 */
#ifndef TG_SOCKETS_H
#define TG_SOCKETS_H

#include "../../include/tg_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Yours to allocate. Set the two functions after tg_sockets_init(); the rest is private. */
typedef struct tg_sockets {
    uint32_t (*now_ms)(void);  /* see tg_port */
    uint32_t (*entropy)(void); /* see tg_port */
    const char *host;
    const char *service;
    int fd;
    bool connecting;
    bool starved; /* the last send took less than it was given */
} tg_sockets;

/* Both strings are kept by reference: an address or a name, and a port number in digits. */
void tg_sockets_init(tg_sockets *tcp, const char *host, const char *service);

/* Fills in the port of the link. */
void tg_sockets_port(tg_sockets *tcp, tg_port *port);

/* Sleeps for at most `wait_ms` and at most a minute, less when bytes arrive or the link takes bytes again. Without a
 * link it returns after at most 100 ms. */
void tg_sockets_wait(tg_sockets *tcp, uint32_t wait_ms);

#ifdef __cplusplus
}
#endif
#endif
