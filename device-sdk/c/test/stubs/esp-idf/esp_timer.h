/* esp_timer.h -- stands in for the header of that name, for a compiler that checks our ports: time since boot. */
#pragma once
#include <stdint.h>
int64_t esp_timer_get_time(void); /* microseconds since boot */
