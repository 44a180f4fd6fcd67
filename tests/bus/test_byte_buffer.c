/* Buffers, readers, little-endian accessors and error values. */
#include "byte_buffer.h"
#include "error.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

START_TEST(what_is_appended_reads_back) {
    ByteBuffer buffer = {0};
    for (unsigned i = 0; i < 1000; i++) {
        byte_buffer_append_le(&buffer, 0x1122334455667788 + i, 1 + i % 8);
        byte_buffer_append(&buffer, "xyz", i % 4);
    }
    ByteReader reader = {.data = buffer.data, .size = buffer.size};
    for (unsigned i = 0; i < 1000; i++) {
        unsigned bytes = 1 + i % 8;
        uint64_t mask = UINT64_MAX >> (64 - 8 * bytes);
        ck_assert(byte_reader_read_le(&reader, bytes) == ((0x1122334455667788 + i) & mask));
        char text[4] = "";
        ck_assert(byte_reader_read(&reader, text, i % 4));
        ck_assert_int_eq(strncmp(text, "xyz", i % 4), 0);
    }
    ck_assert(!reader.failed);
    ck_assert_uint_eq(reader.position, buffer.size);
    byte_buffer_free(&buffer);
    ck_assert_ptr_null(buffer.data);
}
END_TEST

START_TEST(reading_past_the_end_fails_for_good) {
    const uint8_t data[] = {1, 2, 3};
    ByteReader reader = {.data = data, .size = 3};
    ck_assert_uint_eq(byte_reader_read_le(&reader, 2), 0x0201);
    ck_assert_uint_eq(byte_reader_read_le(&reader, 2), 0);
    ck_assert(reader.failed);
    ck_assert_uint_eq(byte_reader_read_le(&reader, 1), 0);
    uint8_t read[3] = {9, 9, 9};
    reader = (ByteReader){.data = data, .size = 3, .position = 1};
    ck_assert(!byte_reader_read(&reader, read, 3));
    ck_assert(reader.failed);
    ck_assert_uint_eq(read[0] | read[1] | read[2], 0);
}
END_TEST

START_TEST(printed_text_ends_with_a_nul) {
    ByteBuffer text = {0};
    for (int i = 0; i < 100; i++)
        byte_buffer_print(&text, "%d,", i);
    ck_assert_uint_eq(text.size, 290);
    ck_assert_uint_eq(strlen((const char *)text.data), 290);
    ck_assert_int_eq(strncmp((const char *)text.data, "0,1,2,", 6), 0);
    byte_buffer_free(&text);
}
END_TEST

START_TEST(little_endian_of_every_size) {
    uint8_t data[9] = {0xEE, 1, 2, 3, 4, 5, 6, 7, 8};
    for (unsigned size = 1; size <= 8; size++) {
        uint64_t value = 0x0807060504030201 & (UINT64_MAX >> (64 - 8 * size));
        ck_assert(load_le(data + 1, size) == value);
        uint8_t stored[10] = {0};
        store_le(stored + 1, size, 0x0807060504030201);
        ck_assert_mem_eq(stored + 1, data + 1, size);
        ck_assert_uint_eq(stored[0] | stored[size + 1], 0);
    }
}
END_TEST

START_TEST(the_first_error_wins) {
    Error error = {0};
    ck_assert(!error_set(&error, "no %s", "disk"));
    ck_assert(!error_set(&error, "later"));
    ck_assert(!error_prefix(&error, "%s: ", "hda"));
    ck_assert(error.set);
    ck_assert_str_eq(error.message, "hda: no disk");
    ck_assert(!error_set(NULL, "nobody wants to know"));
    ck_assert(!error_prefix(NULL, "nobody"));
}
END_TEST

START_TEST(long_errors_are_cut) {
    char name[2000];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    Error error = {0};
    error_set(&error, "%s", name);
    ck_assert_uint_eq(strlen(error.message), sizeof error.message - 1);
    error_prefix(&error, "%s", "b: ");
    ck_assert_uint_eq(strlen(error.message), sizeof error.message - 1);
    ck_assert_int_eq(strncmp(error.message, "b: aaa", 6), 0);
    error_prefix(&error, "%s", name);
    ck_assert_uint_eq(strlen(error.message), sizeof error.message - 1);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("byte_buffer");
    tcase_add_test(tests, what_is_appended_reads_back);
    tcase_add_test(tests, reading_past_the_end_fails_for_good);
    tcase_add_test(tests, printed_text_ends_with_a_nul);
    tcase_add_test(tests, little_endian_of_every_size);
    tcase_add_test(tests, the_first_error_wins);
    tcase_add_test(tests, long_errors_are_cut);
    Suite *suite = suite_create("byte_buffer");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
