/* freertos/FreeRTOS.h -- stands in for the header of that name, for a compiler that checks our ports: types. */
#pragma once
#include <stdint.h>
typedef int BaseType_t;
typedef unsigned UBaseType_t;
