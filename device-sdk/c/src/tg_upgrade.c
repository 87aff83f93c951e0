/* tg_upgrade.c -- the HTTP upgrade of a WebSocket client (RFC 6455, section 4).
 *
 *   request    `upgrade_text` up to its 0, streamed through tx in pieces; \1 host, \2 key, \3 token, \4 nothing
 *   response   line by line through rx; what is too long for it is cut, because no line we need is. A line is known by
 *              the name it begins with; three of these names are lines of the request
 *
 *   key        21 characters of 4 bits each, from one 32-bit draw (tg_client.rx_check) again and again | A==
 *   proof      base64(SHA-1(key, GUID)): 60 bytes, which with their padding are two blocks, the second nearly empty
 *
 * The key is made anew from the draw whenever it is needed, so nobody has to keep it.
 */
#include <string.h>

#include "tg_websocket.h"

#define DRAWN_CHARS 21u
#define KEY_CHARS 24u
#define HASHED_BYTES 60u /* key and GUID */
#define LINE_BYTES 8u    /* of rx stay free for the bytes that still come */

#define REQUEST \
    "GET /v1/device HTTP/1.1\r\nhost: \1\r\nauthorization: Bearer \3\r\n" \
    "sec-websocket-version: 13\r\nsec-websocket-key: \2\r\n"
/* The beginnings of lines, in lower case; each ends at the next character below a space. */
#define WANTED "upgrade: websocket\r\nconnection:\4upgrade\r\nsec-websocket-protocol: tidegate.v1\r\n\r\n\0"
#define KNOWN \
    "sec-websocket-accept: \0sec-websocket-extensions:\0retry-after: \0" \
    "http/1.1 101\0http/1.1 40\0 \0"
#define KEY_END "A=="
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/* The names in that order, and what a response needs; their bits in tg_client.rx_code. */
enum { UPGRADE, CONNECTION, WORD_UPGRADE, PROTOCOL, ACCEPT, EXTENSIONS, RETRY, GOOD, REFUSED };
#define SAW_ALL (1u << UPGRADE | 1u << CONNECTION | 1u << ACCEPT | 1u << PROTOCOL)

static const char upgrade_text[] TG_FLASH = REQUEST WANTED KNOWN KEY_END GUID;
#define NAMES (&upgrade_text[sizeof REQUEST - 1u])
#define UPGRADE_NAME (&NAMES[sizeof "upgrade: websocket\r\nconnection:"])
#define HASHED_REST (&NAMES[sizeof WANTED KNOWN - 1u])
typedef char tg_request_fits_its_index[sizeof REQUEST WANTED < 256u ? 1 : -1];

static uint8_t flash_char(const char *p)
{
    return TG_FLASH_BYTE((const uint8_t *)p);
}

/* Character i of the key and, behind it, the GUID; for 0, 1 and so on. */
static uint8_t hashed_char(uint32_t *draw, uint8_t i)
{
    if (i >= DRAWN_CHARS) return flash_char(&HASHED_REST[i - DRAWN_CHARS]);
    *draw = *draw << 4 | *draw >> 28;
    return (uint8_t)('A' + (*draw & 15u));
}

TG_INTERNAL bool tg_upgrade_request(tg_client *c)
{
    const tg_config *config = c->config;
    uint8_t *p = config->tx;
    const uint8_t *end = p + config->tx_bytes;
    uint32_t draw = c->rx_check;
    uint8_t at = c->tries;
    uint8_t b = flash_char(&upgrade_text[at]);
    uint8_t i;
    if (b == 2) {
        for (i = 0; i < KEY_CHARS; i++) *p++ = hashed_char(&draw, i);
    } else if (b == 1 || b == 3) {
        const tg_span *piece = b == 1 ? &config->host : &config->token;
        if (piece->len > 0) memcpy(p, piece->ptr, piece->len); /* fits: tg_init() saw to it */
        p += piece->len;
    }
    if (b <= 4 && b > 0) b = flash_char(&upgrade_text[++at]);
    while (b > 4 && p != end) {
        *p++ = b;
        b = flash_char(&upgrade_text[++at]);
    }
    c->tries = at;
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
        if (b < ' ') return line;
        if (b == ' ') {
            while (*line == ' ') line++;
            continue;
        }
        if (((*line ^ b) & 0xDFu) != 0) return NULL; /* control characters pass for others: no header has them */
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

/* Whether `proof` is the one that belongs to our key. */
static TG_APART bool accepts(const tg_client *c, const uint8_t *proof)
{
    uint32_t h[6]; /* the last stays 0: what base64 pads with */
    uint32_t x[TG_SHA1_WORDS];
    uint32_t *w = &x[TG_SHA1_WORDS - 1u];
    uint32_t draw = c->rx_check;
    uint8_t i;
    uint8_t j;
    for (i = 0; i < HASHED_BYTES; i++) {
        *w = *w << 8 | hashed_char(&draw, i);
        if ((i & 3u) == 3u) w--;
    }
    *w = 0x80000000u;
    tg_sha1_start(h);
    tg_sha1_block(h, x);
    memset(x, 0, sizeof x);
    *w = HASHED_BYTES * 8u;
    tg_sha1_block(h, x);
    h[5] = 0;
    for (i = 0; i < 27u; i++) {
        if (*proof++ != base64_char((uint8_t)(h[0] >> 26))) return false;
        for (j = 0; j < 5u; j++) h[j] = h[j] << 6 | h[j + 1u] >> 26;
    }
    return *proof == '=';
}

static bool contains_upgrade(const uint8_t *value)
{
    for (; *value != 0; value++) {
        if (after_name(value, UPGRADE_NAME) != NULL) return true;
    }
    return false;
}

/* Seconds of a Retry-After, in ticks. */
static tg_tick retry_ticks(const uint8_t *digits)
{
    uint32_t seconds = 0;
    for (; *digits >= '0' && *digits <= '9' && seconds < 100000u; digits++) {
        seconds = seconds * 10u + (*digits - (uint32_t)'0');
    }
    return (tg_tick)(tg_ticks(seconds * 1000u) + TG_WHOLE_TICKS);
}

/* < 0: the link is over. */
static int16_t response_line(tg_client *c, const uint8_t *line)
{
    const char *name = NAMES;
    const uint8_t *value;
    uint8_t which = 0;
    bool good = true;
    if (*line == 0) { /* the end */
        if (c->reason != 0 || c->rx_code != SAW_ALL) return TG_ENDED(c->reason);
        c->rx_code = 0;
        c->rx_phase = WS_HEAD;
        c->flags |= TG_READY | TG_MORE;
        return 0;
    }
    while ((value = after_name(line, name)) == NULL) { /* the last one matches any line */
        while (flash_char(name) >= ' ') name++;
        while (flash_char(name) < ' ') name++;
        which++;
    }
    if (which == CONNECTION) good = contains_upgrade(value);
    else if (which == ACCEPT) good = accepts(c, value);
    else if (which == PROTOCOL) good = *value == 0;
    else if (which == EXTENSIONS) return TG_ENDED(TG_REASON_PROTOCOL_VIOLATION); /* we asked for none */
    else if (which == RETRY) c->pause = retry_ticks(value);
    else if (which == GOOD) c->reason = TG_REASON_UNSPECIFIED;
    else if (which == REFUSED && (*value | 2) == '3') c->reason = TG_REASON_BAD_CREDENTIAL; /* 401, 403 */
    if (good) c->rx_code = (uint8_t)(c->rx_code | (1u << which & SAW_ALL));
    return 0;
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
    return response_line(c, line);
}
