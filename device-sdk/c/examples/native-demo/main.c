/* main.c -- the demo device as a process: the SDK on a POSIX port, over a serial line, a unix socket or a WebSocket.
 *
 *   native-demo --id demo-1 --serial /dev/ttyUSB0 [--baud 115200]
 *   native-demo --id demo-1 --ws 127.0.0.1 8080 [--host NAME]
 *   native-demo-tls --id demo-1 --wss 127.0.0.1 8443 --ca ca.pem [--host NAME] [--fragment 1024]
 *
 * The second is this file built with NATIVE_DEMO_TLS, tls.c, port/mbedtls and libmbedtls. SIGUSR1 cuts the pause before
 * the next attempt short. The token comes from the environment, TIDEGATE_TOKEN: secrets do not belong into argv. It reports a temperature and a
 * counter, and obeys two commands: `led` (1) with {"on":true}, `echo` (2), which returns its arguments.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/tg.h"
#include "../../port/posix/tg_posix.h"

#ifdef NATIVE_DEMO_TLS
#include "tls.h"
#endif

enum { TEMPERATURE = 1, COUNT = 2, LED = 3, COMMAND_LED = 1, COMMAND_ECHO = 2 };

static volatile sig_atomic_t stopping;
static volatile sig_atomic_t hurried;

static void on_signal(int number)
{
    if (number == SIGUSR1) hurried = 1; else stopping = 1;
}

static bool led;

static tg_state on_command(tg_client *client, const tg_command *command)
{
    if (tg_command_is(command, COMMAND_ECHO, "echo")) {
        return tg_reply(client, command->id, TG_SUCCEEDED, command->args) == TG_OK ? TG_RECEIVED : TG_FAILED;
    }
    if (!tg_command_is(command, COMMAND_LED, "led")) return TG_UNSUPPORTED;
    led = command->args.len > 5 && memcmp(command->args.ptr, "{\"on\":t", 7) == 0;
    return TG_SUCCEEDED;
}

static void on_event(tg_client *client, tg_event event, uint32_t arg)
{
    static const char *const names[] = {"?", "online", "offline", "refused", "dropped", "renumbered"};
    (void)client;
    fprintf(stderr, "%s %u\n", names[event <= TG_EVENT_RENUMBERED ? event : 0], (unsigned)arg);
#ifdef NATIVE_DEMO_TLS
    tls_report();
#endif
}

/* A daily curve, an hour long, without libm: a triangle. */
static float temperature(uint32_t count)
{
    const uint32_t phase = count % 3600u;
    return 15.0f + (float)(phase < 1800u ? phase : 3600u - phase) * (10.0f / 1800.0f);
}

static tg_span span(const char *text)
{
    tg_span s;
    s.ptr = (const uint8_t *)text;
    s.len = (uint16_t)strlen(text);
    return s;
}

static tg_span catalog(uint8_t *buffer, uint16_t cap)
{
    const tg_signal signals[] = {
        {TEMPERATURE, "temperature", "Temperature", TG_FLOAT, "\xC2\xB0" "C", "temperature", TG_MEASUREMENT, 0, 0},
        {COUNT, "count", NULL, TG_INT, NULL, NULL, TG_TOTAL_INCREASING, 0, 0},
        {LED, "led", NULL, TG_BOOL, NULL, NULL, TG_STATE_KIND, 0, 0},
    };
    const tg_command_spec commands[] = {{COMMAND_LED, "led", false, "{\"on\":true}"}, {COMMAND_ECHO, "echo", false, NULL}};
    tg_writer w;
    size_t i;
    (void)tg_catalog_begin(&w, buffer, cap);
    for (i = 0; i < sizeof signals / sizeof signals[0]; i++) (void)tg_catalog_signal(&w, &signals[i]);
    for (i = 0; i < sizeof commands / sizeof commands[0]; i++) (void)tg_catalog_command(&w, &commands[i]);
    return tg_catalog_end(&w);
}

typedef struct options {
    const char *id;
    const char *serial;
    const char *ws_host;
    const char *ws_port;
    const char *name;
    const char *ca;
    uint32_t fragment;
    uint32_t baud;
    uint32_t interval_ms;
    bool is_tls;
} options;

static int usage(void)
{
    fprintf(stderr, "native-demo: --id ID and one of --serial PATH [--baud N], --ws HOST PORT [--host NAME] and, when it\n"
                    "was built with TLS, --wss HOST PORT --ca FILE [--host NAME] [--fragment BYTES]\n"
                    "A device needs an identity and a line to its gateway.\n"
                    "Try: TIDEGATE_TOKEN=... native-demo --id demo-1 --ws 127.0.0.1 8080 [--interval-ms 1000]\n");
    return 2;
}

static bool parse(int argc, char **argv, options *o)
{
    int i;
    memset(o, 0, sizeof *o);
    o->baud = 115200;
    o->interval_ms = 1000;
    o->name = "gateway.tidegate.internal";
    for (i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--id") == 0) o->id = argv[i + 1];
        else if (strcmp(argv[i], "--serial") == 0) o->serial = argv[i + 1];
        else if (strcmp(argv[i], "--host") == 0) o->name = argv[i + 1];
        else if (strcmp(argv[i], "--baud") == 0) o->baud = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--interval-ms") == 0) o->interval_ms = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--ca") == 0) o->ca = argv[i + 1];
        else if (strcmp(argv[i], "--fragment") == 0) o->fragment = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if ((strcmp(argv[i], "--ws") == 0 || strcmp(argv[i], "--wss") == 0) && i + 2 < argc) {
            o->is_tls = argv[i][4] == 's';
            o->ws_host = argv[i + 1];
            o->ws_port = argv[i++ + 2];
        } else return false;
    }
    return i == argc && o->id != NULL && (o->serial != NULL) != (o->ws_host != NULL) && o->is_tls == (o->ca != NULL);
}

/* Fills in `port`: a line, or TLS, which has its own sockets. Both live as long as the process. */
static bool choose_port(const options *o, tg_posix *link, tg_port *port)
{
    if (o->is_tls) {
#ifdef NATIVE_DEMO_TLS
        const tls_options tls = {o->ws_host, o->ws_port, o->ca, o->name, o->fragment};
        return tls_start(&tls, port);
#else
        fprintf(stderr, "native-demo: was built without TLS; use native-demo-tls for --wss\n");
        return false;
#endif
    }
    if (o->serial != NULL) tg_posix_path(link, o->serial, o->baud); else tg_posix_tcp(link, o->ws_host, o->ws_port);
    tg_posix_port(link, port);
    return true;
}

static void wait_for_line(const options *o, tg_posix *link, uint32_t wait_ms)
{
#ifdef NATIVE_DEMO_TLS
    if (o->is_tls) {
        tls_wait(wait_ms);
        return;
    }
#endif
    (void)o;
    tg_posix_wait(link, wait_ms);
}

static void report(tg_client *client, uint32_t count)
{
    uint8_t scratch[64];
    tg_writer w;
    (void)tg_telemetry_begin(client, &w, scratch, sizeof scratch);
    (void)tg_put_f32(&w, TEMPERATURE, temperature(count));
    (void)tg_put_i32(&w, COUNT, (int32_t)count);
    (void)tg_put_bool(&w, LED, led);
    if (tg_telemetry_end(client, &w) != TG_OK) fprintf(stderr, "a reading was not queued\n");
}

int main(int argc, char **argv)
{
    static uint8_t rx[2048], tx[2048], ring[16384], catalog_bytes[256];
    static tg_client client;
    const char *token = getenv("TIDEGATE_TOKEN");
    tg_config config;
    tg_posix link;
    tg_port port;
    options o;
    uint32_t count = 0;
    uint32_t last_ms;
    tg_err err;
    if (!parse(argc, argv, &o)) return usage();
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGUSR1, on_signal);
    if (!choose_port(&o, &link, &port)) return 1;
    memset(&config, 0, sizeof config);
    config.port = &port;
    config.framing = o.serial != NULL ? tg_serial_framing : tg_websocket_framing;
    config.rx = rx;
    config.tx = tx;
    config.ring = ring;
    config.rx_bytes = sizeof rx;
    config.tx_bytes = sizeof tx;
    config.ring_bytes = sizeof ring;
    config.device_id = span(o.id);
    config.token = span(token != NULL ? token : "");
    config.host = span(o.name);
    config.firmware = span(TG_VERSION);
    config.model = span("native-demo");
    config.catalog = catalog(catalog_bytes, sizeof catalog_bytes);
    config.send_catalog = tg_send_catalog;
    config.on_command = on_command;
    config.on_event = on_event;
    err = tg_init(&client, &config);
    if (err != TG_OK) {
        fprintf(stderr, "the client did not start: error %d\n", (int)err);
        return 1;
    }
    last_ms = port.now_ms(port.ctx) - o.interval_ms;
    while (tg_get_phase(&client) != TG_STOPPED) {
        const uint32_t age_ms = port.now_ms(port.ctx) - last_ms;
        uint32_t wait_ms;
        if (stopping) tg_stop(&client, TG_REASON_SHUTDOWN);
        if (hurried) {
            hurried = 0;
            tg_start(&client);
        }
        if (age_ms >= o.interval_ms && !stopping) {
            last_ms += o.interval_ms;
            report(&client, ++count);
        }
        wait_ms = tg_poll(&client);
        if (wait_ms > o.interval_ms) wait_ms = o.interval_ms - (age_ms < o.interval_ms ? age_ms : 0);
        if (!stopping) wait_for_line(&o, &link, wait_ms);
    }
    return 0;
}
