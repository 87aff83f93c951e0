/* run-avr.c -- runs an AVR image in simavr, its USART0 on a unix socket, in real time.
 *
 *   run-avr MCU IMAGE.elf SOCKET IDENTITY.bin [--listen 1] [--speed N] [--cycles FUNCTION]
 *
 *   firmware --UART_IRQ_OUTPUT--> socket            socket --UART_IRQ_INPUT, while the receiver says XON--> firmware
 *
 * The identity is written to EEPROM address 0. --speed 0 runs as fast as the host can. --cycles prints, at the end, the
 * most cycles a call of that function took, and the most stack (its address range is entered and left by the program
 * counter; interrupts and what it calls included). Ends when the socket closes; with --listen 1 it makes the socket
 * itself, serves one peer after the other, and throws away what the board says while nobody listens, as a wire does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_eeprom.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

#define CLOCK_HZ 16000000u
#define SLICE_CYCLES 16000u /* a millisecond between two looks at socket and clock */
#define PENDING_BYTES 4096u
#define BEHIND_S_MAX 0.02

static int line_fd = -1;
static int listen_fd = -1;
static int may_receive = 1;
static uint8_t pending[PENDING_BYTES];
static size_t pending_at;
static size_t pending_end;

/* The peer is gone: wait for the next one, or end. */
static void hang_up(void)
{
    if (listen_fd < 0) exit(0);
    close(line_fd);
    line_fd = -1;
    pending_at = pending_end = 0;
}

static void on_output(struct avr_irq_t *irq, uint32_t value, void *param)
{
    const uint8_t byte = (uint8_t)value;
    (void)irq;
    (void)param;
    if (line_fd < 0) return;
    if (send(line_fd, &byte, 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN) hang_up();
}

static void on_xon(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)value;
    (void)param;
    may_receive = 1;
}

static void on_xoff(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)value;
    (void)param;
    may_receive = 0;
}

static void open_line(const char *path, int listens)
{
    struct sockaddr_un address;
    const struct sockaddr *to = (struct sockaddr *)&address;
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (listens) unlink(path);
    if (fd < 0 || (listens ? bind(fd, to, sizeof address) : connect(fd, to, sizeof address)) != 0 ||
        (listens && listen(fd, 1) != 0)) {
        fprintf(stderr, "run-avr: cannot %s %s: %s\n", listens ? "listen on" : "connect to", path, strerror(errno));
        exit(1);
    }
    if (!listens) {
        line_fd = fd;
        return;
    }
    listen_fd = fd;
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void hook_uart(avr_t *avr)
{
    uint32_t flags = 0;
    avr_irq_t *irq;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    irq = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT);
    avr_irq_register_notify(irq, on_output, NULL);
    irq = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON);
    if (irq) avr_irq_register_notify(irq, on_xon, NULL);
    irq = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF);
    if (irq) avr_irq_register_notify(irq, on_xoff, NULL);
}

static void load_identity(avr_t *avr, const char *path)
{
    uint8_t bytes[256];
    avr_eeprom_desc_t eeprom;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return;
    eeprom.ee = bytes;
    eeprom.offset = 0;
    eeprom.size = (uint32_t)fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    avr_ioctl(avr, AVR_IOCTL_EEPROM_SET, &eeprom);
}

/* Takes what came in, gives it to the receiver byte by byte. */
static void feed(avr_t *avr)
{
    avr_irq_t *input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    if (line_fd < 0) line_fd = accept(listen_fd, NULL, NULL);
    if (line_fd < 0) return;
    if (pending_at == pending_end) {
        const ssize_t n = recv(line_fd, pending, sizeof pending, MSG_DONTWAIT);
        if (n == 0) {
            hang_up();
            return;
        }
        pending_at = 0;
        pending_end = n > 0 ? (size_t)n : 0;
    }
    while (may_receive && pending_at < pending_end) avr_raise_irq(input, pending[pending_at++]);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Address range of a function, from the image's symbols. */
static int find_function(const char *image, const char *name, uint32_t *from, uint32_t *to)
{
    char command[512];
    FILE *pipe;
    unsigned long start = 0;
    unsigned long size = 0;
    snprintf(command, sizeof command, "avr-nm -S '%s' | awk '$4 == \"%s\" {print $1, $2}'", image, name);
    pipe = popen(command, "r");
    if (pipe == NULL) return 0;
    if (fscanf(pipe, "%lx %lx", &start, &size) != 2) size = 0;
    pclose(pipe);
    *from = (uint32_t)start;
    *to = (uint32_t)(start + size);
    return size > 0;
}

static avr_cycle_count_t worst;
static unsigned deepest; /* bytes of stack below the function's caller */

static void report_worst(void)
{
    fprintf(stderr, "worst %lu cycles, %u bytes of stack\n", (unsigned long)worst, deepest);
}

int main(int argc, char **argv)
{
    elf_firmware_t firmware;
    avr_t *avr;
    double speed = 1;
    int listens = 0;
    uint32_t from = 0;
    uint32_t to = 0;
    avr_cycle_count_t entered = 0;
    uint16_t entered_sp = 0;
    double began;
    int i;
    if (argc < 5) {
        fprintf(stderr, "usage: run-avr MCU IMAGE.elf SOCKET IDENTITY.bin [--listen 1] [--speed N] [--cycles NAME]\n");
        return 2;
    }
    for (i = 5; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--speed") == 0) speed = atof(argv[i + 1]);
        if (strcmp(argv[i], "--listen") == 0) listens = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--cycles") == 0 && find_function(argv[2], argv[i + 1], &from, &to)) atexit(report_worst);
    }
    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(argv[2], &firmware) != 0) {
        fprintf(stderr, "run-avr: cannot read %s\n", argv[2]);
        return 1;
    }
    avr = avr_make_mcu_by_name(argv[1]);
    if (avr == NULL) {
        fprintf(stderr, "run-avr: simavr does not know %s\n", argv[1]);
        return 1;
    }
    avr_init(avr);
    avr->frequency = CLOCK_HZ;
    avr->log = LOG_NONE;
    avr_load_firmware(avr, &firmware);
    load_identity(avr, argv[4]);
    open_line(argv[3], listens);
    hook_uart(avr);
    began = seconds();
    for (;;) {
        const avr_cycle_count_t until = avr->cycle + SLICE_CYCLES;
        double ahead;
        while (avr->cycle < until) {
            const int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) return 1;
            if (to > 0) {
                const uint16_t sp = (uint16_t)(avr->data[R_SPL] | avr->data[R_SPH] << 8);
                if (avr->pc == from) {
                    entered = avr->cycle;
                    entered_sp = sp;
                } else if (entered != 0 && sp > entered_sp) { /* returned */
                    if (avr->cycle - entered > worst) worst = avr->cycle - entered;
                    entered = 0;
                }
                /* 2: its return address */
                if (entered != 0 && entered_sp - sp + 2u > deepest) deepest = entered_sp - sp + 2u;
            }
        }
        feed(avr);
        if (speed <= 0) continue;
        ahead = (double)avr->cycle / CLOCK_HZ / speed - (seconds() - began);
        if (ahead < -BEHIND_S_MAX) began -= ahead; /* a host that was busy: the board stood still, it does not race */
        if (ahead > 0.0005) {
            struct pollfd ready = {line_fd < 0 ? listen_fd : line_fd, POLLIN, 0};
            poll(&ready, 1, pending_at == pending_end ? (int)(ahead * 1000) : 0);
            ahead = (double)avr->cycle / CLOCK_HZ / speed - (seconds() - began);
            if (ahead > 0) usleep((useconds_t)(ahead * 1e6));
        }
    }
}
