/* tg_pb.h -- protobuf, as much of it as the device protocol needs: a writer and a reader, no schema tables.
 *
 *   field = tag (number << 3 | wire), then   0: varint   1: 8 bytes   2: length, bytes   5: 4 bytes little-endian
 *
 * The writer gives the canonical encoding: shortest varints, zeros left out. It works on bare pointers and checks
 * nothing: whoever calls it has made sure of the room, once per message or reading. Every call returns where to go on.
 * The reader takes padded varints too [P-24], and trusts nothing.
 */
#ifndef TG_PB_H
#define TG_PB_H

#include "../include/tg_telemetry.h"

/* Functions that only the SDK's own files call. The amalgamation makes them static: the compiler then does more. */
#ifndef TG_INTERNAL
#define TG_INTERNAL
#endif

/* Tags, for field numbers below 32. */
#define TG_NUMBER(number) ((uint8_t)((number) << 3))
#define TG_BYTES(number) ((uint8_t)((number) << 3 | 2))
#define TG_FIXED(number) ((uint8_t)((number) << 3 | 5))

/* What a message said: every message a gateway sends has fields 1 to 9 at most. By field number: a number (the low 32
 * bits of what is longer), or where bytes are; and the number of the last field that had bytes. */
#define TG_FIELDS 10u
typedef struct tg_fields {
    uint32_t v[TG_FIELDS];
    uint8_t kind;
} tg_fields;

/* Where bytes are: their length << 16 | their offset in the receive buffer. */
#define TG_WHERE(offset, n) ((uint32_t)(n) << 16 | (uint32_t)(offset))

/* 4 bytes, little-endian. */
TG_INTERNAL uint32_t tg_pb_get32(const uint8_t *p);

/* At most 5 bytes; 4 bytes. No tag, nothing left out. */
TG_INTERNAL uint8_t *tg_pb_varint(uint8_t *p, uint32_t v);
TG_INTERNAL uint8_t *tg_pb_le32(uint8_t *p, uint32_t v);

/* A field; left out when it is zero or empty. At most 2 bytes of tag and 5 of number, or 3 of length and the bytes. */
TG_INTERNAL uint8_t *tg_pb_put(uint8_t *p, uint8_t tag, uint32_t v);
TG_INTERNAL uint8_t *tg_pb_bytes(uint8_t *p, uint8_t tag, const tg_span *bytes);

/* Opens a nested message or packed field: returns where its content starts. tg_pb_end() writes the length, which may
 * move the content by one byte, and returns its end. */
TG_INTERNAL uint8_t *tg_pb_begin(uint8_t *p, uint8_t tag);
TG_INTERNAL uint8_t *tg_pb_end(uint8_t *start, uint8_t *p);

/* Reads the whole message that stands in `base` at `where`. `bytes` has a bit for each number that carries bytes; the
 * others carry numbers. What is unknown, or not of its kind, is skipped [P-25]; false: the message is malformed. */
TG_INTERNAL bool tg_pb_read(const uint8_t *base, uint32_t where, uint16_t bytes, tg_fields *f);

#endif
