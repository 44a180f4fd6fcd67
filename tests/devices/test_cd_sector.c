/* Raw sectors of CDs: what corrects errors does so by its definition (ECMA-130, annex A and B). */
#include "cd_sector.h"
#include <check.h>
#include <string.h>

static uint8_t power_of_two(unsigned exponent) {
    unsigned value = 1;
    while (exponent-- > 0)
        value = value << 1 ^ (value & 0x80 ? 0x11D : 0);
    return (uint8_t)value;
}

static uint8_t product(uint8_t a, uint8_t b) {
    if (a == 0 || b == 0)
        return 0;
    unsigned i = 0, j = 0;
    while (power_of_two(i) != a)
        i++;
    while (power_of_two(j) != b)
        j++;
    return power_of_two((i + j) % 255);
}

/* Both check sums of a code word of so many symbols are zero. */
static void expect_code_word(const uint8_t *symbols, unsigned count) {
    uint8_t sum = 0, weighted = 0;
    for (unsigned i = 0; i < count; i++) {
        sum ^= symbols[i];
        weighted ^= product(symbols[i], power_of_two(count - 1 - i));
    }
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(weighted, 0);
}

static void fill(uint8_t *sector) {
    for (unsigned i = 0; i < CD_RAW_SECTOR_BYTES; i++)
        sector[i] = (uint8_t)(i * 31 + i / 7);
}

START_TEST(header) {
    uint8_t sector[CD_RAW_SECTOR_BYTES], before[CD_RAW_SECTOR_BYTES];
    static const uint8_t head[16] = {0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0,    0x01, 0x02, 0x34, 1};
    fill(sector);
    memcpy(before, sector, sizeof(before));
    cd_sector_complete(sector, (60 + 2) * 75 + 34 - 150);
    ck_assert_mem_eq(sector, head, 16);
    ck_assert_mem_eq(sector + 16, before + 16, 2048);
    ck_assert_mem_eq(sector + 2068, "\0\0\0\0\0\0\0\0", 8);
}
END_TEST

START_TEST(detection) {
    uint8_t sector[CD_RAW_SECTOR_BYTES];
    fill(sector);
    cd_sector_complete(sector, 1000);
    /* The polynomial, highest power first, divides the sector with its code, bits of each byte
     * lowest first. */
    uint32_t rest = 0;
    for (unsigned i = 0; i < 2068 * 8; i++) {
        unsigned bit = sector[i / 8] >> i % 8 & 1, carry = rest >> 31;
        rest = (rest << 1 | bit) ^ (carry ? 0x8001801Bu : 0);
    }
    ck_assert_uint_eq(rest, 0);
}
END_TEST

START_TEST(correction) {
    uint8_t sector[CD_RAW_SECTOR_BYTES], symbols[45];
    fill(sector);
    cd_sector_complete(sector, 321);
    for (unsigned half = 0; half < 2; half++) {
        const uint8_t *bytes = sector + 12 + half;
        for (unsigned column = 0; column < 43; column++) {
            for (unsigned row = 0; row < 26; row++)
                symbols[row] = bytes[2 * (43 * row + column)];
            expect_code_word(symbols, 26);
        }
        for (unsigned diagonal = 0; diagonal < 26; diagonal++) {
            for (unsigned i = 0; i < 43; i++)
                symbols[i] = bytes[2 * ((44 * i + 43 * diagonal) % 1118)];
            symbols[43] = bytes[2 * (43 * 26 + diagonal)];
            symbols[44] = bytes[2 * (44 * 26 + diagonal)];
            expect_code_word(symbols, 45);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cd_sector");
    TCase *tests = tcase_create("cd_sector");
    tcase_add_test(tests, header);
    tcase_add_test(tests, detection);
    tcase_add_test(tests, correction);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
