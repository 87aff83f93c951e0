/* zephyr/logging/log.h stands in for the real header (see README.md): log lines, their format checked. */
#pragma once
#define LOG_LEVEL_INF 3
#define LOG_MODULE_REGISTER(name, level) extern const char log_stub_##name[]
void log_stub(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define LOG_INF(...) log_stub(__VA_ARGS__)
#define LOG_WRN(...) log_stub(__VA_ARGS__)
#define LOG_ERR(...) log_stub(__VA_ARGS__)
