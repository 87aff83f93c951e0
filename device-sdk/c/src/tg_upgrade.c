/* tg_upgrade.c -- the HTTP upgrade of a WebSocket client (RFC 6455, section 4).
 *
 *   request    a template, streamed through tx in pieces; \1 host, \2 key, \3 token
 *   response   line by line through rx; what is too long for it is cut, because no line we need is
 *
 * The key is made anew from one 32-bit draw (tg_client.rx_check) whenever it is needed, so nobody has to keep it.
 */
#include <string.h>

#include "tg_websocket.h"

#define KEY_CHARS 24u
#define GUID_CHARS 36u
#define LINE_BYTES 8u /* of rx stay free for the bytes that still come */

/* What a good response has shown; rx_left collects it. */
enum { SAW_UPGRADE = 1, SAW_CONNECTION = 2, SAW_ACCEPT = 4, SAW_PROTOCOL = 8, SAW_ALL = 15 };

static const char request[] TG_FLASH =
    "GET /v1/device HTTP/1.1\r\nHost: \1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tidegate.v1\r\nSec-WebSocket-Key: \2"
    "\r\nAuthorization: Bearer \3\r\n\r\n";
typedef char tg_request_fits_its_index[sizeof request < 256u ? 1 : -1];
static const char guid[] TG_FLASH = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
static const char name_upgrade[] TG_FLASH = "upgrade: websocket";
static const char name_connection[] TG_FLASH = "connection:";
static const char word_upgrade[] TG_FLASH = "upgrade";
static const char name_accept[] TG_FLASH = "sec-websocket-accept:";
static const char name_protocol[] TG_FLASH = "sec-websocket-protocol: tidegate.v1";
static const char name_extensions[] TG_FLASH = "sec-websocket-extensions:";
static const char name_retry[] TG_FLASH = "retry-after:";

/* Character i of the key, in order: 16 bytes in base64, of which the draw decides the upper half of each character. */
static uint8_t key_char(uint32_t *draw, uint8_t i)
{
    if (i > 20u) return i == 21u ? 'A' : '=';
    *draw = *draw * 1664525u + 1013904223u;
    return (uint8_t)('A' + (*draw >> 28));
}

TG_INTERNAL bool tg_upgrade_request(tg_client *c)
{
    const tg_config *config = c->config;
    uint8_t *p = config->tx;
    const uint8_t *end = p + config->tx_bytes;
    const tg_span *piece = NULL;
    uint32_t draw = c->rx_check;
    uint8_t i;
    uint8_t b = TG_FLASH_BYTE((const uint8_t *)&request[c->own_at]);
    if (b == 2) {
        for (i = 0; i < KEY_CHARS; i++) *p++ = key_char(&draw, i);
    } else if (b == 1 || b == 3) {
        piece = b == 1 ? &config->host : &config->token;
        if (piece->len > 0) memcpy(p, piece->ptr, piece->len); /* fits: tg_init() saw to it */
        p += piece->len;
    }
    if (b <= 3 && b > 0) b = TG_FLASH_BYTE((const uint8_t *)&request[++c->own_at]);
    while (b > 3 && p != end) {
        *p++ = b;
        b = TG_FLASH_BYTE((const uint8_t *)&request[++c->own_at]);
    }
    c->tx_at = 0;
    c->tx_left = (uint16_t)(p - config->tx);
    return c->tx_left > 0;
}

static uint8_t lower(uint8_t b)
{
    return b >= 'A' && b <= 'Z' ? (uint8_t)(b | 0x20u) : b;
}

/* What follows `name` at the start of `line`, whatever the case; NULL when it does not start so. A space of the name
 * stands for any number of them. */
static const uint8_t *after_name(const uint8_t *line, const char *name)
{
    for (;;) {
        const uint8_t b = TG_FLASH_BYTE((const uint8_t *)name++);
        if (b == 0) return line;
        if (b == ' ') {
            while (*line == ' ') line++;
        } else if (lower(*line++) != b) {
            return NULL;
        }
    }
}

/* The words of one of the two blocks of key, GUID and padding: 60 bytes, so 480 bits. */
static void fill_block(uint32_t *w, uint32_t *draw, uint8_t from)
{
    uint8_t i;
    for (i = from; i < from + 64u; i++) {
        uint8_t b = 0;
        if (i < KEY_CHARS) b = key_char(draw, i);
        else if (i < KEY_CHARS + GUID_CHARS) b = TG_FLASH_BYTE((const uint8_t *)&guid[i - KEY_CHARS]);
        else if (i == KEY_CHARS + GUID_CHARS) b = 0x80;
        else if (i == 126u) b = 0x01;
        else if (i == 127u) b = 0xE0;
        w[(i >> 2) & 15u] = w[(i >> 2) & 15u] << 8 | b;
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
static bool accepts(const tg_client *c, const uint8_t *text)
{
    uint32_t h[5];
    uint32_t w[16] = {0};
    uint32_t draw = c->rx_check;
    uint8_t bit;
    tg_sha1_start(h);
    fill_block(w, &draw, 0);
    tg_sha1_block(h, w);
    fill_block(w, &draw, 64);
    tg_sha1_block(h, w);
    while (*text == ' ') text++;
    for (bit = 0; bit < 160u; bit = (uint8_t)(bit + 6u)) {
        const uint8_t word = bit >> 5;
        const uint8_t at = bit & 31u;
        uint32_t six = h[word] << at >> 26;
        if (at > 26u && word < 4u) six |= h[word + 1u] >> (58u - at);
        if (*text++ != base64_char((uint8_t)six)) return false;
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
    return tg_ticks(seconds * 1000u);
}

/* < 0: the link is over. A response that says no: 401 and 403 are for good [P-31]. */
static int16_t header_line(tg_client *c, const uint8_t *line)
{
    const uint8_t *value = after_name(line, name_retry);
    if (*line == 0) {
        if (c->reason != 0 || c->rx_left != SAW_ALL) return TG_ENDED(c->reason);
        c->rx_phase = WS_HEAD;
        c->flags |= TG_READY | TG_MORE;
    } else if (value != NULL) {
        c->pause = retry_ticks(value);
    } else if (after_name(line, name_upgrade) != NULL) {
        c->rx_left |= SAW_UPGRADE;
    } else if ((value = after_name(line, name_connection)) != NULL) {
        if (contains_upgrade(value)) c->rx_left |= SAW_CONNECTION;
    } else if ((value = after_name(line, name_accept)) != NULL) {
        if (accepts(c, value)) c->rx_left |= SAW_ACCEPT;
    } else if ((value = after_name(line, name_protocol)) != NULL) {
        if (*value == 0) c->rx_left |= SAW_PROTOCOL;
    } else if (after_name(line, name_extensions) != NULL) {
        return TG_ENDED(TG_REASON_PROTOCOL_VIOLATION); /* we asked for none */
    }
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
    if (c->rx_phase == WS_HEADERS) return header_line(c, line);
    c->rx_phase = WS_HEADERS;
    c->reason = TG_REASON_OVERLOADED;
    if (at < 12u || line[8] != ' ') return 0;
    if (line[9] == '1' && line[10] == '0' && line[11] == '1') c->reason = 0;
    if (line[9] == '4' && line[10] == '0' && (line[11] == '1' || line[11] == '3')) c->reason = TG_REASON_BAD_CREDENTIAL;
    return 0;
}
