/* tg_posix.c -- see tg_posix.h. Every descriptor is non-blocking; SIGPIPE is avoided with MSG_NOSIGNAL. */
#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L

#include "tg_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS_MAX 60000

static bool make_nonblocking(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* Starts a connection on link->fd. 1: up; 0: on its way; -1: failed. */
static int16_t start_connect(tg_posix *link, const struct sockaddr *to, socklen_t len)
{
    if (link->fd < 0 || !make_nonblocking(link->fd)) return -1;
    if (connect(link->fd, to, len) == 0) return 1;
    if (errno != EINPROGRESS) return -1;
    link->connecting = true;
    return 0;
}

static int16_t open_tcp(tg_posix *link)
{
    const int on = 1;
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    int16_t up = -1;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(link->host, link->where, &hints, &found) != 0) return -1;
    link->fd = socket(found->ai_family, SOCK_STREAM, 0);
    up = start_connect(link, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (up >= 0) (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return up;
}

static int16_t open_unix(tg_posix *link)
{
    struct sockaddr_un to;
    memset(&to, 0, sizeof to);
    to.sun_family = AF_UNIX;
    if (strlen(link->where) >= sizeof to.sun_path) return -1;
    strcpy(to.sun_path, link->where);
    link->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return start_connect(link, (const struct sockaddr *)&to, sizeof to);
}

static speed_t speed_of(uint32_t baud)
{
    switch (baud) {
    case 9600: return B9600;
    case 19200: return B19200;
    case 38400: return B38400;
    case 57600: return B57600;
    case 115200: return B115200;
    case 230400: return B230400;
    default: return B0;
    }
}

static int16_t open_device(tg_posix *link)
{
    struct termios line;
    link->fd = open(link->where, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (link->fd < 0) return -1;
    if (tcgetattr(link->fd, &line) == 0) {
        const speed_t speed = speed_of(link->baud);
        line.c_iflag &= (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
        line.c_oflag &= (tcflag_t)~OPOST;
        line.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
        line.c_cflag &= (tcflag_t) ~(CSIZE | PARENB);
        line.c_cflag |= CS8 | CREAD | CLOCAL;
        if (speed != B0) {
            (void)cfsetispeed(&line, speed);
            (void)cfsetospeed(&line, speed);
        }
        if (tcsetattr(link->fd, TCSANOW, &line) != 0) return -1;
        (void)tcflush(link->fd, TCIFLUSH);
    }
    return 1;
}

static void posix_close(void *ctx)
{
    tg_posix *link = ctx;
    if (link->fd >= 0) (void)close(link->fd);
    link->fd = -1;
    link->connecting = false;
    link->starved = false;
}

static int16_t finish_connect(tg_posix *link)
{
    struct pollfd ready;
    int error = 0;
    socklen_t len = sizeof error;
    ready.fd = link->fd;
    ready.events = POLLOUT;
    if (poll(&ready, 1, 0) == 0) return 0;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) return -1;
    link->connecting = false;
    return 1;
}

static int16_t posix_open(void *ctx)
{
    tg_posix *link = ctx;
    struct stat about;
    int16_t up;
    if (link->connecting) {
        up = finish_connect(link);
    } else if (link->host != NULL) {
        up = open_tcp(link);
    } else if (stat(link->where, &about) == 0 && S_ISSOCK(about.st_mode)) {
        up = open_unix(link);
    } else {
        up = open_device(link);
    }
    if (up < 0) posix_close(link);
    return up;
}

/* Sockets without SIGPIPE, devices with plain writes. */
static ssize_t put(int fd, const uint8_t *p, size_t n)
{
    const ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? write(fd, p, n) : sent;
}

static int16_t posix_send(void *ctx, const uint8_t *p, uint16_t n)
{
    tg_posix *link = ctx;
    const ssize_t sent = put(link->fd, p, n > 32767 ? 32767 : n);
    link->starved = sent < (ssize_t)n;
    if (sent >= 0) return (int16_t)sent;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

static int16_t posix_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    tg_posix *link = ctx;
    const ssize_t got = read(link->fd, p, cap > 32767 ? 32767 : cap);
    if (got > 0) return (int16_t)got;
    if (got == 0) return -1; /* the peer is gone */
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

static uint32_t posix_now_ms(void *ctx)
{
    struct timespec now;
    (void)ctx;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

int tg_posix_random(void *ctx, unsigned char *to, size_t bytes)
{
    const int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    size_t have = 0;
    (void)ctx;
    while (fd >= 0 && have < bytes) {
        const ssize_t n = read(fd, to + have, bytes - have);
        if (n <= 0) break;
        have += (size_t)n;
    }
    if (fd >= 0) (void)close(fd);
    return have == bytes ? 0 : -1;
}

static uint32_t posix_entropy(void *ctx)
{
    unsigned char bytes[4];
    uint32_t v = posix_now_ms(ctx) ^ (uint32_t)getpid() << 16;
    if (tg_posix_random(NULL, bytes, sizeof bytes) == 0) memcpy(&v, bytes, sizeof v);
    return v;
}

void tg_posix_tcp(tg_posix *link, const char *host, const char *service)
{
    memset(link, 0, sizeof *link);
    link->host = host;
    link->where = service;
    link->fd = -1;
}

void tg_posix_path(tg_posix *link, const char *path, uint32_t baud)
{
    tg_posix_tcp(link, NULL, path);
    link->baud = baud;
}

void tg_posix_port(tg_posix *link, tg_port *port)
{
    port->open = posix_open;
    port->send = posix_send;
    port->recv = posix_recv;
    port->close = posix_close;
    port->now_ms = posix_now_ms;
    port->entropy = posix_entropy;
    port->ctx = link;
}

void tg_posix_wait(tg_posix *link, uint32_t wait_ms)
{
    struct pollfd ready;
    if (wait_ms == 0) return;
    ready.fd = link->fd;
    ready.events = POLLIN;
    if (link->connecting || link->starved) {
        ready.events |= POLLOUT;
        wait_ms = wait_ms < 20 && link->starved ? 20 : wait_ms; /* its readiness wakes us */
    }
    (void)poll(&ready, link->fd >= 0 ? 1 : 0, wait_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)wait_ms);
}
