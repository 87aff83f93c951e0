/* main.c -- the demo on Arm's MPS2 with AN385: Cortex-M3 at 25 MHz. Runs on `qemu -M mps2-an385`.
 *
 *   UART0 0x40004000  CMSDK APB UART, 115200 baud      interrupts 0 (receive), 1 (transmit)
 *   SysTick           1 kHz
 *   identity          at 0x20020000; its seed comes with it: the board has no random numbers
 *
 * Registers: Arm Application Note 385; Cortex-M System Design Kit Technical Reference Manual.
 */
#include "../demo/uart_link.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define UART 0x40004000u
#define SYSTICK 0xE000E010u
#define NVIC_ENABLE 0xE000E100u
#define IDENTITY 0x20020000u
#define CPU_HZ 25000000u
#define BAUD 115200u

extern uint32_t image_data_load, image_data_start, image_data_end, image_bss_start, image_bss_end, image_stack_top;
void reset_handler(void);
void receive_handler(void);
void transmit_handler(void);
void tick_handler(void);
int main(void);

static volatile uint32_t now_ms;
static volatile bool is_sending;

static void stop(void)
{
    for (;;) {
    }
}

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[16 + 2] = {
    [0] = (vector)(void *)&image_stack_top, [1] = reset_handler, [2] = stop, [3] = stop, [15] = tick_handler,
    [16] = receive_handler, [17] = transmit_handler,
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

static void send_next(void)
{
    const int16_t byte = tg_uart_to_send(&board_uart);
    is_sending = byte >= 0;
    if (byte >= 0) REG(UART) = (uint32_t)byte;
}

void receive_handler(void)
{
    REG(UART + 0xC) = 2;
    while ((REG(UART + 4) & 2u) != 0) tg_uart_received(&board_uart, (uint8_t)REG(UART));
}

void transmit_handler(void)
{
    REG(UART + 0xC) = 1;
    send_next();
}

void tick_handler(void)
{
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
    return board_use_page((const board_page *)IDENTITY, config);
}

void board_sleep(void)
{
    __asm volatile("wfi");
}

int main(void)
{
    REG(UART + 0x10) = CPU_HZ / BAUD;
    REG(UART + 8) = 1u | 2u | 4u | 8u; /* transmit, receive, and both interrupts */
    REG(SYSTICK + 4) = CPU_HZ / 1000u - 1u;
    REG(SYSTICK + 8) = 0;
    REG(SYSTICK) = 7; /* core clock, interrupt, on */
    REG(NVIC_ENABLE) = 3;
    demo_run();
}
