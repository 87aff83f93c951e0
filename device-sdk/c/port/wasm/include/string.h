/* string.h -- the five functions of the C library that the SDK uses, for a target that has none. WebAssembly has
 * instructions for three of them; the others are in tg_wasm.c. */
#ifndef TG_WASM_STRING_H
#define TG_WASM_STRING_H

#include <stddef.h>

#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

#endif
