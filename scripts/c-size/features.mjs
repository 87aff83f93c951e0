// What single features of the C edition cost: each is taken out of a copy of the sources, and the smallest application
// is linked again. Such a copy need not work, and several costs together are a little more than their sum.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD, compile, FOLDER, flash, PROFILES } from "./images.mjs";

const lines = (...all) => all.join("\n");

/** A feature, and what of the sources is cut out with it: file, text, what stands there instead. */
export const FEATURES = [
  {
    name: "checks of the configuration and of arguments",
    cuts: [
      ["tg_client.c", "if (c == NULL || config == NULL || !pointers_stand(config)) return TG_ERR_ARG;", ""],
      [
        "tg_client.c",
        lines(
          "    if (config->rx_bytes < TG_MESSAGE_BYTES_MIN || config->tx_bytes < TG_MESSAGE_BYTES_MIN ||",
          "        config->ring_bytes < TG_RING_BYTES_MIN || config->ring_bytes - TG_RING_BYTES_MIN < updates) {",
          "        return TG_ERR_NO_SPACE;",
          "    }",
          "",
        ),
        "",
      ],
      [
        "tg_client.c",
        lines(
          "    if ((config->token.len | config->firmware.len | config->model.len) > (int)TG_MESSAGE_BYTES_MAX ||",
          "        (size_t)config->device_id.len + config->token.len + config->firmware.len + " +
            "config->model.len + TG_HELLO_BYTES >",
          "            c->tx_room) {",
          "        return TG_ERR_TOO_BIG;",
          "    }",
          "",
        ),
        "",
      ],
      [
        "tg_telemetry.c",
        lines(
          "    if (c == NULL || w == NULL || scratch == NULL) return TG_ERR_ARG;",
          "    if (cap < SCRATCH_BYTES_MIN) return TG_ERR_NO_SPACE;",
          "    w->buf",
        ),
        "w->buf",
      ],
      ["tg_telemetry.c", lines("    if (c == NULL || w == NULL) return TG_ERR_ARG;", ""), ""],
      [
        "tg_reply.c",
        lines(
          "    if (command_id - 1u >= c->last_command || (uint8_t)(state - 1) >= TG_INTERRUPTED) return TG_ERR_ARG;",
          "",
        ),
        "",
      ],
    ],
  },
  {
    name: "counters",
    cuts: [
      ["tg_outbox.c", lines("    c->stats.dropped++;", ""), ""],
      ["tg_outbox.c", lines("        c->stats.acked++;", ""), ""],
      ["tg_uplink.c", lines("    c->stats.sent++;", ""), ""],
      ["tg_downlink.c", lines("    c->stats.sessions++;", ""), ""],
      ["tg_downlink.c", lines("    c->stats.commands++;", ""), ""],
      ["tg_downlink.c", lines("        c->stats.deferred++;", ""), ""],
      ["tg_downlink.c", lines("    c->stats.rx_bad++;", ""), ""],
      [
        "tg_serial.c",
        lines(
          "    if (!whole && (n > 0 || c->rx_code != CODE_FULL)) c->stats.rx_bad++; /* 00 after 00 " +
            "is no frame, and no fault */",
          "",
        ),
        "",
      ],
    ],
  },
  {
    name: "events",
    cuts: [
      ["tg_client.c", lines("    tg_emit(c, event, reason);", ""), ""],
      ["tg_outbox.c", lines("    tg_emit(c, TG_EVENT_DROPPED, seq);", ""), ""],
      ["tg_downlink.c", lines("        tg_emit(c, TG_EVENT_RENUMBERED, v[3]);", ""), ""],
      ["tg_downlink.c", lines("    tg_emit(c, TG_EVENT_ONLINE, v[3]);", ""), ""],
    ],
  },
  {
    name: "the end of the numbers [P-10]",
    cuts: [
      [
        "tg_client.c",
        lines(
          "    if (c->next_seq > TG_SEQ_LAST && c->ring_head == c->ring_end) { /* drained: begin a new epoch [P-10] */",
          "        tg_outbox_reset(c);",
          "        c->epoch = 0;",
          "        return TG_OVER(TG_REASON_SHUTDOWN);",
          "    }",
          "",
        ),
        "",
      ],
      ["tg_outbox.c", lines("    if (c->next_seq > TG_SEQ_LAST) return TG_ERR_STATE;", ""), ""],
      ["tg_downlink.c", " || c->next_seq > TG_SEQ_LAST", ""],
    ],
  },
  {
    name: "renumbering under another epoch [P-7]",
    cuts: [["tg_downlink.c", lines("        if (v[4] != 0) return;", "        tg_outbox_renumber(c);"), ""]],
  },
  {
    name: "deadlines of commands [P-16]",
    cuts: [
      [
        "tg_downlink.c",
        lines(
          "    if (v[5] != 0 && (int32_t)(c->now_ms - v[5]) >= 0) {",
          "        state = TG_EXPIRED;",
          "    } else if",
        ),
        "if",
      ],
      ["tg_downlink.c", lines("    command.deadline_ms = v[5];", ""), ""],
    ],
  },
  {
    name: "commands by name, and their arguments",
    cuts: [
      [
        "tg_downlink.c",
        lines("    command.name = span(config->rx, v[3]);", "    command.args = span(config->rx, v[4]);", ""),
        lines("command.name.len = 0; command.args.len = 0;", ""),
      ],
    ],
  },
  {
    name: "results and error texts in answers",
    cuts: [["tg_reply.c", lines("    p = tg_pb_bytes(p, state == TG_FAILED ? ERROR_TEXT : RESULT, &result);", ""), ""]],
  },
  {
    name: "a share of the ring for answers [P-13]",
    cuts: [
      ["tg_outbox.c", lines("    while (tg_outbox_head(at) & TG_UPDATES & ~kinds) at = tg_outbox_after(at);", ""), ""],
      [
        "tg_outbox.c",
        lines("    if (tg_outbox_head(at) & TG_UPDATES) c->updates = (uint16_t)(c->updates - n);", ""),
        "",
      ],
      ["tg_outbox.c", lines("    memmove(head + n, head, (size_t)(at - head));", ""), ""],
      ["tg_outbox.c", lines("    if (kind != 0) c->updates = (uint16_t)(c->updates + n);", ""), ""],
      [
        "tg_outbox.c",
        lines(
          "    const uint16_t updates = (uint16_t)(c->update_bytes - c->updates);",
          "    if (kind != 0) return updates;",
          "    return (uint16_t)(c->config->ring_bytes - (uint16_t)(c->ring_end - c->ring_head) - updates);",
        ),
        "return (uint16_t)(c->config->ring_bytes - (uint16_t)(c->ring_end - c->ring_head));",
      ],
      [
        "tg_outbox.c",
        lines("    const uint16_t share = kind != 0 ? c->update_bytes : (uint16_t)(ring_bytes - c->update_bytes);", ""),
        lines("const uint16_t share = ring_bytes;", ""),
      ],
      [
        "tg_client.c",
        lines(
          "    updates = config->update_bytes != 0 ? config->update_bytes : config->ring_bytes >> 2;",
          "    if (updates < TG_RING_BYTES_MIN) updates = TG_RING_BYTES_MIN;",
          "",
        ),
        lines("updates = 0;", ""),
      ],
    ],
  },
  {
    name: "gaps named by number [P-1]",
    cuts: [
      [
        "tg_uplink.c",
        lines("    p = tg_pb_put(p, TG_NUMBER(2), seq - base - 1u); /* the numbers evicted below it [P-1] */", ""),
        "",
      ],
      ["tg_uplink.c", lines("        base = seq;", ""), ""],
    ],
  },
  {
    name: "messages that are too large for this gateway",
    cuts: [
      [
        "tg_uplink.c",
        lines(
          "    if (len + TG_ENVELOPE_BYTES > c->tx_room) { /* this gateway takes less than the one " +
            "it was written for */",
          "        if (at == c->ring_head) tg_outbox_drop(c, TG_UPDATES);",
          "        return NULL;",
          "    }",
          "",
        ),
        "",
      ],
      [
        "tg_downlink.c",
        lines("    if (v[9] >= TG_MESSAGE_BYTES_MIN && v[9] < c->tx_room) c->tx_room = (uint16_t)v[9];", ""),
        "",
      ],
    ],
  },
  {
    name: "Bye both ways, refusals, pauses that a gateway asks for [P-21]",
    cuts: [
      [
        "tg_uplink.c",
        lines(
          "    if (c->flags & TG_STOPPING) {",
          "        c->flags |= TG_BYE_SENT;",
          "        start = tg_pb_begin(p, UP_BYE);",
          "        p = tg_pb_put(start, TG_NUMBER(1), c->reason);",
          "    } else if",
        ),
        "if",
      ],
      ["tg_client.c", lines("            if (c->flags & TG_BYE_SENT) return TG_OVER(c->reason);", ""), ""],
      [
        "tg_client.c",
        "    if ((uint8_t)(reason - TG_REASON_BAD_CREDENTIAL) > TG_REASON_UNSUPPORTED_PROTOCOL - " +
          "TG_REASON_BAD_CREDENTIAL) {",
        "{",
      ],
      [
        "tg_downlink.c",
        lines(
          "        if (v[2] != 0) c->pause = (tg_tick)(tg_ticks(v[2]) + TG_WHOLE_TICKS);",
          "        return v[1] <= TG_REASON_SLEEPING ? TG_OVER((uint8_t)v[1]) : TG_OVER(TG_REASON_UNSPECIFIED);",
        ),
        "return TG_OVER(0);",
      ],
      [
        "tg_client.c",
        "    tg_enter(c, c->flags & TG_STOPPING ? TG_STOPPED : TG_WAITING, pause);",
        "tg_enter(c, TG_WAITING, pause);",
      ],
    ],
  },
  {
    name: "what Hello says beside its identity [P-8] [P-18]",
    cuts: [
      [
        "tg_uplink.c",
        lines(
          "WORD(7, oldest),",
          "    WORD(8, acked), WORD(9, now_ms), SHORT(10, rx_room), FIXED(11, catalog_hash), " +
            "TEXT(12, firmware), TEXT(13, model),",
          "    CONFIG_WORD(14, sleep_ms), WORD(15, last_command), SHORT(16, frames),",
        ),
        "WORD(9, now_ms),",
      ],
      ["tg_client.c", lines("    c->frames = config->ring_bytes >> 5; /* of 32 bytes */", ""), ""],
      ["tg_uplink.c", lines("            tag ^= FROM_CONFIG;", ""), ""],
      ["tg_uplink.c", "            if (!(tag & 4u)) {", "{"],
    ],
  },
  {
    name: "the hook for a catalog",
    cuts: [
      [
        "tg_uplink.c",
        lines("        if (c->catalog_part != 0) (void)c->config->send_catalog(c, NULL, c->catalog_part);", ""),
        "",
      ],
      [
        "tg_uplink.c",
        lines(
          "    if (len == 1) return c->config->send_catalog(c, p, *body); /* a part of the catalog: " +
            "its number alone */",
          "",
        ),
        "",
      ],
      [
        "tg_downlink.c",
        lines("    c->catalog_part = v[8] != 0 && c->config->send_catalog != NULL && !TG_DRAINS(c);", ""),
        "",
      ],
      [
        "tg_client.c",
        lines(
          "    if (config->send_catalog != NULL && config->send_catalog(c, NULL, 0) == NULL) return TG_ERR_TOO_BIG;",
          "",
        ),
        "",
      ],
    ],
  },
  {
    name: "a Nack that asks for patience [P-2]",
    cuts: [
      [
        "tg_downlink.c",
        lines(
          "    c->flags &= (uint8_t)~TG_HOLD;",
          "    if (v[3] != 0) {",
          "        c->flags |= TG_HOLD;",
          "        c->due = (tg_tick)(c->now + tg_ticks(v[3]) + TG_WHOLE_TICKS);",
          "    }",
          "",
        ),
        "",
      ],
      [
        "tg_uplink.c",
        "        if (c->phase != TG_ONLINE || c->flags & TG_HOLD) return false;",
        "if (c->phase != TG_ONLINE) return false;",
      ],
    ],
  },
  {
    name: "no ack for what was never sent [P-3], copies noticed [P-7]",
    cuts: [
      ["tg_outbox.c", "    if (seq <= c->acked || !tg_outbox_covers(c, seq)) return;", "if (seq <= c->acked) return;"],
      ["tg_downlink.c", "!tg_outbox_covers(c, v[4])", "false"],
      ["tg_uplink.c", lines("    if (c->tx_high < seq) c->tx_high = seq;", ""), ""],
      ["tg_outbox.c", lines("    if (c->tx_high < seq) c->tx_high = seq;", ""), ""],
    ],
  },
  {
    name: "checksums cut in steps",
    cuts: [
      [
        "tg_serial.c",
        lines("    if (n > TG_STEP_BYTES) n = TG_STEP_BYTES;", "    if (c->tx_at > 1u) crc = tg_pb_get32(end);", ""),
        "",
      ],
    ],
  },
  {
    name: "frames of more than 254 bytes",
    cuts: [
      [
        "tg_serial.c",
        lines(
          "        if (p - code == CODE_FULL && p + 1 != end) {",
          "            memmove(p + 1, p, (size_t)(end - p));",
          "            end++;",
          "            *p = 0;",
          "        }",
          "",
        ),
        "",
      ],
    ],
  },
];

/** The sources without `feature`. Throws when a text that it cuts is not there any more. */
export function without(feature, read = (file) => readFileSync(join(FOLDER, "src", file), "utf8")) {
  const files = new Map();
  for (const [file, text, instead] of feature.cuts) {
    const source = files.get(file) ?? read(file);
    if (!source.includes(text)) throw new Error(`${feature.name}: ${file} has no such text any more:\n${text}`);
    files.set(
      file,
      source.replaceAll(text, () => instead),
    );
  }
  return files;
}

/** Bytes of flash of the serial profile that a feature costs, by feature and target. */
export function featureCosts(targets) {
  const bytes = (target, feature) => {
    const folder = join(BUILD, "features", target.name);
    mkdirSync(folder, { recursive: true });
    const copy = join(BUILD, "features", "copy");
    for (const part of ["src", "include"]) cpSync(join(FOLDER, part), join(copy, part), { recursive: true });
    for (const [file, text] of without(feature)) writeFileSync(join(copy, "src", file), text);
    return flash(target, folder, compile(target, folder, copy).objects, PROFILES[0]).bytes;
  };
  const whole = targets.map((target) => bytes(target, { cuts: [] }));
  return FEATURES.map((feature) => ({
    name: feature.name,
    bytes: targets.map((target, i) => (whole[i] ?? 0) - bytes(target, feature)),
  }));
}
