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
#include <string.h>
#include <util/atomic.h>

#include "../demo/uart_link.h"

#ifndef INTERVAL_MS
#define INTERVAL_MS 1000u
#endif

#if defined(USART_RX_vect)
#define RECEIVE_VECTOR USART_RX_vect
#define TRANSMIT_VECTOR USART_UDRE_vect
#define MODEL "atmega328p"
#else
#define RECEIVE_VECTOR USART0_RX_vect
#define TRANSMIT_VECTOR USART0_UDRE_vect
#define MODEL "atmega2560"
#endif

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

static void kick(void)
{
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        UCSR0B |= _BV(UDRIE0);
    }
}

static uint32_t clock_ms(void)
{
    uint32_t ms;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        ms = now_ms;
    }
    return ms;
}

void board_read_identity(board_identity *identity)
{
    char magic[4];
    eeprom_read_block(magic, (const void *)0, sizeof magic);
    if (memcmp(magic, "TGID", 4) == 0) eeprom_read_block(identity, (const void *)0, sizeof *identity);
    identity->id[sizeof identity->id - 1] = 0;
    identity->token[sizeof identity->token - 1] = 0;
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

float board_temperature(uint32_t ms)
{
    return 18.0f + (float)(uint8_t)(ms >> 10) * 0.02f;
}

int main(void)
{
    board_uart.kick = kick;
    board_uart.now_ms = clock_ms;
    UBRR0 = 16;
    UCSR0A = _BV(U2X0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
    TCCR0A = _BV(WGM01);
    TCCR0B = _BV(CS01) | _BV(CS00);
    OCR0A = 249;
    TIMSK0 = _BV(OCIE0A);
    sei();
    demo_run(MODEL, INTERVAL_MS);
}
