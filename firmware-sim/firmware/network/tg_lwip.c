/* tg_lwip.c -- see tg_lwip.h.
 *
 *   DOWN --open()--> CONNECTING --connected--> UP --end or error of the peer--> GONE --close()--> DOWN
 */
#include "tg_lwip.h"

#include <string.h>

#define TAKE_MAX 32767u /* what a port can say it took */

enum { DOWN = 0, CONNECTING, UP, GONE };

static void drop_received(tg_lwip *tcp)
{
    if (tcp->received != NULL) (void)pbuf_free(tcp->received);
    tcp->received = NULL;
    tcp->taken = 0;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t error)
{
    tg_lwip *tcp = arg;
    (void)pcb;
    tcp->state = error == ERR_OK ? UP : GONE;
    return ERR_OK;
}

/* What came stays lwIP's window until it was given out: the peer waits. */
static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    tg_lwip *tcp = arg;
    (void)pcb;
    (void)error;
    if (buffer == NULL) {
        tcp->state = GONE;
    } else if (tcp->received == NULL) {
        tcp->received = buffer;
    } else {
        pbuf_cat(tcp->received, buffer);
    }
    return ERR_OK;
}

/* lwIP has freed the connection already. */
static void on_error(void *arg, err_t error)
{
    tg_lwip *tcp = arg;
    (void)error;
    tcp->pcb = NULL;
    tcp->state = GONE;
}

static int16_t begin(tg_lwip *tcp)
{
    struct tcp_pcb *pcb = tcp_new();
    if (pcb == NULL) return -1;
    tcp_arg(pcb, tcp);
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_error);
    tcp_nagle_disable(pcb);
    tcp->pcb = pcb;
    tcp->state = CONNECTING;
    if (tcp_connect(pcb, &tcp->address, tcp->port, on_connected) == ERR_OK) return 0;
    tcp_abort(pcb); /* calls on_error */
    tcp->state = DOWN;
    return -1;
}

static void leave(tg_lwip *tcp)
{
    struct tcp_pcb *pcb = tcp->pcb;
    drop_received(tcp);
    tcp->pcb = NULL;
    tcp->state = DOWN;
    if (pcb == NULL) return;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    if (tcp_close(pcb) != ERR_OK) tcp_abort(pcb);
}

static int16_t lwip_open(void *ctx)
{
    tg_lwip *tcp = ctx;
    if (tcp->state == DOWN) return begin(tcp);
    if (tcp->state != GONE) return tcp->state == UP ? 1 : 0;
    leave(tcp);
    return -1;
}

static int16_t lwip_send(void *ctx, const uint8_t *p, uint16_t n)
{
    tg_lwip *tcp = ctx;
    uint16_t room;
    if (tcp->state != UP) return -1;
    room = tcp_sndbuf(tcp->pcb);
    if (n > room) n = room;
    if (n > TAKE_MAX) n = TAKE_MAX;
    if (n == 0 || tcp_write(tcp->pcb, p, n, TCP_WRITE_FLAG_COPY) != ERR_OK) return 0;
    (void)tcp_output(tcp->pcb);
    return (int16_t)n;
}

static int16_t lwip_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    tg_lwip *tcp = ctx;
    struct pbuf *head = tcp->received;
    uint16_t n;
    if (head == NULL) return tcp->state == UP ? 0 : -1;
    n = (uint16_t)(head->len - tcp->taken);
    if (n > cap) n = cap;
    if (n > TAKE_MAX) n = TAKE_MAX;
    memcpy(p, (const uint8_t *)head->payload + tcp->taken, n);
    tcp->taken = (uint16_t)(tcp->taken + n);
    if (tcp->taken == head->len) {
        tcp->received = head->next;
        tcp->taken = 0;
        if (head->next != NULL) pbuf_ref(head->next); /* outlives the head that held it */
        (void)pbuf_free(head);
    }
    if (tcp->pcb != NULL) tcp_recved(tcp->pcb, n);
    return (int16_t)n;
}

static void lwip_close(void *ctx)
{
    leave(ctx);
}

static uint32_t lwip_now_ms(void *ctx)
{
    return ((tg_lwip *)ctx)->now_ms();
}

static uint32_t lwip_entropy(void *ctx)
{
    return ((tg_lwip *)ctx)->entropy();
}

void tg_lwip_init(tg_lwip *tcp, const ip_addr_t *address, uint16_t port)
{
    tcp->address = *address;
    tcp->port = port;
    tcp->state = DOWN;
    tcp->pcb = NULL;
    tcp->received = NULL;
    tcp->taken = 0;
}

void tg_lwip_port(tg_lwip *tcp, tg_port *port)
{
    port->open = lwip_open;
    port->send = lwip_send;
    port->recv = lwip_recv;
    port->close = lwip_close;
    port->now_ms = lwip_now_ms;
    port->entropy = lwip_entropy;
    port->ctx = tcp;
}
