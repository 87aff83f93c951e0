/* esp_timer.h stands in for the real header (see README.md): time since boot. */
#pragma once
#include <stdint.h>
int64_t esp_timer_get_time(void); /* microseconds since boot */
