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

/* What a message said: every message a gateway sends has fields 1 to 9 at most. Numbers by field number (the low 32
 * bits of what is longer); of the byte fields number 3, the last of the others, and the number of the very last. */
#define TG_FIELDS 10u
typedef struct tg_fields {
    uint32_t v[TG_FIELDS];
    tg_span third; /* Command.name, and the body of a Nack */
    tg_span last;  /* Command.args, and the body of any other Downlink */
    uint8_t kind;
} tg_fields;

/* At most 5 bytes; 4 bytes. No tag, nothing left out. */
TG_INTERNAL uint8_t *tg_pb_varint(uint8_t *p, uint32_t v);
TG_INTERNAL uint8_t *tg_pb_le32(uint8_t *p, uint32_t v);

/* A field; left out when it is zero or empty. At most 2 bytes of tag and 5 of number, 4, or 3 and the bytes. */
TG_INTERNAL uint8_t *tg_pb_u32(uint8_t *p, uint8_t number, uint32_t v);
TG_INTERNAL uint8_t *tg_pb_fixed32(uint8_t *p, uint8_t number, uint32_t v);
TG_INTERNAL uint8_t *tg_pb_bytes(uint8_t *p, uint8_t number, const tg_span *bytes);

/* Opens a nested message or packed field: returns where its content starts. tg_pb_end() writes the length, which may
 * move the content by one byte, and returns its end. */
TG_INTERNAL uint8_t *tg_pb_begin(uint8_t *p, uint8_t number);
TG_INTERNAL uint8_t *tg_pb_end(uint8_t *start, uint8_t *p);

/* Reads a whole message. Unknown fields are skipped [P-25]; false: it is malformed. */
TG_INTERNAL bool tg_pb_read(tg_span in, tg_fields *f);

#endif
