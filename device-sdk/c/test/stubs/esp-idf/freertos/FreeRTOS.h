/* freertos/FreeRTOS.h stands in for the real header (see README.md): types. */
#pragma once
#include <stdint.h>
typedef int BaseType_t;
typedef unsigned UBaseType_t;
