/* main.c -- the demo on a Stellaris LM3S6965: Cortex-M3, 256 KB of flash, 64 KB of RAM, Ethernet on the chip. Runs on
 * `qemu -M lm3s6965evb -nic user,model=stellaris`. WebSocket over lwIP; with WITH_TLS over mbedTLS, too.
 *
 *   Ethernet 0x40048000   enet.c                   interrupt 42: wakes the core
 *   UART0    0x4000C000   PL011, written only: what happened, and counters, in lines (boards/console-log.ts reads them)
 *   SysTick               1 kHz at 50 MHz
 *   page     0x0003F000   identity (board.h), then where the gateway is and what to pin:
 *
 *     0          108        112     114        116           148
 *     | identity | address  | port  | CA bytes | randomness  | CA, DER ...      numbers little-endian, address as sent
 *
 * The chip has no random numbers: a real board keeps a seed in its flash and stirs it at every boot; here the simulator
 * gives 32 bytes at each. Registers: LM3S6965 data sheet.
 */
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "../demo/board.h"
#include "enet.h"
#include "tg_lwip.h"
#ifdef WITH_TLS
#include "tls.h"
#endif

#define REG(address) (*(volatile uint32_t *)(address))
#define UART 0x4000C000u
#define SYSTICK 0xE000E010u
#define PAGE 0x0003F000u
#define CPU_HZ 50000000u

typedef struct page {
    board_page identity;
    uint8_t address[4];
    uint16_t port;
    uint16_t ca_bytes;
    uint8_t randomness[32];
    uint8_t ca[];
} page;

extern uint32_t image_data_load, image_data_start, image_data_end, image_bss_start, image_bss_end, image_stack_top;
void reset_handler(void);
void tick_handler(void);
int main(void);

static volatile uint32_t now_ms;
static struct netif interface;
static tg_lwip tcp;
static const tg_client *said_of; /* whose counters the console says; from the first event on */
tg_port board_port;

void board_halt(void)
{
    for (;;) {
    }
}

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[16 + 43] = {
    [0] = (vector)(void *)&image_stack_top, [1] = reset_handler, [2] = board_halt, [3] = board_halt,
    [15] = tick_handler, [16 + 42] = enet_interrupt,
};

void reset_handler(void)
{
    uint32_t *to = &image_data_start;
    const uint32_t *from = &image_data_load;
    while (to < &image_data_end) *to++ = *from++;
    for (to = &image_bss_start; to < &image_bss_end; to++) *to = 0;
    (void)main();
    board_halt();
}

void tick_handler(void)
{
    now_ms++;
}

static const page *the_page(void)
{
    return (const page *)PAGE;
}

uint32_t board_now_ms(void *ctx)
{
    (void)ctx;
    return now_ms;
}

u32_t sys_now(void)
{
    return now_ms;
}

uint32_t board_random(void)
{
    return demo_entropy(NULL);
}

static void say(const char *text)
{
    while (*text != 0) REG(UART) = (uint32_t)(uint8_t)*text++;
}

static void say_number(const char *before, uint32_t number)
{
    char digits[11];
    uint8_t at = sizeof digits - 1;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + number % 10u);
        number /= 10u;
    } while (number != 0);
    say(before);
    say(&digits[at]);
}

/* The client's counters, once a second, for whoever reads the console. */
static void say_counters(void)
{
    static uint32_t said_ms;
    const tg_stats *stats;
    if (said_of == NULL || now_ms - said_ms < 1000u) return;
    said_ms = now_ms;
    stats = tg_get_stats(said_of);
    say_number("held ", tg_held(said_of));
    say_number(" acked ", stats->acked);
    say_number(" dropped ", stats->dropped);
    say_number(" put ", stats->sent);
    say_number(" sessions ", stats->sessions);
    say_number(" commands ", stats->commands);
    say("\n");
}

static void on_event(tg_client *client, tg_event event, uint32_t arg)
{
    static const char *const names[] = {"?", "online", "offline", "refused", "dropped", "renumbered"};
    said_of = client;
    say(names[event <= TG_EVENT_RENUMBERED ? event : 0]);
    say_number(" ", arg);
#ifdef WITH_TLS
    const tls_report report = tls_get_report();
    say_number(" handshakes ", report.handshakes);
    say_number(" resumed ", report.resumed);
    say_number(" refused ", report.refused);
    say_number(" error ", report.last_error);
    say_number(" heap-peak ", report.heap_peak_bytes);
    say_number(" of ", report.heap_bytes);
#endif
    say("\n");
}

/* lwIP gives a frame to send. */
static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
    static uint8_t bytes[ENET_FRAME_BYTES_MAX];
    (void)netif;
    if (frame->tot_len > sizeof bytes) return ERR_BUF;
    return enet_send(bytes, pbuf_copy_partial(frame, bytes, frame->tot_len, 0)) ? ERR_OK : ERR_MEM;
}

/* Gives what came to lwIP. What finds no buffer is dropped; TCP sends it again. */
static void receive_frames(void)
{
    static uint8_t bytes[ENET_FRAME_BYTES_MAX];
    size_t n = enet_receive(bytes, sizeof bytes);
    while (n > 0) {
        struct pbuf *frame = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_POOL);
        if (frame != NULL && (pbuf_take(frame, bytes, (u16_t)n) != ERR_OK || interface.input(frame, &interface) != ERR_OK)) {
            (void)pbuf_free(frame);
        }
        n = enet_receive(bytes, sizeof bytes);
    }
}

void board_rest(bool may_sleep)
{
    receive_frames();
    sys_check_timeouts();
    say_counters();
    if (may_sleep && tcp.received == NULL) __asm volatile("wfi");
}

static err_t start_interface(struct netif *netif)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    netif->mtu = 1500;
    netif->hwaddr_len = sizeof mac;
    memcpy(netif->hwaddr, mac, sizeof mac);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
    enet_start(mac);
    return ERR_OK;
}

/* The address is the one that QEMU's user network gives its only guest. */
static void start_network(void)
{
    ip4_addr_t own, mask, router;
    IP4_ADDR(&own, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&router, 10, 0, 2, 2);
    lwip_init();
    (void)netif_add(&interface, &own, &mask, &router, NULL, start_interface, ethernet_input);
    netif_set_default(&interface);
    netif_set_up(&interface);
}

uint32_t board_start(tg_config *config)
{
    const page *p = the_page();
    const uint32_t interval_ms = board_use_page(&p->identity, config);
    ip_addr_t gateway;
    IP4_ADDR(&gateway, p->address[0], p->address[1], p->address[2], p->address[3]);
    start_network();
    tcp.now_ms = sys_now;
    tcp.entropy = board_random;
    tg_lwip_init(&tcp, &gateway, p->port);
    tg_lwip_port(&tcp, &board_port);
#ifdef WITH_TLS
    if (!tls_start(&board_port, p->ca, p->ca_bytes, p->randomness)) say("tls did not start\n");
#endif
    config->on_event = on_event;
    config->host.ptr = (const uint8_t *)"gateway.tidegate.internal";
    config->host.len = 25;
    return interval_ms;
}

int main(void)
{
    REG(SYSTICK + 4) = CPU_HZ / 1000u - 1u;
    REG(SYSTICK + 8) = 0;
    REG(SYSTICK) = 7; /* core clock, interrupt, on */
    REG(UART + 0x30) = 1u | 1u << 8; /* UART and its transmitter on */
    demo_run();
}
