/* enet.h -- the Ethernet controller of the LM3S6965 (also QEMU's stellaris_enet): whole frames in and out, polled. */
#ifndef ENET_H
#define ENET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENET_FRAME_BYTES_MAX 1518u

/* Starts the receiver; its interrupt only wakes the core. `mac`: 6 bytes. */
void enet_start(const uint8_t *mac);

/* Sends one frame, without its checksum; 14 bytes or more. Returns false when the one before is still on its way. */
bool enet_send(const uint8_t *frame, size_t bytes);

/* Takes the next frame that came in, without its checksum. Returns its length, 0 when there is none; one that is longer
 * than `cap` is dropped whole. */
size_t enet_receive(uint8_t *frame, size_t cap);

/* From the interrupt: silences it until frames were taken. */
void enet_interrupt(void);

#endif
