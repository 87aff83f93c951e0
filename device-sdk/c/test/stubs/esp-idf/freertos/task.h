/* freertos/task.h stands in for the real header (see README.md): tasks. */
#pragma once
#include "freertos/FreeRTOS.h"
typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *arg);
/* In ESP-IDF the stack is counted in bytes. */
BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_bytes, void *arg, UBaseType_t priority,
                       TaskHandle_t *created);
void vTaskDelete(TaskHandle_t task);
