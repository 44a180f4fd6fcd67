/* The quick ways of RCPPS and RSQRTPS against their definition: all mantissas, all exponents. */
#include "approximation.h"
#include "suite_run.h"
#include <check.h>

enum { FRACTION_BITS = 23, BIAS = 127 };

static void check(bool root, uint32_t bits) {
    uint32_t quick = approximate(root, bits), exact = approximate_exactly(root, bits);
    if (quick != exact)
        ck_abort_msg("%s of %08x: %08x, not %08x", root ? "root" : "reciprocal", bits, quick,
                     exact);
}

/* 1 to 2, and 2 to 4 for roots. */
START_TEST(test_all_mantissas) {
    for (uint32_t fraction = 0; fraction < 1u << FRACTION_BITS; fraction++) {
        check(false, (uint32_t)BIAS << FRACTION_BITS | fraction);
        check(true, (uint32_t)BIAS << FRACTION_BITS | fraction);
        check(true, (uint32_t)(BIAS + 1) << FRACTION_BITS | fraction);
    }
}
END_TEST

/* Zeros, denormals, infinities and NaNs among them, and negative numbers. */
START_TEST(test_all_exponents) {
    for (uint32_t exponent = 0; exponent < 512; exponent++)
        for (uint32_t fraction = 0; fraction < 1u << FRACTION_BITS; fraction += 0x1FFF) {
            check(false, exponent << FRACTION_BITS | fraction);
            check(true, exponent << FRACTION_BITS | fraction);
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("approximation");
    TCase *tests = tcase_create("approximation");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_all_mantissas);
    tcase_add_test(tests, test_all_exponents);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
