/* view.c -- many viewers of a live feed, counted by one hand for every peer of the benchmark.
 *
 *   view --port P --path PATH --conns N --seconds S [--token T] [--dialect ws|socketio] [--pid PEER]
 *
 *     connect all ──▶ "joined" ──▶ first message ──▶ warm up (S / 4) ──▶ the window: S seconds ──▶ one line of JSON
 *
 * Opens N WebSockets to 127.0.0.1 and reads whatever comes. A logical message is one event with "receivedUnixMs" in
 * it, however many share a frame: so batching counts as what it delivers. The first viewer also tells how old each
 * event is when it arrives. The line tells messages, bytes, age (median and 99th percentile), and the reader's own share
 * of one core; and of process PEER, over the window, CPU seconds and memory.
 *
 *   ws        plain text frames
 *   socketio  Engine.IO 4 on its WebSocket transport: "40" is sent to join, after the server's "0{…}"
 *
 * Pings are not looked for: every viewer sends a pong of its own accord now and then, as RFC 6455 allows. Linux only
 * (epoll).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cost.h"

enum { RX_BYTES = 262144, AGES_MAX = 1 << 20, WAIT_S_MAX = 60, PONG_EVERY_S = 8 };

static const char MARK[] = "\"receivedUnixMs\":";

typedef struct {
    int fd, is_open, is_joined;
    size_t matched;  /* characters of MARK seen in a row   */
    uint64_t stamp;  /* digits behind MARK, while they come */
    int in_digits;
} viewer;

static struct {
    int port, conns, pid, is_socketio;
    double seconds;
    const char *path, *token;
} opt = {0, 100, 0, 0, 5.0, "/", ""};

static int epoll_fd, joined_count;
static uint64_t message_count, byte_count;
static uint32_t ages[AGES_MAX], age_count;
static uint8_t rx[RX_BYTES];

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *why)
{
    fprintf(stderr, "view: %s (%s)\n", why, strerror(errno));
    exit(1);
}

static void note_age(uint64_t stamp_ms)
{
    double age = seconds_of(CLOCK_REALTIME) * 1000.0 - (double)stamp_ms;
    if (age_count < AGES_MAX) ages[age_count++] = age < 0 ? 0 : (uint32_t)age;
}

/* One byte behind the other: MARK may be cut anywhere by a read or a frame header. */
static void scan(viewer *v, const uint8_t *p, size_t n, int is_first)
{
    const size_t length = sizeof MARK - 1;
    for (const uint8_t *end = p + n; p < end; p++) {
        if (v->in_digits) {
            if (*p >= '0' && *p <= '9') { v->stamp = v->stamp * 10 + (uint64_t)(*p - '0'); continue; }
            v->in_digits = 0;
            if (is_first && v->stamp > 0) note_age(v->stamp);
        }
        if (*p == (uint8_t)MARK[v->matched]) v->matched++;
        else v->matched = *p == (uint8_t)MARK[0];
        if (v->matched < length) continue;
        message_count++;
        v->matched = 0;
        v->in_digits = 1;
        v->stamp = 0;
    }
}

static void join(viewer *v)
{
    v->is_joined = 1;
    joined_count++;
}

static void opened(viewer *v, const uint8_t *p, size_t n)
{
    if (n < 12 || memcmp(p, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "view: upgrade refused: %.*s\n", (int)(n < 60 ? n : 60), (const char *)p);
        exit(1);
    }
    v->is_open = 1;
    if (!opt.is_socketio) { join(v); return; }
    static const uint8_t connect_frame[] = {0x81, 0x82, 0, 0, 0, 0, '4', '0'};
    if (write(v->fd, connect_frame, sizeof connect_frame) != (ssize_t)sizeof connect_frame) die("write");
}

static void on_ready(viewer *v, int is_first)
{
    for (;;) {
        ssize_t n = read(v->fd, rx, sizeof rx);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (n <= 0) die("a viewer was closed");
        byte_count += (uint64_t)n;
        if (!v->is_open) opened(v, rx, (size_t)n);
        else if (!v->is_joined && memmem(rx, (size_t)n, "40{", 3) != NULL) join(v);
        scan(v, rx, (size_t)n, is_first);
        if ((size_t)n < sizeof rx) return;
    }
}

static void open_viewer(viewer *v)
{
    char head[1024];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (v->fd < 0 || connect(v->fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
    int n = snprintf(head, sizeof head,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                     "Authorization: Bearer %s\r\n\r\n", opt.path, opt.port, opt.token);
    if (write(v->fd, head, (size_t)n) != n) die("write");
    fcntl(v->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = v};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, v->fd, &e);
}

/* A sign of life from everybody who speaks plain WebSocket. */
static void send_pongs(const viewer *all)
{
    static double sent_s;
    static const uint8_t pong_frame[] = {0x8a, 0x80, 0, 0, 0, 0};
    double now_s = seconds_of(CLOCK_MONOTONIC);
    if (opt.is_socketio || now_s - sent_s < PONG_EVERY_S) return;
    sent_s = now_s;
    for (int i = 0; i < opt.conns; i++)
        if (all[i].is_joined && write(all[i].fd, pong_frame, sizeof pong_frame) < 0 && errno != EAGAIN) die("write");
}

/* Reads until the time is up, or everybody is in, or something came. */
static void pump(viewer *all, double until_s, int is_joining, int is_waiting)
{
    struct epoll_event events[256];
    while (seconds_of(CLOCK_MONOTONIC) < until_s) {
        send_pongs(all);
        int n = epoll_wait(epoll_fd, events, 256, 20);
        for (int i = 0; i < n; i++) on_ready(events[i].data.ptr, events[i].data.ptr == all);
        if ((is_joining && joined_count == opt.conns) || (is_waiting && message_count > 0)) return;
    }
}

static double cpu_s(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int by_age(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *k = argv[i], *v = argv[i + 1];
        if (strcmp(k, "--port") == 0) opt.port = atoi(v);
        else if (strcmp(k, "--path") == 0) opt.path = v;
        else if (strcmp(k, "--token") == 0) opt.token = v;
        else if (strcmp(k, "--conns") == 0) opt.conns = atoi(v);
        else if (strcmp(k, "--seconds") == 0) opt.seconds = atof(v);
        else if (strcmp(k, "--pid") == 0) opt.pid = atoi(v);
        else if (strcmp(k, "--dialect") == 0) opt.is_socketio = strcmp(v, "socketio") == 0;
        else { fprintf(stderr, "view: unknown option %s\n", k); exit(2); }
    }
    if (opt.conns < 1 || opt.port < 1) { fprintf(stderr, "view: --port and --conns are needed\n"); exit(2); }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    epoll_fd = epoll_create1(0);
    viewer *all = calloc((size_t)opt.conns, sizeof *all);
    if (all == NULL) die("memory");
    for (int i = 0; i < opt.conns; i++) {
        open_viewer(&all[i]);
        pump(all, seconds_of(CLOCK_MONOTONIC) + 0.0005, 1, 0);
    }
    pump(all, seconds_of(CLOCK_MONOTONIC) + WAIT_S_MAX, 1, 0);
    if (joined_count != opt.conns) die("not every viewer was let in");
    printf("joined\n");
    fflush(stdout);

    message_count = 0;
    pump(all, seconds_of(CLOCK_MONOTONIC) + WAIT_S_MAX, 0, 1);
    if (message_count == 0) die("nothing came");
    pump(all, seconds_of(CLOCK_MONOTONIC) + opt.seconds / 4, 0, 0);
    uint64_t messages_before = message_count, bytes_before = byte_count;
    age_count = 0;
    cost before = peer_cost(opt.pid);
    double from = seconds_of(CLOCK_MONOTONIC), cpu_before = cpu_s();
    pump(all, from + opt.seconds, 0, 0);
    double elapsed = seconds_of(CLOCK_MONOTONIC) - from, own_share = (cpu_s() - cpu_before) / elapsed;
    cost after = peer_cost(opt.pid);
    qsort(ages, age_count, sizeof *ages, by_age);
    printf("{\"messages\":%llu,\"seconds\":%.3f,\"perSecond\":%.0f,\"bytes\":%llu,\"ageMsP50\":%u,\"ageMsP99\":%u,"
           "\"readerCpuShare\":%.3f,\"peerCpuSeconds\":%.2f,\"peerRssBytes\":%.0f}\n",
           (unsigned long long)(message_count - messages_before), elapsed,
           (double)(message_count - messages_before) / elapsed, (unsigned long long)(byte_count - bytes_before),
           age_count > 0 ? ages[age_count / 2] : 0, age_count > 0 ? ages[(uint64_t)age_count * 99 / 100] : 0, own_share,
           difference(after.cpu_s, before.cpu_s), after.rss_bytes);
    return 0;
}
