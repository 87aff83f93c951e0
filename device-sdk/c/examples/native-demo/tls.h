/* tls.h -- the demo's wss link: TLS by mbedTLS over the POSIX port. Built into native-demo-tls only. */
#ifndef NATIVE_DEMO_TLS_H
#define NATIVE_DEMO_TLS_H

#include "../../port/mbedtls/tg_mbedtls.h"

/* Puts TLS on top of `below`, into `port`. Says on stderr what is wrong, and returns false.
 *   ca_path   PEM file: the CA that `tidegate device add` prints
 *   name      what the gateway's certificate must be called
 *   fragment  1024, 2048, 4096, or 0: not asked for */
typedef struct tls_options {
    const char *ca_path;
    const char *name;
    unsigned fragment;
} tls_options;
bool tls_start(const tls_options *options, const tg_port *below, tg_port *port);

/* One line on stderr: handshakes, resumptions, refusals, and the most heap that mbedTLS held at once. */
void tls_report(void);

#endif
