/* storm.c -- very many executions of a fuzzer, without its instruments: what libFuzzer found is mutated at random.
 *
 *   storm EXECUTIONS SEED CORPUS_FOLDER
 *
 * Coverage guides libFuzzer to the interesting inputs, at some ten thousand a second; the storm then shakes them at some
 * hundred thousand. In place of the address sanitizer every buffer ends at a page that faults, and starts behind one that
 * is looked at; undefined behaviour traps (-fsanitize-trap), and the harness checks the session's invariants.
 */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE 4096u
#define BUFFERS 3u
#define INPUTS_MAX 20000u
#define INPUT_BYTES_MAX 256u
#define CANARY 0xA5u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
uint8_t *storm_buffer(unsigned which, size_t n);

typedef struct input {
    uint8_t bytes[INPUT_BYTES_MAX];
    uint16_t len;
} input;

static uint8_t *pages[BUFFERS];
static size_t sizes[BUFFERS];
static input *inputs;
static size_t input_count;
static uint64_t state;

uint8_t *storm_buffer(unsigned which, size_t n)
{
    if (pages[which] == NULL) {
        pages[which] = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages[which] == MAP_FAILED || mprotect(pages[which] + PAGE, PAGE, PROT_NONE) != 0) abort();
        memset(pages[which], CANARY, PAGE);
        sizes[which] = n;
    }
    if (sizes[which] != n) abort();
    return pages[which] + PAGE - n;
}

/* Nothing was written in front of a buffer. */
static void look_in_front(void)
{
    unsigned i;
    unsigned k;
    for (i = 0; i < BUFFERS; i++) {
        for (k = 1; pages[i] != NULL && k <= 64u; k++) {
            if (pages[i][PAGE - sizes[i] - k] != CANARY) abort();
        }
    }
}

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * below >> 32);
}

static void load(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    inputs = calloc(INPUTS_MAX, sizeof *inputs);
    while (dir != NULL && inputs != NULL && (entry = readdir(dir)) != NULL && input_count < INPUTS_MAX) {
        char path[1024];
        FILE *file;
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        file = fopen(path, "rb");
        if (file == NULL) continue;
        inputs[input_count].len = (uint16_t)fread(inputs[input_count].bytes, 1, INPUT_BYTES_MAX, file);
        input_count++;
        fclose(file);
    }
    if (dir != NULL) closedir(dir);
}

static void mutate(input *in)
{
    static const uint8_t edges[] = {0, 1, 2, 0x7E, 0x7F, 0x80, 0xFE, 0xFF, '\r', '\n', ' ', ':'};
    const uint16_t at = in->len > 0 ? (uint16_t)draw(in->len) : 0;
    uint16_t n = (uint16_t)(1u + draw(8));
    const input *other = &inputs[draw((uint32_t)input_count)];
    switch (in->len == 0 ? 4u : draw(6)) {
    case 0: in->bytes[at] ^= (uint8_t)(1u << draw(8)); break;
    case 1: in->bytes[at] = (uint8_t)draw(256); break;
    case 2: in->bytes[at] = edges[draw(sizeof edges)]; break;
    case 3: /* cut out */
        if (n > in->len - at) n = (uint16_t)(in->len - at);
        memmove(in->bytes + at, in->bytes + at + n, (size_t)(in->len - at - n));
        in->len = (uint16_t)(in->len - n);
        break;
    case 4: /* put in */
        if (in->len + n > INPUT_BYTES_MAX) break;
        memmove(in->bytes + at + n, in->bytes + at, (size_t)(in->len - at));
        in->len = (uint16_t)(in->len + n);
        while (n-- > 0) in->bytes[at + n] = (uint8_t)draw(256);
        break;
    default: /* go on as another */
        if (other->len <= at) break;
        memcpy(in->bytes + at, other->bytes + at, (size_t)(other->len - at));
        in->len = other->len;
        break;
    }
}

int main(int argc, char **argv)
{
    const uint64_t executions = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000u;
    const clock_t start = clock();
    uint64_t i;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) * 2u + 1u : 1u;
    if (argc > 3) load(argv[3]);
    if (input_count == 0) {
        inputs = inputs != NULL ? inputs : calloc(1, sizeof *inputs);
        input_count = 1;
    }
    for (i = 0; i < executions; i++) {
        input in = inputs[draw((uint32_t)input_count)];
        unsigned times = 1u + draw(4);
        while (times-- > 0) mutate(&in);
        (void)LLVMFuzzerTestOneInput(in.bytes, in.len);
        if ((i & 1023u) == 0) look_in_front();
    }
    look_in_front();
    printf("%llu executions of %zu inputs, %.0f s of CPU\n", (unsigned long long)executions, input_count,
           (double)(clock() - start) / CLOCKS_PER_SEC);
    return 0;
}
