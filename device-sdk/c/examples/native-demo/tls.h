/* tls.h -- the demo's wss link: port/wss, as an ESP32 would use it. Built into native-demo-tls only. */
#ifndef NATIVE_DEMO_TLS_H
#define NATIVE_DEMO_TLS_H

#include "../../include/tg_port.h"

/* Prepares the link and fills in `port`. Says on stderr what is wrong, and returns false.
 *   ca_path   PEM file: the CA that `tidegate device add` prints
 *   name      what the gateway's certificate must be called
 *   fragment  1024, 2048, 4096, or 0: not asked for */
typedef struct tls_options {
    const char *host;
    const char *service;
    const char *ca_path;
    const char *name;
    unsigned fragment;
} tls_options;
bool tls_start(const tls_options *options, tg_port *port);

/* Sleeps; see tg_wss_wait(). */
void tls_wait(uint32_t wait_ms);

/* One line on stderr: handshakes, resumptions, refusals, and the most heap that mbedTLS held at once. */
void tls_report(void);

#endif
