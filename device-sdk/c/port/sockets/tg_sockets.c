/* tg_sockets.c -- see tg_sockets.h. Zephyr's own names are used there, so that no POSIX option has to be on. */
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include "tg_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#if defined(__ZEPHYR__)
#include <zephyr/net/socket.h>
#define SOCKET zsock_socket
#define CONNECT zsock_connect
#define SEND zsock_send
#define RECV zsock_recv
#define CLOSE zsock_close
#define POLL zsock_poll
#define FCNTL zsock_fcntl
#define OPTION zsock_setsockopt
#define ASK_OPTION zsock_getsockopt
#define LOOK_UP zsock_getaddrinfo
#define FOUND_FREE zsock_freeaddrinfo
#define READABLE ZSOCK_POLLIN
#define WRITABLE ZSOCK_POLLOUT
typedef struct zsock_pollfd pollfd_t;
typedef struct zsock_addrinfo addrinfo_t;
#else
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#define SOCKET socket
#define CONNECT connect
#define SEND send
#define RECV recv
#define CLOSE close
#define POLL poll
#define FCNTL fcntl
#define OPTION setsockopt
#define ASK_OPTION getsockopt
#define LOOK_UP getaddrinfo
#define FOUND_FREE freeaddrinfo
#define READABLE POLLIN
#define WRITABLE POLLOUT
typedef struct pollfd pollfd_t;
typedef struct addrinfo addrinfo_t;
#endif

/* Hosts would end the process; lwIP and Zephyr have no signals, and not always the flag. */
#if defined(MSG_NOSIGNAL) && !defined(__ZEPHYR__)
#define SEND_FLAGS MSG_NOSIGNAL
#else
#define SEND_FLAGS 0
#endif

#define TAKE_MAX 32767u /* what a port can say it took */
#define WAIT_MS_MAX 60000u
#define WAIT_MS_WITHOUT_LINK 100u
#define WAIT_MS_STARVED 20u

static bool is_later(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void sockets_close(void *ctx)
{
    tg_sockets *tcp = ctx;
    if (tcp->fd >= 0) (void)CLOSE(tcp->fd);
    tcp->fd = -1;
    tcp->connecting = false;
    tcp->starved = false;
}

/* Starts a connection to one address. 1: up; 0: on its way; -1: failed. */
static int16_t start(tg_sockets *tcp, const addrinfo_t *to)
{
    const int on = 1;
    int flags;
    tcp->fd = SOCKET(to->ai_family, SOCK_STREAM, IPPROTO_TCP);
    if (tcp->fd < 0) return -1;
    flags = FCNTL(tcp->fd, F_GETFL, 0);
    if (flags < 0 || FCNTL(tcp->fd, F_SETFL, flags | O_NONBLOCK) != 0) return -1;
    (void)OPTION(tcp->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (CONNECT(tcp->fd, to->ai_addr, to->ai_addrlen) == 0) return 1;
    tcp->connecting = errno == EINPROGRESS;
    return tcp->connecting ? 0 : -1;
}

static int16_t look_up_and_start(tg_sockets *tcp)
{
    addrinfo_t hints;
    addrinfo_t *found = NULL;
    int16_t up;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (LOOK_UP(tcp->host, tcp->service, &hints, &found) != 0 || found == NULL) return -1;
    up = start(tcp, found);
    FOUND_FREE(found);
    return up;
}

static int16_t go_on_connecting(tg_sockets *tcp)
{
    pollfd_t ready;
    int error = 0;
    socklen_t len = sizeof error;
    memset(&ready, 0, sizeof ready);
    ready.fd = tcp->fd;
    ready.events = WRITABLE;
    if (POLL(&ready, 1, 0) == 0) return 0;
    if (ASK_OPTION(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) return -1;
    tcp->connecting = false;
    return 1;
}

static int16_t sockets_open(void *ctx)
{
    tg_sockets *tcp = ctx;
    const int16_t up = tcp->connecting ? go_on_connecting(tcp) : look_up_and_start(tcp);
    if (up < 0) sockets_close(tcp);
    return up;
}

static int16_t sockets_send(void *ctx, const uint8_t *p, uint16_t n)
{
    tg_sockets *tcp = ctx;
    const int sent = (int)SEND(tcp->fd, p, n < TAKE_MAX ? n : TAKE_MAX, SEND_FLAGS);
    tcp->starved = sent < (int)n;
    if (sent >= 0) return (int16_t)sent;
    return is_later(errno) ? 0 : -1;
}

static int16_t sockets_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    tg_sockets *tcp = ctx;
    const int got = (int)RECV(tcp->fd, p, cap < TAKE_MAX ? cap : TAKE_MAX, 0);
    if (got > 0) return (int16_t)got;
    return got < 0 && is_later(errno) ? 0 : -1; /* 0: the peer is gone */
}

static uint32_t sockets_now_ms(void *ctx)
{
    return ((tg_sockets *)ctx)->now_ms();
}

static uint32_t sockets_entropy(void *ctx)
{
    return ((tg_sockets *)ctx)->entropy();
}

void tg_sockets_init(tg_sockets *tcp, const char *host, const char *service)
{
    memset(tcp, 0, sizeof *tcp);
    tcp->host = host;
    tcp->service = service;
    tcp->fd = -1;
}

void tg_sockets_port(tg_sockets *tcp, tg_port *port)
{
    port->open = sockets_open;
    port->send = sockets_send;
    port->recv = sockets_recv;
    port->close = sockets_close;
    port->now_ms = sockets_now_ms;
    port->entropy = sockets_entropy;
    port->ctx = tcp;
}

void tg_sockets_wait(tg_sockets *tcp, uint32_t wait_ms)
{
    pollfd_t ready;
    if (wait_ms == 0) return;
    memset(&ready, 0, sizeof ready);
    ready.fd = tcp->fd;
    ready.events = READABLE;
    if (tcp->connecting || tcp->starved) ready.events |= WRITABLE; /* its readiness wakes us */
    if (tcp->starved && wait_ms < WAIT_MS_STARVED) wait_ms = WAIT_MS_STARVED;
    if (wait_ms > WAIT_MS_MAX) wait_ms = WAIT_MS_MAX;
    if (tcp->fd < 0 && wait_ms > WAIT_MS_WITHOUT_LINK) wait_ms = WAIT_MS_WITHOUT_LINK;
    (void)POLL(&ready, tcp->fd >= 0 ? 1 : 0, (int)wait_ms);
}
