/* The quick clock beside the system's: it never goes back, never gets ahead and stays close. */
#define _GNU_SOURCE
#include "host_clock.h"
#include "host_ticks.h"
#include "suite_run.h"
#include <check.h>
#include <time.h>

/* Where the host is busy its looks at the clock may be far apart: but then the quick clock has to
 * look, too. */
START_TEST(follows_the_system_clock) {
    enum { CLOSE_NS = 200 * 1000, RUN_NS = 50 * 1000 * 1000 };
    HostTicks ticks;
    host_ticks_init(&ticks);
    int64_t start = host_clock_ns(), last = start;
    unsigned close = 0, looks = 0;
    while (last - start < RUN_NS) {
        int64_t before = host_clock_ns(), now = host_ticks_ns(&ticks), after = host_clock_ns();
        ck_assert_msg(now >= last, "back by %lld ns", (long long)(last - now));
        ck_assert_msg(now <= after, "ahead by %lld ns", (long long)(now - after));
        close += before - now < CLOSE_NS;
        looks++;
        last = now;
    }
    ck_assert_msg(close > looks / 10 * 9, "%u of %u looks were close", close, looks);
}
END_TEST

/* A line does not go on for ever. */
START_TEST(looks_again_after_a_sleep) {
    HostTicks ticks;
    host_ticks_init(&ticks);
    for (int64_t start = host_clock_ns(); host_clock_ns() - start < 5 * 1000 * 1000;)
        host_ticks_ns(&ticks);
    int64_t before = host_clock_ns();
    nanosleep(&(struct timespec){.tv_nsec = 3 * 1000 * 1000}, NULL);
    ck_assert(host_ticks_ns(&ticks) - before >= 3 * 1000 * 1000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("host_ticks");
    TCase *tests = tcase_create("host_ticks");
    tcase_add_test(tests, follows_the_system_clock);
    tcase_add_test(tests, looks_again_after_a_sleep);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
