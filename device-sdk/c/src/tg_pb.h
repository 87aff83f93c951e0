/* tg_pb.h -- protobuf, as much of it as the device protocol needs: a writer and a reader, no schema tables.
 *
 *   field = tag (number << 3 | wire), then   0: varint   1: 8 bytes   2: length, bytes   5: 4 bytes little-endian
 *
 * The writer gives the canonical encoding: shortest varints, zeros left out. The reader takes padded varints too [P-24].
 */
#ifndef TG_PB_H
#define TG_PB_H

#include "../include/tg_telemetry.h"

/* One field as the reader found it. */
typedef struct tg_field {
    tg_span bytes;   /* wire 2 */
    uint32_t value;  /* wire 0: the low 32 bits; wire 5 */
    uint8_t number;  /* 255 stands for every higher one: no field of ours */
    uint8_t wire;
} tg_field;

/* Writes to buf[0 .. cap). */
void tg_pb_open(tg_writer *w, uint8_t *buf, uint16_t cap);

/* One byte, one varint, raw bytes: no tag, nothing left out. */
void tg_pb_byte(tg_writer *w, uint8_t b);
void tg_pb_varint(tg_writer *w, uint32_t v);
void tg_pb_raw(tg_writer *w, const void *from, uint16_t n);
/* Four bytes, little-endian. */
void tg_pb_le32(tg_writer *w, uint32_t v);

/* A field; left out when it is zero or empty. */
void tg_pb_u32(tg_writer *w, uint8_t number, uint32_t v);
void tg_pb_fixed32(tg_writer *w, uint8_t number, uint32_t v);
void tg_pb_bytes(tg_writer *w, uint8_t number, tg_span bytes);

/* Opens a nested message or packed field; give the result to tg_pb_end(), which writes its length. */
uint16_t tg_pb_begin(tg_writer *w, uint8_t number);
void tg_pb_end(tg_writer *w, uint16_t mark);

/* Takes the next field off `in`. 1: there it is; 0: the end; -1: malformed. */
int8_t tg_pb_next(tg_span *in, tg_field *field);

#endif
