/* esp_log.h stands in for the real header (see README.md): log lines, with the compiler checking their format. */
#pragma once
void esp_log_stub(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define ESP_LOGI(tag, ...) esp_log_stub(tag, __VA_ARGS__)
#define ESP_LOGW(tag, ...) esp_log_stub(tag, __VA_ARGS__)
#define ESP_LOGE(tag, ...) esp_log_stub(tag, __VA_ARGS__)
