/* page.c -- who a board is, read from a page in memory; see board.h. */
#include <string.h>

#include "board.h"

static tg_span span(const char *text, uint16_t cap)
{
    tg_span s;
    s.ptr = (const uint8_t *)text;
    for (s.len = 0; s.len < cap && text[s.len] != 0; s.len++) {
    }
    return s;
}

uint32_t board_use_page(const board_page *page, tg_config *config)
{
    if (memcmp(page->magic, "TGID", sizeof page->magic) != 0) return 0;
    config->device_id = span(page->id, sizeof page->id);
    config->token = span(page->token, sizeof page->token);
    demo_stir(page->seed);
    return page->interval_ms;
}
