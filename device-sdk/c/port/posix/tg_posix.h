/* tg_posix.h -- a port for Linux, macOS and the BSDs: TCP, a serial device, or a unix socket.
 *
 *   tg_posix link;
 *   tg_port port;
 *   tg_posix_tcp(&link, "127.0.0.1", "8080");       or tg_posix_path(&link, "/dev/ttyUSB0", 115200)
 *   tg_posix_port(&link, &port);
 *   for (;;) tg_posix_wait(&link, tg_poll(&client));
 *
 * Plain TCP is for loopback and for tests: over a network put port/mbedtls between this and the SDK.
 */
#ifndef TG_POSIX_H
#define TG_POSIX_H

#include "../../include/tg_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Yours to allocate, private inside. */
typedef struct tg_posix {
    const char *host; /* NULL: a path */
    const char *where; /* service, or path */
    uint32_t baud;
    int fd;
    bool connecting;
    bool starved; /* the last send took less than it was given */
} tg_posix;

/* A TCP link. `host` and `service` are kept by reference. A name is looked up inside open(), which may block for as
 * long as the resolver does; a numeric address never blocks. */
void tg_posix_tcp(tg_posix *link, const char *host, const char *service);

/* A serial device (put into raw mode at `baud`: 9600, 19200, 38400, 57600, 115200 or 230400; anything else: left as it
 * is) or a unix socket (`baud` ignored). `path` is kept by reference. */
void tg_posix_path(tg_posix *link, const char *path, uint32_t baud);

/* Fills in the port of a link. */
void tg_posix_port(tg_posix *link, tg_port *port);

/* Sleeps for at most `wait_ms`, less when bytes arrive, or when the link takes bytes again. TG_FOREVER sleeps a minute,
 * so that signals are noticed. */
void tg_posix_wait(tg_posix *link, uint32_t wait_ms);

/* Cryptographic randomness for a TLS port above: fills `to`. Returns 0, or -1 when the system gives none. Does not
 * block once the system has started. `ctx` is not used. */
int tg_posix_random(void *ctx, unsigned char *to, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
