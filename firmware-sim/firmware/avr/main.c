/* main.c -- the demo on an ATmega328P or ATmega2560 at 16 MHz: Arduino Uno, Nano, Mega. Runs in simavr.
 *
 *   USART0   115200 baud with U2X (UBRR 16, 2.1 % off), receive and data-register-empty interrupts
 *   TIMER0   compare every 250 * 64 cycles: the millisecond clock
 *   EEPROM   the identity, from address 0: where a flash script or the simulator puts it
 *
 * Registers: ATmega328P data sheet DS40002061B, ATmega640/1280/2560 data sheet 2549Q.
 */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <util/atomic.h>

#include "../demo/uart_link.h"

#if defined(USART_RX_vect)
#define RECEIVE_VECTOR USART_RX_vect
#define TRANSMIT_VECTOR USART_UDRE_vect
#else
#define RECEIVE_VECTOR USART0_RX_vect
#define TRANSMIT_VECTOR USART0_UDRE_vect
#endif

/* Longest text taken over from the page: a token has 46 characters, an id at most 31. */
#define TEXT_BYTES 47u

static uint8_t id[31];
static uint8_t token[TEXT_BYTES];
static volatile uint32_t now_ms;

ISR(RECEIVE_VECTOR)
{
    tg_uart_received(&board_uart, UDR0);
}

ISR(TRANSMIT_VECTOR)
{
    const int16_t byte = tg_uart_to_send(&board_uart);
    if (byte < 0) UCSR0B &= (uint8_t)~_BV(UDRIE0); else UDR0 = (uint8_t)byte;
}

ISR(TIMER0_COMPA_vect)
{
    now_ms++;
}

void tg_uart_kick(tg_uart *uart)
{
    (void)uart;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        UCSR0B |= _BV(UDRIE0);
    }
}

uint32_t board_now_ms(void *ctx)
{
    uint32_t ms;
    (void)ctx;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        ms = now_ms;
    }
    return ms;
}

/* Copies a text of the page; nothing when it was not written: an erased EEPROM holds ones. */
static void read_text(tg_span *text, uint8_t *to, uint8_t at)
{
    uint8_t n = 0;
    uint8_t c;
    for (;;) {
        c = eeprom_read_byte((const uint8_t *)(uintptr_t)(uint8_t)(at + n));
        if (c == 0xFF || n == TEXT_BYTES) return;
        if (c == 0) break;
        to[n++] = c;
    }
    text->ptr = to;
    text->len = n;
}

uint32_t board_start(tg_config *config)
{
    read_text(&config->device_id, id, offsetof(board_page, id));
    read_text(&config->token, token, offsetof(board_page, token));
    demo_stir(eeprom_read_dword((const uint32_t *)offsetof(board_page, seed)));
    return eeprom_read_dword((const uint32_t *)offsetof(board_page, interval_ms));
}

void board_sleep(void)
{
    set_sleep_mode(SLEEP_MODE_IDLE);
    cli();
    if (tg_uart_waiting(&board_uart)) {
        sei();
        return;
    }
    sleep_enable();
    sei(); /* the instruction after it runs first: no wake-up is missed */
    sleep_cpu();
    sleep_disable();
}

int main(void)
{
    UBRR0 = 16;
    UCSR0A = _BV(U2X0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
    TCCR0A = _BV(WGM01);
    TCCR0B = _BV(CS01) | _BV(CS00);
    OCR0A = 249;
    TIMSK0 = _BV(OCIE0A);
    sei();
    demo_run();
}
