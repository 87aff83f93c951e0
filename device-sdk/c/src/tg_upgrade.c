/* tg_upgrade.c -- the HTTP upgrade of a WebSocket client (RFC 6455, section 4).
 *
 *   request    a template, streamed through tx in pieces; \1 host, \2 the changing part of the key, \3 token
 *   response   line by line through rx; what is too long for it is cut, because no line we need is
 *
 *   key        8 characters of 4 bits each, from one 32-bit draw (tg_client.rx_check) | a constant rest
 *   proof      base64(SHA-1(key, GUID)): 60 bytes, which with their padding are two blocks, the second nearly empty
 *
 * The key is made anew from the draw whenever it is needed, so nobody has to keep it.
 */
#include <string.h>

#include "tg_websocket.h"

#define KEY_CHARS 8u
#define KEY_REST "AAAAAAAAAAAAAA=="
#define HASHED_BYTES 60u /* key and GUID */
#define LINE_BYTES 8u    /* of rx stay free for the bytes that still come */

static const char request[] TG_FLASH =
    "GET /v1/device HTTP/1.1\r\nHost: \1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tidegate.v1\r\nSec-WebSocket-Key: \2" KEY_REST
    "\r\nAuthorization: Bearer \3\r\n\r\n";
typedef char tg_request_fits_its_index[sizeof request < 256u ? 1 : -1];
static const char hashed_rest[] TG_FLASH = KEY_REST "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* The lines a response may have, in lower case, one after the other; their bits in `saw`. */
enum { UPGRADE, CONNECTION, ACCEPT, PROTOCOL, EXTENSIONS, RETRY, NAMES };
#define SAW_ALL (1u << UPGRADE | 1u << CONNECTION | 1u << ACCEPT | 1u << PROTOCOL)
static const char names[] TG_FLASH =
    "upgrade: websocket\0"
    "connection:\0"
    "sec-websocket-accept:\0"
    "sec-websocket-protocol: tidegate.v1\0"
    "sec-websocket-extensions:\0"
    "retry-after:";
static const char word_upgrade[] TG_FLASH = "upgrade";

static uint8_t flash_char(const char *p)
{
    return TG_FLASH_BYTE((const uint8_t *)p);
}

/* The first, and so on, of the changing characters of the key: 16 of the 64 digits of base64. */
static uint8_t key_char(uint32_t *draw)
{
    const uint8_t four = (uint8_t)(*draw >> 28);
    *draw <<= 4;
    return (uint8_t)('A' + four);
}

TG_INTERNAL bool tg_upgrade_request(tg_client *c)
{
    const tg_config *config = c->config;
    uint8_t *p = config->tx;
    const uint8_t *end = p + config->tx_bytes;
    uint32_t draw = c->rx_check;
    uint8_t at = c->own_at;
    uint8_t b = flash_char(&request[at]);
    uint8_t i;
    if (b == 2) {
        for (i = 0; i < KEY_CHARS; i++) *p++ = key_char(&draw);
    } else if (b == 1 || b == 3) {
        const tg_span *piece = b == 1 ? &config->host : &config->token;
        if (piece->len > 0) memcpy(p, piece->ptr, piece->len); /* fits: tg_init() saw to it */
        p += piece->len;
    }
    if (b <= 3 && b > 0) b = flash_char(&request[++at]);
    while (b > 3 && p != end) {
        *p++ = b;
        b = flash_char(&request[++at]);
    }
    c->own_at = at;
    c->tx_at = 0;
    c->tx_left = (uint16_t)(p - config->tx);
    return c->tx_left > 0;
}

/* What follows `name` at the start of `line`, whatever the case; NULL when it does not start so. A space of the name
 * stands for any number of them. */
static const uint8_t *after_name(const uint8_t *line, const char *name)
{
    for (;;) {
        const uint8_t b = flash_char(name++);
        uint8_t is = *line;
        if (b == 0) return line;
        if (b == ' ') {
            while (*line == ' ') line++;
            continue;
        }
        if (is >= 'A' && is <= 'Z') is |= 0x20u;
        if (is != b) return NULL;
        line++;
    }
}

static uint8_t base64_char(uint8_t six)
{
    if (six < 26u) return (uint8_t)(six + 'A');
    if (six < 52u) return (uint8_t)(six + 'a' - 26);
    if (six < 62u) return (uint8_t)(six + '0' - 52);
    return six == 62u ? '+' : '/';
}

/* Whether `text` is the proof that belongs to our key. */
static TG_APART bool accepts(const tg_client *c, const uint8_t *text)
{
    uint32_t h[6]; /* the last stays 0: what base64 pads with */
    uint32_t w[16];
    uint32_t draw = c->rx_check;
    uint8_t i;
    uint8_t j;
    for (i = 0; i < HASHED_BYTES; i++) {
        const uint8_t b = i < KEY_CHARS ? key_char(&draw) : flash_char(&hashed_rest[i - KEY_CHARS]);
        w[i >> 2] = w[i >> 2] << 8 | b;
    }
    w[15] = 0x80000000u;
    tg_sha1_start(h);
    tg_sha1_block(h, w);
    memset(w, 0, sizeof w);
    w[15] = HASHED_BYTES * 8u;
    tg_sha1_block(h, w);
    h[5] = 0;
    while (*text == ' ') text++;
    for (i = 0; i < 27u; i++) {
        if (*text++ != base64_char((uint8_t)(h[0] >> 26))) return false;
        for (j = 0; j < 5u; j++) h[j] = h[j] << 6 | h[j + 1u] >> 26;
    }
    return *text == '=';
}

static bool contains_upgrade(const uint8_t *text)
{
    for (; *text != 0; text++) {
        if (after_name(text, word_upgrade) != NULL) return true;
    }
    return false;
}

/* Seconds of a Retry-After, in ticks. */
static tg_tick retry_ticks(const uint8_t *text)
{
    uint32_t seconds = 0;
    while (*text == ' ') text++;
    for (; *text >= '0' && *text <= '9' && seconds < 100000u; text++) seconds = seconds * 10u + (*text - (uint32_t)'0');
    return (tg_tick)(tg_ticks(seconds * 1000u) + TG_WHOLE_TICKS);
}

/* < 0: the link is over. */
static int16_t header_line(tg_client *c, const uint8_t *line)
{
    const char *name = names;
    const uint8_t *value = NULL;
    uint8_t which;
    bool good = true;
    if (*line == 0) { /* the end */
        if (c->reason != 0 || c->rx_left != SAW_ALL) return TG_ENDED(c->reason);
        c->rx_phase = WS_HEAD;
        c->flags |= TG_READY | TG_MORE;
        return 0;
    }
    for (which = 0; which < NAMES; which++) {
        value = after_name(line, name);
        if (value != NULL) break;
        while (flash_char(name++) != 0) continue;
    }
    if (which == CONNECTION) good = contains_upgrade(value);
    else if (which == ACCEPT) good = accepts(c, value);
    else if (which == PROTOCOL) good = *value == 0;
    else if (which == EXTENSIONS) return TG_ENDED(TG_REASON_PROTOCOL_VIOLATION); /* we asked for none */
    else if (which == RETRY) c->pause = retry_ticks(value);
    if (good) c->rx_left = (uint8_t)(c->rx_left | (1u << which & SAW_ALL));
    return 0;
}

/* The first line. 101 is good; 401 and 403 are for good [P-31]. */
static uint8_t status_reason(const uint8_t *line)
{
    const bool zero = line[8] == ' ' && line[10] == '0';
    if (zero && line[9] == '1' && line[11] == '1') return TG_REASON_UNSPECIFIED;
    if (zero && line[9] == '4' && (line[11] == '1' || line[11] == '3')) return TG_REASON_BAD_CREDENTIAL;
    return TG_REASON_OVERLOADED;
}

TG_INTERNAL int16_t tg_upgrade_byte(tg_client *c, uint8_t b)
{
    uint8_t *line = c->config->rx;
    const uint16_t at = c->rx_at;
    if (b == '\r') return 0;
    if (b != '\n') {
        if (at + LINE_BYTES < c->config->rx_bytes) line[c->rx_at++] = b;
        return 0;
    }
    line[at] = 0;
    c->rx_at = 0;
    if (c->rx_phase == WS_HEADERS) return header_line(c, line);
    c->rx_phase = WS_HEADERS;
    c->reason = at < 12u ? (uint8_t)TG_REASON_OVERLOADED : status_reason(line);
    return 0;
}
