/* emulated-uno.c -- an Arduino Uno with its boot loader, in simavr, its serial port on a TCP port of the loopback.
 *
 *   emulated-uno BOOT_LOADER.hex             prints the TCP port, then serves one peer after the other
 *
 *   flash:  0000  the sketch; empty (FF) at first         7E00  the boot loader, written once, here
 *
 * As on the board, opening the port resets the chip: the boot loader runs, listens for a second, then starts the sketch.
 * Ends on SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_hex.h>

#define CLOCK_HZ 16000000u
#define SLICE_CYCLES 16000u /* a millisecond between two looks at socket and clock */
#define PENDING_BYTES 4096u
#define MCUSR 0x54 /* data address; ATmega328P data sheet, section 15.9.1 */
#define EXTRF 0x02 /* "the reset pin was pulled": what makes the boot loader listen */

static int listen_fd;
static int peer_fd = -1;
static int may_receive = 1;
static uint8_t pending[PENDING_BYTES];
static size_t pending_at, pending_end;

static void on_output(struct avr_irq_t *irq, uint32_t value, void *param)
{
    const uint8_t byte = (uint8_t)value;
    (void)irq;
    (void)param;
    if (peer_fd >= 0) (void)send(peer_fd, &byte, 1, MSG_NOSIGNAL);
}

static void on_xon(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)value;
    may_receive = param != NULL;
}

static void hook_uart(avr_t *avr)
{
    static int yes;
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_output, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on_xon, &yes);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), on_xon, NULL);
}

static void load_boot_loader(avr_t *avr, const char *path)
{
    uint32_t bytes = 0;
    uint32_t base = 0;
    uint8_t *boot = read_ihex_file(path, &bytes, &base);
    if (boot == NULL) {
        fprintf(stderr, "emulated-uno: cannot read %s\n", path);
        exit(1);
    }
    memset(avr->flash, 0xFF, avr->flashend + 1);
    memcpy(avr->flash + base, boot, bytes);
    free(boot);
    avr->reset_pc = base;
    avr->codeend = avr->flashend;
}

static void listen_on_loopback(void)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(listen_fd, 1) != 0 ||
        getsockname(listen_fd, (struct sockaddr *)&at, &len) != 0 || fcntl(listen_fd, F_SETFL, O_NONBLOCK) != 0) {
        fprintf(stderr, "emulated-uno: %s\n", strerror(errno));
        exit(1);
    }
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
}

/* Takes the next peer, and with it a reset; or what the present one says. */
static void look_at_port(avr_t *avr)
{
    const int on = 1;
    ssize_t n;
    if (peer_fd < 0) {
        peer_fd = accept(listen_fd, NULL, NULL);
        if (peer_fd < 0) return;
        (void)setsockopt(peer_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        avr_reset(avr);
        avr->data[MCUSR] = EXTRF;
        pending_at = pending_end = 0;
        may_receive = 1;
    }
    if (pending_at == pending_end) {
        n = recv(peer_fd, pending, sizeof pending, MSG_DONTWAIT);
        pending_at = 0;
        pending_end = n > 0 ? (size_t)n : 0;
        if (n == 0) {
            close(peer_fd);
            peer_fd = -1;
        }
    }
    while (may_receive && pending_at < pending_end) {
        avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), pending[pending_at++]);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    avr_t *avr = avr_make_mcu_by_name("atmega328p");
    double began;
    if (argc != 2 || avr == NULL) {
        fprintf(stderr, "usage: emulated-uno BOOT_LOADER.hex\n");
        return 2;
    }
    avr_init(avr);
    avr->frequency = CLOCK_HZ;
    avr->log = LOG_NONE;
    load_boot_loader(avr, argv[1]);
    avr_reset(avr);
    hook_uart(avr);
    listen_on_loopback();
    began = seconds();
    for (;;) {
        const avr_cycle_count_t until = avr->cycle + SLICE_CYCLES;
        double ahead;
        while (avr->cycle < until) {
            const int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) return 1;
        }
        look_at_port(avr);
        ahead = (double)avr->cycle / CLOCK_HZ - (seconds() - began);
        if (ahead > 0.0005) usleep((useconds_t)(ahead * 1e6));
    }
}
