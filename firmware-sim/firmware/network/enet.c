/* enet.c -- see enet.h. LM3S6965 data sheet, chapter "Ethernet Controller"; the base is 0x40048000.
 *
 *   both FIFOs are words; the first carries two bytes of length and the first two bytes of the frame:
 *     send      | length - 14 | dst0 dst1 | dst2 ... |        receive   | length + 6 | dst0 dst1 | dst2 ... | checksum |
 */
#include "enet.h"

#define MAC(offset) (*(volatile uint32_t *)(0x40048000u + (offset)))
#define RAW_STATUS 0x000u /* write: acknowledge */
#define INTERRUPT_MASK 0x004u
#define RECEIVE_CONTROL 0x008u
#define TRANSMIT_CONTROL 0x00Cu
#define DATA 0x010u
#define ADDRESS_0 0x014u
#define ADDRESS_1 0x018u
#define FRAMES_WAITING 0x034u
#define TRANSMIT_REQUEST 0x038u
#define NVIC_ENABLE_1 0xE000E104u

#define RECEIVED 1u
#define HEADER_BYTES 14u
#define OVERHEAD_BYTES 6u /* two of length, four of checksum */

void enet_start(const uint8_t *mac)
{
    MAC(ADDRESS_0) = (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
    MAC(ADDRESS_1) = (uint32_t)mac[4] | (uint32_t)mac[5] << 8;
    MAC(RECEIVE_CONTROL) = 1u << 4;                  /* empty its FIFO */
    MAC(RECEIVE_CONTROL) = 1u | 1u << 3;             /* on; bad checksums are dropped */
    MAC(TRANSMIT_CONTROL) = 1u | 1u << 1 | 1u << 2;  /* on; pads and makes the checksum */
    MAC(INTERRUPT_MASK) = RECEIVED;
    *(volatile uint32_t *)NVIC_ENABLE_1 = 1u << (42 - 32);
}

void enet_interrupt(void)
{
    MAC(RAW_STATUS) = RECEIVED;
    MAC(INTERRUPT_MASK) = 0;
}

bool enet_send(const uint8_t *frame, size_t bytes)
{
    uint32_t word = (uint32_t)(bytes - HEADER_BYTES);
    size_t filled = 2; /* bytes of `word` */
    size_t i;
    if ((MAC(TRANSMIT_REQUEST) & 1u) != 0) return false;
    for (i = 0; i < bytes; i++) {
        word |= (uint32_t)frame[i] << (8u * filled);
        if (++filled == 4) {
            MAC(DATA) = word;
            word = 0;
            filled = 0;
        }
    }
    if (filled > 0) MAC(DATA) = word;
    MAC(TRANSMIT_REQUEST) = 1;
    return true;
}

size_t enet_receive(uint8_t *frame, size_t cap)
{
    uint32_t word;
    size_t bytes;
    size_t words;
    size_t at = 0;
    size_t i;
    if ((MAC(FRAMES_WAITING) & 0x3Fu) == 0) {
        MAC(RAW_STATUS) = RECEIVED;
        MAC(INTERRUPT_MASK) = RECEIVED;
        return 0;
    }
    word = MAC(DATA);
    bytes = (word & 0xFFFFu) - OVERHEAD_BYTES;
    words = ((word & 0xFFFFu) + 3u) / 4u;
    word >>= 16;
    for (i = 2; i < words * 4u; i++) {
        if (i % 4u == 0) word = MAC(DATA);
        if (at < bytes && at < cap) frame[at] = (uint8_t)word;
        at++;
        word >>= 8;
    }
    return bytes <= cap ? bytes : 0;
}
