/* main.c -- the demo on a BBC micro:bit v1: nRF51822, Cortex-M0, 256 KB flash, 16 KB RAM. Runs on `qemu -M microbit`.
 *
 *   UART0 0x40002000  115200 baud on the USB interface's pins (TX P0.24, RX P0.25)     interrupt 2
 *   TIMER0 0x40008000 compare every 1,000 us: the millisecond clock                    interrupt 8
 *   RNG 0x4000D000    the seed, once
 *
 * Registers: nRF51 Series Reference Manual 3.0.
 */
#include "../demo/uart_link.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define UART 0x40002000u
#define TIMER 0x40008000u
#define RNG 0x4000D000u
#define NVIC_ENABLE 0xE000E100u
#define IDENTITY 0x20003F80u /* the top 128 bytes of RAM, below nothing: the stack starts under them */

extern uint32_t image_data_load, image_data_start, image_data_end, image_bss_start, image_bss_end, image_stack_top;
void reset_handler(void);
void uart_handler(void);
void timer_handler(void);
int main(void);

static volatile uint32_t now_ms;
static volatile bool is_sending;

static void stop(void)
{
    for (;;) {
    }
}

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[16 + 9] = {
    [0] = (vector)(void *)&image_stack_top, [1] = reset_handler, [2] = stop, [3] = stop,
    [16 + 2] = uart_handler, [16 + 8] = timer_handler,
};

void reset_handler(void)
{
    uint32_t *to = &image_data_start;
    const uint32_t *from = &image_data_load;
    while (to < &image_data_end) *to++ = *from++;
    for (to = &image_bss_start; to < &image_bss_end; to++) *to = 0;
    (void)main();
    stop();
}

/* Sends the next byte, or rests. */
static void send_next(void)
{
    const int16_t byte = tg_uart_to_send(&board_uart);
    is_sending = byte >= 0;
    if (byte >= 0) REG(UART + 0x51C) = (uint32_t)byte;
}

void uart_handler(void)
{
    if (REG(UART + 0x108) != 0) {
        REG(UART + 0x108) = 0;
        tg_uart_received(&board_uart, (uint8_t)REG(UART + 0x518));
    }
    if (REG(UART + 0x11C) != 0) {
        REG(UART + 0x11C) = 0;
        send_next();
    }
}

void timer_handler(void)
{
    REG(TIMER + 0x140) = 0;
    now_ms++;
}

void tg_uart_kick(tg_uart *uart)
{
    (void)uart;
    __asm volatile("cpsid i");
    if (!is_sending) send_next();
    __asm volatile("cpsie i");
}

uint32_t board_now_ms(void *ctx)
{
    (void)ctx;
    return now_ms;
}

uint32_t board_start(tg_config *config)
{
    uint8_t i;
    REG(RNG) = 1;
    for (i = 0; i < 4; i++) {
        REG(RNG + 0x100) = 0;
        while (REG(RNG + 0x100) == 0) {
        }
        demo_stir(REG(RNG + 0x508) << 8 * i);
    }
    REG(RNG + 4) = 1;
    return board_use_page((const board_page *)IDENTITY, config);
}

void board_sleep(void)
{
    __asm volatile("wfi");
}

int main(void)
{
    REG(UART + 0x50C) = 24;
    REG(UART + 0x514) = 25;
    REG(UART + 0x524) = 0x01D7E000; /* 115200 */
    REG(UART + 0x500) = 4;
    REG(UART + 0x304) = 1u << 2 | 1u << 7; /* RXDRDY, TXDRDY */
    REG(UART + 0x000) = 1;
    REG(UART + 0x008) = 1;
    REG(TIMER + 0x508) = 3; /* 32 bits */
    REG(TIMER + 0x510) = 4; /* 16 MHz / 2^4 */
    REG(TIMER + 0x540) = 1000;
    REG(TIMER + 0x200) = 1; /* clear on compare */
    REG(TIMER + 0x304) = 1u << 16;
    REG(TIMER + 0x000) = 1;
    REG(NVIC_ENABLE) = 1u << 2 | 1u << 8;
    demo_run();
}
