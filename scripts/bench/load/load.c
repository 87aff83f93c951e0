/* load.c -- one load generator for every peer of the benchmark, so that all are fed by the same hand.
 *
 *   load --mode ws|mqtt --port P --conns N --inflight W --seconds S [--payload B] [--tokens FILE] [--pid PEER]
 *        [--messages M] [--shape signals|column] [--rate R]
 *
 *     connect all ──▶ warm up (S / 4) ──▶ the window: S seconds, counted ──▶ one line of JSON
 *
 * Opens N connections to 127.0.0.1, keeps W unacknowledged messages of B payload bytes in flight on each, and counts
 * acknowledgements. One thread and epoll; frames are written in one call per wake-up. The line tells acknowledged
 * messages, seconds, rate, and the generator's own share of one core, which shows whether it was the bottleneck; and
 * of process PEER, over the same window, CPU seconds and bytes written to disk, and its memory at the end (-1: unknown).
 * With R all connections together send no more than R messages a second, evenly; W still bounds what is in flight.
 * With M every connection sends exactly M messages, without a warm-up, and S is how long that may take.
 *
 *   ws    the device protocol over plain WebSocket. FILE holds a line "id token" per connection. Messages are
 *         telemetry of B bytes with a seq padded to 5 bytes [P-24]; acks are cumulative [P-3]. Shape `signals`, what an
 *         ordinary device sends: one float of each of (B - 2) / 10 signals (64 bytes: six). `column`: one signal, many.
 *   mqtt  MQTT 3.1.1, QoS 1, topic bench/<i>.
 *
 * Linux only (epoll). Not part of the product: it runs beside it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

enum { RX_BYTES = 16384, TX_BYTES = 262144, FRAME_BYTES_MAX = 2048, LINE_BYTES = 512 };

typedef enum { CONNECTING, GREETING, RUNNING } phase;

typedef struct {
    int fd, index;
    phase at;
    uint32_t sent;  /* messages sent so far                    */
    uint32_t acked; /* messages acknowledged so far            */
    uint32_t base;  /* ws: numbers acked in earlier runs       */
    size_t rx_used, tx_used, tx_done;
    uint8_t rx[RX_BYTES];
    uint8_t *tx;
    char id[64], token[128];
} conn;

static struct {
    int is_ws, is_column, port, conns, inflight, payload, pid;
    uint32_t messages; /* per connection; 0: as many as fit into the time */
    double seconds, rate;
    const char *tokens;
} opt = {1, 0, 0, 100, 32, 64, 0, 0, 5.0, 0.0, NULL};

static int epoll_fd;
static int running_count;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *why)
{
    fprintf(stderr, "load: %s (%s)\n", why, strerror(errno));
    exit(1);
}

/* ---- frames ---------------------------------------------------------------------------------------------------- */

static uint8_t *put_varint(uint8_t *p, uint32_t v)
{
    while (v >= 0x80u) {
        *p++ = (uint8_t)(v | 0x80u);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

/* A masked client frame around `n` bytes: the mask changes with every frame, as RFC 6455 wants it from clients. */
static size_t ws_frame(uint8_t *out, const uint8_t *body, size_t n)
{
    size_t head = n < 126 ? 2 : 4;
    out[0] = 0x82;
    if (n < 126) {
        out[1] = (uint8_t)(0x80u | n);
    } else {
        out[1] = 0x80u | 126u;
        out[2] = (uint8_t)(n >> 8);
        out[3] = (uint8_t)n;
    }
    static uint32_t mask_seed = 1;
    mask_seed = mask_seed * 1664525u + 1013904223u;
    uint8_t *mask = out + head, *to = out + head + 4;
    memcpy(mask, &mask_seed, 4);
    for (size_t i = 0; i < n; i++) to[i] = body[i] ^ mask[i & 3u];
    return head + 4 + n;
}

static size_t ws_hello(uint8_t *out, const conn *c)
{
    uint8_t hello[160], frame[192], *p = hello;
    size_t id_n = strlen(c->id);
    *p++ = 0x08; *p++ = 1;                                  /* protocol           */
    *p++ = 0x12; *p++ = (uint8_t)id_n;                      /* device_id          */
    memcpy(p, c->id, id_n); p += id_n;
    uint32_t nonce = (uint32_t)time(NULL) * 2654435761u ^ (uint32_t)getpid();
    *p++ = 0x1d;                                            /* boot_nonce         */
    for (int i = 0; i < 4; i++) *p++ = (uint8_t)(nonce >> (8 * i) | 1u);
    *p++ = 0x20; *p++ = 1;                                  /* attempt            */
    *p++ = 0x30; *p++ = 1;                                  /* next_seq           */
    *p++ = 0x38; *p++ = 1;                                  /* oldest             */
    *p++ = 0x48; *p++ = 1;                                  /* uptime_ms          */
    size_t n = (size_t)(p - hello);
    frame[0] = 0x1a;                                        /* Uplink.hello = 3   */
    uint8_t *q = put_varint(frame + 1, (uint32_t)n);
    memcpy(q, hello, n);
    return ws_frame(out, frame, (size_t)(q - frame) + n);
}

/* A number of n bytes more than it needs [P-24]; fewer than four, so that it stays within 32 bits. */
static uint8_t *put_padded(uint8_t *p, uint8_t v, int more)
{
    for (; more > 0; more--) { *p++ = v | 0x80u; v = 0; }
    *p++ = v;
    return p;
}

/* Telemetry of exactly opt.payload bytes: as many signals as fit, one float each, all measured now. 10 bytes each. */
static uint8_t *put_signals(uint8_t *p)
{
    int signals = (opt.payload - 2) / 10, pad = (opt.payload - 2) % 10;
    int pad_uptime = pad > 3 ? 3 : pad, pad_first = pad - pad_uptime;
    if (signals < 1 || pad_first > 3) die("--payload does not fit --shape signals");
    *p++ = 0x08;                                            /* uptime_ms          */
    p = put_padded(p, 1, pad_uptime);
    for (int i = 0; i < signals; i++) {
        *p++ = 0x1a; *p++ = (uint8_t)(8 + pad_first);       /* series             */
        *p++ = 0x08; p = put_padded(p, (uint8_t)(i + 1), pad_first);
        *p++ = 0x32; *p++ = 4;                              /* floats, packed     */
        *p++ = 0; *p++ = 0; *p++ = 0xac; *p++ = 0x41;
        pad_first = 0;
    }
    return p;
}

/* Telemetry of exactly opt.payload bytes: one signal, many floats. */
static uint8_t *put_column(uint8_t *p)
{
    int floats = (opt.payload - 11) / 4, pad = (opt.payload - 11) % 4;
    *p++ = 0x08;                                            /* uptime_ms, padded  */
    for (int i = 0; i < 1 + pad; i++) *p++ = 0x81;
    *p++ = 0x00;
    *p++ = 0x1a;                                            /* series; padded too */
    *p++ = (uint8_t)(0x80u | ((floats * 4 + 5) & 0x7f)); *p++ = (uint8_t)((floats * 4 + 5) >> 7);
    *p++ = 0x08; *p++ = 1;                                  /* signal 1           */
    *p++ = 0x32;                                            /* floats, packed     */
    *p++ = (uint8_t)(0x80u | (floats * 4 & 0x7f)); *p++ = (uint8_t)(floats * 4 >> 7);
    for (int i = 0; i < floats; i++) { *p++ = 0; *p++ = 0; *p++ = 0xac; *p++ = 0x41; }
    return p;
}

static size_t ws_telemetry(uint8_t *out, uint32_t seq)
{
    uint8_t frame[FRAME_BYTES_MAX], *p = frame;
    *p++ = 0x08;                                            /* seq, padded to 5   */
    for (int i = 0; i < 4; i++) { *p++ = (uint8_t)(seq | 0x80u); seq >>= 7; }
    *p++ = (uint8_t)seq;
    *p++ = 0x2a;                                            /* Uplink.telemetry   */
    p = put_varint(p, (uint32_t)opt.payload);
    uint8_t *body = p;
    p = opt.is_column ? put_column(p) : put_signals(p);
    if (p - body != opt.payload) die("payload layout");
    return ws_frame(out, frame, (size_t)(p - frame));
}

static size_t mqtt_publish(uint8_t *out, const conn *c, uint32_t number)
{
    uint8_t *p = out;
    size_t topic_n = strlen(c->id);
    *p++ = 0x32;
    p = put_varint(p, (uint32_t)(2 + topic_n + 2 + (size_t)opt.payload));
    *p++ = 0; *p++ = (uint8_t)topic_n;
    memcpy(p, c->id, topic_n); p += topic_n;
    uint32_t packet = number % 65535u + 1u;
    *p++ = (uint8_t)(packet >> 8); *p++ = (uint8_t)packet;
    memset(p, 'x', (size_t)opt.payload);
    return (size_t)(p - out) + (size_t)opt.payload;
}

/* ---- one connection -------------------------------------------------------------------------------------------- */

static void flush_tx(conn *c)
{
    while (c->tx_done < c->tx_used) {
        ssize_t n = write(c->fd, c->tx + c->tx_done, c->tx_used - c->tx_done);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (n <= 0) die("the peer closed while we wrote");
        c->tx_done += (size_t)n;
    }
    c->tx_used = c->tx_done = 0;
}

/* How many messages a connection may have sent by now. */
static uint32_t due(const conn *c)
{
    static double from_s;
    if (opt.rate <= 0) return UINT32_MAX;
    if (from_s == 0) from_s = now_s();
    return (uint32_t)((now_s() - from_s) * opt.rate / opt.conns + (double)c->index / opt.conns);
}

static void fill(conn *c)
{
    if (c->tx_used > 0) flush_tx(c);
    uint32_t sent_max = due(c);
    while (c->sent < sent_max && c->sent - c->acked < (uint32_t)opt.inflight && c->tx_used + FRAME_BYTES_MAX < TX_BYTES &&
           (opt.messages == 0 || c->sent < opt.messages)) {
        c->sent++;
        c->tx_used += opt.is_ws ? ws_telemetry(c->tx + c->tx_used, c->base + c->sent)
                                : mqtt_publish(c->tx + c->tx_used, c, c->sent);
    }
    flush_tx(c);
}

static void begin(conn *c)
{
    size_t n;
    if (opt.is_ws) {
        n = (size_t)snprintf((char *)c->tx, TX_BYTES,
                             "GET /v1/device HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tidegate.v1\r\n"
                             "Authorization: Bearer %s\r\n\r\n", c->token);
    } else {
        uint8_t *p = c->tx;
        size_t id_n = strlen(c->id);
        static const uint8_t head[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60};
        *p++ = 0x10; p = put_varint(p, (uint32_t)(sizeof head + 2 + id_n));
        memcpy(p, head, sizeof head); p += sizeof head;
        *p++ = 0; *p++ = (uint8_t)id_n;
        memcpy(p, c->id, id_n); p += id_n;
        for (uint8_t *q = p - id_n; q < p; q++) if (*q == '/') *q = '-';
        n = (size_t)(p - c->tx);
    }
    c->tx_used = n;
    flush_tx(c);
}

static void drop(conn *c, size_t n)
{
    memmove(c->rx, c->rx + n, c->rx_used - n);
    c->rx_used -= n;
}

static uint32_t read_varint(const uint8_t *p, const uint8_t *end)
{
    uint32_t v = 0;
    for (int shift = 0; p < end && shift < 35; shift += 7, p++) {
        v |= (uint32_t)(*p & 0x7fu) << shift;
        if ((*p & 0x80u) == 0) break;
    }
    return v;
}

static void ws_message(conn *c, const uint8_t *p, size_t n)
{
    if (n == 0) return;
    if (p[0] == 0x0a) {                                     /* welcome            */
        const uint8_t *q = p + 2, *end = p + n;             /* find acked_seq = 4 */
        while (q < end) {
            uint8_t tag = *q++;
            if ((tag & 7) == 5) { q += 4; continue; }
            if (tag == 0x20) c->base = read_varint(q, end);
            while (q < end && (*q & 0x80u)) q++;
            q++;
        }
        c->at = RUNNING;
        running_count++;
    } else if (p[0] == 0x12 && n > 3) {                     /* ack { seq }        */
        uint32_t seq = read_varint(p + 3, p + n) - c->base;
        if (seq > c->acked && seq <= c->sent) c->acked = seq;
    } else if (p[0] == 0x1a || p[0] == 0x3a) {
        fprintf(stderr, "load: the gateway sent a %s\n", p[0] == 0x1a ? "nack" : "bye");
        exit(1);
    }
}

static void parse_ws(conn *c)
{
    if (c->at == CONNECTING) {
        uint8_t *end = memmem(c->rx, c->rx_used, "\r\n\r\n", 4);
        if (end == NULL) return;
        if (memcmp(c->rx, "HTTP/1.1 101", 12) != 0) {
            fprintf(stderr, "load: upgrade refused: %.*s\n", 60, (char *)c->rx);
            exit(1);
        }
        drop(c, (size_t)(end + 4 - c->rx));
        c->at = GREETING;
        c->tx_used = ws_hello(c->tx, c);
        flush_tx(c);
    }
    size_t at = 0;
    while (c->rx_used - at >= 2) {
        size_t n = c->rx[at + 1] & 0x7fu, head = 2;
        if (n == 126) {
            if (c->rx_used - at < 4) break;
            n = ((size_t)c->rx[at + 2] << 8) | c->rx[at + 3];
            head = 4;
        }
        if (c->rx_used - at < head + n) break;
        if ((c->rx[at] & 0x0fu) == 2) ws_message(c, c->rx + at + head, n);
        at += head + n;
    }
    drop(c, at);
}

static void parse_mqtt(conn *c)
{
    size_t at = 0;
    while (c->rx_used - at >= 4) {                          /* CONNACK and PUBACK are 4 bytes */
        if (c->rx[at] == 0x20) {
            if (c->rx[at + 3] != 0) die("the broker refused the connection");
            c->at = RUNNING;
            running_count++;
        } else if (c->rx[at] == 0x40) {
            c->acked++;
        } else {
            die("unexpected MQTT packet");
        }
        at += 4;
    }
    drop(c, at);
}

static void on_ready(conn *c, uint32_t events, int go)
{
    if (events & EPOLLIN) {
        for (;;) {
            ssize_t n = read(c->fd, c->rx + c->rx_used, RX_BYTES - c->rx_used);
            if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
            if (n <= 0) die("the peer closed the connection");
            c->rx_used += (size_t)n;
            if (opt.is_ws) parse_ws(c); else parse_mqtt(c);
            if (c->rx_used < RX_BYTES) break;
        }
    }
    if (events & EPOLLOUT) flush_tx(c);
    if (go && c->at == RUNNING) fill(c);
}

/* ---- the run --------------------------------------------------------------------------------------------------- */

static void open_conn(conn *c, int i, FILE *tokens)
{
    memset(c, 0, sizeof *c);
    c->index = i;
    c->tx = malloc(TX_BYTES);
    if (opt.is_ws) {
        if (tokens == NULL || fscanf(tokens, "%63s %127s", c->id, c->token) != 2) die("too few tokens");
    } else {
        snprintf(c->id, sizeof c->id, "bench/%d", i);
    }
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
    begin(c);
}

static uint64_t acked_total(const conn *all)
{
    uint64_t sum = 0;
    for (int i = 0; i < opt.conns; i++) sum += all[i].acked;
    return sum;
}

static double cpu_s(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int all_sent(const conn *all)
{
    return opt.messages != 0 && acked_total(all) >= (uint64_t)opt.messages * (uint64_t)opt.conns;
}

static void pump(conn *all, double until_s, int go)
{
    struct epoll_event events[256];
    while (now_s() < until_s) {
        int n = epoll_wait(epoll_fd, events, 256, opt.rate > 0 ? 2 : 20);
        for (int i = 0; i < n; i++) on_ready(events[i].data.ptr, events[i].events, go);
        if (go && opt.rate > 0) for (int i = 0; i < opt.conns; i++) fill(&all[i]);
        if (go ? all_sent(all) : running_count == opt.conns) return;
    }
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *k = argv[i], *v = argv[i + 1];
        if (strcmp(k, "--mode") == 0) opt.is_ws = strcmp(v, "ws") == 0;
        else if (strcmp(k, "--shape") == 0) opt.is_column = strcmp(v, "column") == 0;
        else if (strcmp(k, "--port") == 0) opt.port = atoi(v);
        else if (strcmp(k, "--conns") == 0) opt.conns = atoi(v);
        else if (strcmp(k, "--inflight") == 0) opt.inflight = atoi(v);
        else if (strcmp(k, "--payload") == 0) opt.payload = atoi(v);
        else if (strcmp(k, "--seconds") == 0) opt.seconds = atof(v);
        else if (strcmp(k, "--rate") == 0) opt.rate = atof(v);
        else if (strcmp(k, "--tokens") == 0) opt.tokens = v;
        else if (strcmp(k, "--pid") == 0) opt.pid = atoi(v);
        else if (strcmp(k, "--messages") == 0) opt.messages = (uint32_t)strtoul(v, NULL, 10);
        else { fprintf(stderr, "load: unknown option %s\n", k); exit(2); }
    }
    if (opt.payload < 16 || opt.payload > 1024 || opt.conns < 1 || opt.port < 1) {
        fprintf(stderr, "load: --port and --conns are needed, --payload is 16 to 1024\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    FILE *tokens = opt.tokens == NULL ? NULL : fopen(opt.tokens, "r");
    epoll_fd = epoll_create1(0);
    conn *all = calloc((size_t)opt.conns, sizeof *all);
    if (all == NULL) die("memory");
    for (int i = 0; i < opt.conns; i++) {
        open_conn(&all[i], i, tokens);
        pump(all, now_s() + 0.0005, 0);
    }
    pump(all, now_s() + 30.0, 0);
    if (running_count != opt.conns) die("not every connection was accepted");

    for (int i = 0; i < opt.conns; i++) fill(&all[i]);
    if (opt.messages == 0) pump(all, now_s() + opt.seconds * 0.25, 1);
    uint64_t acked_before = opt.messages == 0 ? acked_total(all) : 0;
    cost before = peer_cost(opt.pid);
    double from = now_s(), cpu_before = cpu_s();
    pump(all, from + opt.seconds, 1);
    double elapsed = now_s() - from, own_share = (cpu_s() - cpu_before) / elapsed;
    cost after = peer_cost(opt.pid);
    uint64_t acked = acked_total(all) - acked_before;
    if (opt.messages != 0 && !all_sent(all)) die("not everything was acknowledged in time");
    printf("{\"acked\":%llu,\"seconds\":%.3f,\"perSecond\":%.0f,\"generatorCpuShare\":%.3f,"
           "\"peerCpuSeconds\":%.2f,\"peerWrittenBytes\":%.0f,\"peerRssBytes\":%.0f}\n",
           (unsigned long long)acked, elapsed, (double)acked / elapsed, own_share,
           difference(after.cpu_s, before.cpu_s), difference(after.written_bytes, before.written_bytes),
           after.rss_bytes);
    return 0;
}
