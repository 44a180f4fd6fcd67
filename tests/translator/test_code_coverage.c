/* What was noted as executed, and samples of where instructions go. */
#include "code_coverage.h"
#include "code_profile.h"
#include "suite_run.h"
#include <check.h>
#include <stdlib.h>

static const uint8_t file_bytes[8] = {0x31, 0xC0, 0x40, 0x41, 0xC3, 0x90, 0x90, 0xC3};

static CodeCoverage *create(const uint8_t *bytes) {
    CodeCoverage *coverage = code_coverage_create();
    code_coverage_add(coverage, 0x1000, sizeof(file_bytes), bytes);
    return coverage;
}

START_TEST(executed_bytes_are_known) {
    CodeCoverage *coverage = create(file_bytes);
    ck_assert(!code_coverage_has(coverage, 0, UINT32_MAX));
    code_coverage_note(coverage, 0x1002, file_bytes + 2, 3);
    ck_assert(!code_coverage_has(coverage, 0x1000, 2));
    ck_assert(code_coverage_has(coverage, 0x1000, 3));
    ck_assert(code_coverage_has(coverage, 0x1004, 1));
    ck_assert(!code_coverage_has(coverage, 0x1005, 100));
    ck_assert(!code_coverage_has(coverage, 0x2000, 100));
    code_coverage_destroy(coverage);
}
END_TEST

START_TEST(code_of_another_program_is_none) {
    static const uint8_t other[8] = {0xE8, 0, 0, 0, 0xC3, 0x90, 0x55, 0x66};
    uint8_t patched[8];
    CodeCoverage *coverage = create(file_bytes);
    code_coverage_note(coverage, 0x1000, other, sizeof(other));
    ck_assert(!code_coverage_has(coverage, 0x1000, 8));
    for (int i = 0; i < 8; i++)
        patched[i] = i < 3 ? 0x90 : file_bytes[i];
    code_coverage_note(coverage, 0x1000, patched, sizeof(patched));
    ck_assert(code_coverage_has(coverage, 0x1000, 1));
    code_coverage_destroy(coverage);
    coverage = create(NULL); /* nobody knows what is there */
    code_coverage_note(coverage, 0x1000, other, sizeof(other));
    ck_assert(code_coverage_has(coverage, 0x1007, 1));
    code_coverage_destroy(coverage);
}
END_TEST

/* A block may begin before the code and end behind it, and code may end with the address space. */
START_TEST(edges_are_cut) {
    static const uint8_t block[16] = {0};
    CodeCoverage *coverage = code_coverage_create();
    code_coverage_add(coverage, 0x1004, 4, NULL);
    code_coverage_add(coverage, 0xFFFFFFF8, 8, NULL);
    code_coverage_add(coverage, 0x3000, 0, NULL);
    code_coverage_note(coverage, 0x1000, block, 16);
    code_coverage_note(coverage, 0xFFFFFFF0, block, 16);
    ck_assert(!code_coverage_has(coverage, 0x1003, 1));
    ck_assert(code_coverage_has(coverage, 0x1007, 1));
    ck_assert(!code_coverage_has(coverage, 0x1008, 1));
    ck_assert(code_coverage_has(coverage, 0xFFFFFFFF, 1));
    ck_assert(!code_coverage_has(coverage, 0x3000, 1));
    code_coverage_destroy(coverage);
}
END_TEST

START_TEST(samples_are_added_up) {
    CodeProfile *profile = code_profile_create();
    for (uint32_t i = 0; i < 5000; i++)
        for (uint32_t n = 0; n <= i % 3; n++)
            code_profile_add(profile, 0xC0000000 - i * 5);
    size_t count;
    CodeSample *list = code_profile_list(profile, &count);
    ck_assert_uint_eq(count, 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        ck_assert_uint_eq(list[4999 - i].linear, 0xC0000000 - i * 5);
        ck_assert_uint_eq(list[4999 - i].count, i % 3 + 1);
    }
    free(list);
    code_profile_destroy(profile);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("code coverage");
    TCase *tests = tcase_create("code coverage");
    tcase_add_test(tests, executed_bytes_are_known);
    tcase_add_test(tests, code_of_another_program_is_none);
    tcase_add_test(tests, edges_are_cut);
    tcase_add_test(tests, samples_are_added_up);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
