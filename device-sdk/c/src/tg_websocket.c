/* tg_websocket.c -- framing for TCP and TLS links: the client's side of RFC 6455.
 *
 *   tx   | 8 bytes for the head | message, masked in place |          6 or 8 of them are used: FIN, length, mask key
 *   rx   | message so far, rx_at bytes | a control frame's payload | not yet decoded, raw_at .. raw_end |
 *
 * One binary message is one message of ours. The gateway may fragment and may ping; compression is not asked for. What
 * the RFC forbids ends the link. A ping is answered before anything else is read, so its payload needs no room of its
 * own, and a peer that pings faster than it reads slows only itself.
 */
#include <string.h>

#include "tg_websocket.h"

#define HEAD_BYTES 8u
#define FIN 0x80u
#define MASKED 0x80u
#define CONTROL_BYTES_MAX 125u
#define CLOSE_FIRST 4000u /* our close codes: 4000 + reason [P-31] */

enum { OP_CONTINUE = 0, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/* rx_code: the opcode of the frame being read, with FIN; and whether a message is still incomplete. */
#define IN_MESSAGE 0x40u
#define OPCODE 0x0Fu

/* Puts head and mask around the message of tx_left bytes at tx[HEAD_BYTES]. */
static void tx_frame(tg_client *c, uint8_t opcode)
{
    uint8_t *payload = c->config->tx + HEAD_BYTES;
    const uint8_t *mask = payload - 4;
    uint8_t *p = payload - 6;
    const uint16_t n = c->tx_left;
    uint8_t head = (uint8_t)n;
    uint16_t i;
    (void)tg_pb_le32(payload - 4, c->config->port->entropy(c->config->port->ctx));
    if (n > CONTROL_BYTES_MAX) {
        p[1] = (uint8_t)n;
        *p-- = (uint8_t)(n >> 8);
        head = 126u;
        p--;
    }
    p[0] = (uint8_t)(FIN | opcode);
    p[1] = (uint8_t)(MASKED | head);
    for (i = 0; i < n; i++) payload[i] = (uint8_t)(payload[i] ^ mask[i & 3u]);
    c->tx_at = (uint16_t)(p - c->config->tx);
    c->tx_left = (uint16_t)(payload + n - p);
    c->tx_phase = 0;
}

/* Answers a ping or a close with the payload it came with. */
static void answer(tg_client *c)
{
    const uint8_t *payload = c->config->rx + c->rx_at;
    uint8_t opcode = OP_PONG;
    memcpy(c->config->tx + HEAD_BYTES, payload, c->rx_left);
    c->tx_left = c->rx_left;
    c->rx_phase = WS_HEAD;
    if ((c->rx_code & OPCODE) == OP_CLOSE) {
        uint16_t reason = 0;
        if (c->rx_left > 1) reason = (uint16_t)(payload[0] * 256u + payload[1] - CLOSE_FIRST);
        c->reason = (uint8_t)reason;
        if (reason > TG_REASON_SLEEPING) c->reason = TG_REASON_UNSPECIFIED;
        c->rx_phase = WS_CLOSED;
        opcode = OP_CLOSE;
    }
    c->rx_left = 0;
    tx_frame(c, opcode);
}

/* The first byte of a frame: what may follow what. */
static bool head_allowed(const tg_client *c, uint8_t b)
{
    const bool in_message = (c->rx_code & IN_MESSAGE) != 0;
    if (b == (FIN | OP_CLOSE) || b == (FIN | OP_PING) || b == (FIN | OP_PONG)) return true;
    return (b & (uint8_t)~FIN) == (in_message ? OP_CONTINUE : OP_BINARY);
}

/* A frame is complete. Returns the length of the message it completed, or 0. */
static int16_t rx_frame_done(tg_client *c)
{
    const uint8_t opcode = c->rx_code & OPCODE;
    c->rx_phase = WS_HEAD;
    if (opcode < OP_CLOSE) {
        const uint16_t n = c->rx_at;
        if (!(c->rx_code & FIN)) {
            c->rx_code |= IN_MESSAGE;
            return 0;
        }
        c->rx_code = 0;
        c->rx_at = 0;
        c->flags |= TG_MORE;
        return (int16_t)n;
    }
    if (opcode == OP_PONG) c->rx_left = 0;
    else c->rx_phase = WS_ANSWER;
    return 0;
}

/* One byte of a frame's head. < 0: the link is over. */
static int16_t rx_head_byte(tg_client *c, uint8_t b)
{
    const uint8_t phase = c->rx_phase++;
    c->rx_check = c->rx_check << 8 | b;
    if (phase == WS_HEAD) {
        if (!head_allowed(c, b)) return TG_ENDED(TG_REASON_PROTOCOL_VIOLATION);
        c->rx_code = (uint8_t)((c->rx_code & IN_MESSAGE) | b);
    }
    if (phase == WS_LENGTH) {
        c->rx_check = b;
        if (b == 127u) return TG_ENDED(TG_REASON_TOO_LARGE);
        if (b > CONTROL_BYTES_MAX) {
            c->rx_check = 0;
            return b > 126u || c->rx_code & OP_CLOSE ? TG_ENDED(TG_REASON_PROTOCOL_VIOLATION) : 0;
        }
        c->rx_phase = WS_PAYLOAD;
    }
    if (c->rx_phase != WS_PAYLOAD) return 0;
    return c->rx_check > (uint16_t)(c->config->rx_bytes - c->rx_at) ? TG_ENDED(TG_REASON_TOO_LARGE) : 0;
}

/* One byte of a frame. > 0: a message; 0: go on; < 0: the link is over. */
static int16_t rx_frame_byte(tg_client *c, uint8_t b)
{
    uint8_t *p = c->config->rx + c->rx_at;
    if (c->rx_phase != WS_PAYLOAD) {
        const int16_t over = rx_head_byte(c, b);
        if (over != 0 || c->rx_phase != WS_PAYLOAD) return over;
    } else {
        if (c->rx_code & OP_CLOSE) {
            p[c->rx_left++] = b;
        } else {
            *p = b;
            c->rx_at++;
        }
        c->rx_check--;
    }
    return c->rx_check == 0 ? rx_frame_done(c) : 0;
}

/* Fetches the next bytes behind what is kept. < 0: the link is over. */
static int16_t rx_fetch_ws(tg_client *c)
{
    const tg_config *config = c->config;
    const size_t kept = (size_t)c->rx_at + c->rx_left;
    size_t cap = config->rx_bytes - kept;
    int16_t n;
    if (cap == 0) return TG_ENDED(TG_REASON_TOO_LARGE);
    if (cap > TG_STEP_BYTES) cap = TG_STEP_BYTES;
    n = config->port->recv(config->port->ctx, config->rx + kept, (uint16_t)cap);
    if (n <= 0) return n < 0 ? -1 : 0;
    if ((size_t)n == cap) c->flags |= TG_MORE;
    c->heard_at = c->now;
    c->raw_at = (uint16_t)kept;
    c->raw_end = (uint16_t)(kept + (uint16_t)n);
    return 0;
}

static int16_t rx_step_ws(tg_client *c)
{
    int16_t n = 0;
    if (c->rx_phase == WS_CLOSED) return c->tx_left == 0 ? TG_ENDED(c->reason) : 0;
    if (c->raw_at == c->raw_end && c->rx_phase != WS_ANSWER) n = rx_fetch_ws(c);
    while (n == 0 && c->raw_at != c->raw_end && c->rx_phase != WS_ANSWER) {
        const uint8_t b = c->config->rx[c->raw_at++];
        n = c->rx_phase < WS_HEAD ? tg_upgrade_byte(c, b) : rx_frame_byte(c, b);
    }
    return n;
}

static void sizes(tg_client *c)
{
    const tg_config *config = c->config;
    c->tx_head = HEAD_BYTES;
    c->rx_room = config->rx_bytes < 0x7FFFu ? config->rx_bytes : 0x7FFFu;
    c->tx_room = (uint16_t)(config->tx_bytes - HEAD_BYTES);
    if (c->tx_room > TG_MESSAGE_BYTES_MAX) c->tx_room = TG_MESSAGE_BYTES_MAX;
    if (config->host.len > c->tx_room) c->tx_room = 0; /* the upgrade would not fit: tg_init() refuses */
}

int16_t tg_websocket_framing(tg_client *c, uint8_t op)
{
    switch (op) {
    case TG_OP_SIZES:
        sizes(c);
        return 0;
    case TG_OP_UP:
        c->rx_phase = WS_UPGRADE;
        c->reason = TG_REASON_OVERLOADED; /* until the response says better */
        c->rx_at = 0;
        c->rx_left = 0;
        c->rx_code = 0;
        c->rx_check = c->config->port->entropy(c->config->port->ctx);
        return 0;
    case TG_OP_RX:
        return rx_step_ws(c);
    case TG_OP_OWN:
        if (c->rx_phase < WS_HEAD) return tg_upgrade_request(c);
        if (c->rx_phase == WS_ANSWER) answer(c);
        return c->rx_phase == WS_CLOSED || c->tx_left != 0;
    default:
        tx_frame(c, OP_BINARY);
        return 0;
    }
}
