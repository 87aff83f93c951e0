/* tg_test.h -- the whole test runner: a test is a function whose name is a sentence about behaviour.
 *
 *   static void a_full_ring_evicts_the_oldest(void) { CHECK(...); }
 *   int main(void) { RUN(a_full_ring_evicts_the_oldest); return tg_test_done(); }
 *
 * CHECK ends the process at once: a test that goes on after a false premise says nothing.
 */
#ifndef TG_TEST_H
#define TG_TEST_H

#include <stdio.h>
#include <stdlib.h>

static int tg_test_count;
static const char *tg_test_name;

#define CHECK(condition)                                                                             \
    do {                                                                                             \
        if (!(condition)) {                                                                          \
            printf("not ok - %s\n  %s:%d: %s\n", tg_test_name, __FILE__, __LINE__, #condition);      \
            exit(1);                                                                                 \
        }                                                                                            \
    } while (0)

/* Like CHECK for two unsigned numbers, and shows them. */
#define CHECK_EQ(got, expected)                                                                              \
    do {                                                                                                     \
        const unsigned long long got_ = (unsigned long long)(got), expected_ = (unsigned long long)(expected); \
        if (got_ != expected_) {                                                                             \
            printf("not ok - %s\n  %s:%d: %s is %llu, expected %llu\n", tg_test_name, __FILE__, __LINE__,    \
                   #got, got_, expected_);                                                                   \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

#define RUN(test)              \
    do {                       \
        tg_test_name = #test;  \
        test();                \
        tg_test_count++;       \
        printf("ok - %s\n", #test); \
        fflush(stdout);        \
    } while (0)

static int tg_test_done(void)
{
    printf("%d passed\n", tg_test_count);
    return 0;
}

#endif
