/* tg.h -- the Tidegate device SDK, C99 edition: include this one.
 *
 *   tg_port.h       what the board provides
 *   tg_client.h     the session: configuration, poll, commands, state, statistics
 *   tg_telemetry.h  readings and log lines
 *   tg_catalog.h    what the device measures and obeys
 *   tg_store.h      what survives a power cut (optional)
 */
#ifndef TG_H
#define TG_H

/* Version of this SDK. The wire protocol has its own number, TG_PROTOCOL. */
#define TG_VERSION "0.1.0"
#define TG_PROTOCOL 1

#include "tg_port.h"
#include "tg_client.h"
#include "tg_telemetry.h"
#include "tg_catalog.h"
#include "tg_store.h"

#endif
