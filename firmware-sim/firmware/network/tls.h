/* tls.h -- TLS below the demo's WebSocket: port/mbedtls on a heap of its own. */
#ifndef TLS_H
#define TLS_H

#include "../../../device-sdk/c/include/tg_port.h"

typedef struct tls_report {
    uint32_t handshakes;
    uint32_t resumed;
    uint32_t refused;
    uint32_t last_error; /* of mbedTLS, without its sign; 0: none */
    uint32_t heap_peak_bytes;
    uint32_t heap_bytes;
} tls_report;

/* Puts TLS over `link`, which becomes the TLS link. `randomness`: 32 bytes that nobody else has. False: no memory, or the
 * CA is none. */
bool tls_start(tg_port *link, const uint8_t *ca, size_t ca_bytes, const uint8_t *randomness);

tls_report tls_get_report(void);

#endif
