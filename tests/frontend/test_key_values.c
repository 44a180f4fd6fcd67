/* 'key=value,...' in all its forms, sizes and numbers. */
#include "key_values.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

static KeyValues values;
static Error error;

static void set_up(void) {
    values = (KeyValues){.items = NULL};
    error = (Error){.set = false};
}

static void tear_down(void) {
    key_values_free(&values);
}

static void expect(const char *key, const char *value) {
    const char *found = key_values_get(&values, key);
    if (value == NULL)
        ck_assert_ptr_null(found);
    else
        ck_assert_str_eq(found, value);
}

START_TEST(pairs_and_flags) {
    ck_assert(key_values_parse(&values, "file=a b.img,if=floppy,server,nowait", NULL, &error));
    expect("file", "a b.img");
    expect("if", "floppy");
    expect("server", "on");
    expect("wait", "off");
    expect("index", NULL);
}
END_TEST

START_TEST(doubled_commas_stand_for_one) {
    ck_assert(key_values_parse(&values, "file=a,,b,,,,c,id=x,,", NULL, &error));
    expect("file", "a,b,,c");
    expect("id", "x,");
}
END_TEST

START_TEST(first_part_may_lack_its_key) {
    ck_assert(key_values_parse(&values, "pc-i440fx-7.2,accel=tcg", "type", &error));
    expect("type", "pc-i440fx-7.2");
    expect("accel", "tcg");
}
END_TEST

START_TEST(only_the_first_part_may) {
    ck_assert(key_values_parse(&values, "accel=tcg,pc", "type", &error));
    expect("type", NULL);
    expect("pc", "on");
}
END_TEST

START_TEST(values_may_hold_equals_and_be_empty) {
    ck_assert(key_values_parse(&values, "file=a=b,id=", NULL, &error));
    expect("file", "a=b");
    expect("id", "");
}
END_TEST

START_TEST(last_of_equal_keys_counts) {
    ck_assert(key_values_parse(&values, "id=a,id=b", NULL, &error));
    expect("id", "b");
}
END_TEST

START_TEST(nameless_values_are_errors) {
    ck_assert(!key_values_parse(&values, "=x", NULL, &error));
    ck_assert_str_ne(error.message, "");
    error.set = false;
    ck_assert(!key_values_parse(&values, "a=1,,b=2,=3", NULL, &error));
}
END_TEST

START_TEST(bools) {
    bool on;
    ck_assert(key_values_parse(&values, "a=on,b=no,c=maybe", NULL, &error));
    ck_assert(key_values_get_bool(&values, "a", false, &on, &error) && on);
    ck_assert(key_values_get_bool(&values, "b", true, &on, &error) && !on);
    ck_assert(key_values_get_bool(&values, "d", true, &on, &error) && on);
    ck_assert(!key_values_get_bool(&values, "c", true, &on, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "'c'"));
}
END_TEST

START_TEST(numbers) {
    uint64_t number;
    ck_assert(key_values_parse(&values, "a=0x501,b=12,c=1x,d=-1,e=", NULL, &error));
    ck_assert(key_values_get_number(&values, "a", 0, &number, &error) && number == 0x501);
    ck_assert(key_values_get_number(&values, "b", 0, &number, &error) && number == 12);
    ck_assert(key_values_get_number(&values, "z", 7, &number, &error) && number == 7);
    ck_assert(!key_values_get_number(&values, "c", 0, &number, &error));
    ck_assert(!key_values_get_number(&values, "d", 0, &number, NULL));
    ck_assert(!key_values_get_number(&values, "e", 0, &number, NULL));
}
END_TEST

static const struct {
    const char *text;
    uint64_t bytes; /* 0: no size */
} sizes[] = {{"64", 64ull << 20}, {"64M", 64ull << 20},
             {"1G", 1ull << 30},  {"1.5G", 3ull << 29},
             {"512k", 512 << 10}, {"2048KiB", 2 << 20},
             {"16MB", 16 << 20},  {"1t", 1ull << 40},
             {"100B", 100},       {"", 0},
             {"-1", 0},           {"M", 0},
             {"12Q", 0},          {"12MBx", 0},
             {"nan", 0},          {"inf", 0},
             {"1e400", 0},        {"99999999999999T", 0}};

START_TEST(sizes_with_suffixes) {
    uint64_t bytes = 0;
    bool good = parse_size(sizes[_i].text, 1 << 20, &bytes);
    ck_assert_int_eq(good, sizes[_i].bytes != 0);
    if (good)
        ck_assert_uint_eq(bytes, sizes[_i].bytes);
}
END_TEST

START_TEST(unused_keys_are_errors_that_name_the_nearest) {
    ck_assert(key_values_parse(&values, "file=x,medai=cdrom", NULL, &error));
    key_values_get(&values, "file");
    ck_assert(!key_values_check_used(&values, "file media index", &error));
    ck_assert_ptr_nonnull(strstr(error.message, "'medai'"));
    ck_assert_ptr_nonnull(strstr(error.message, "'media'"));
    key_values_get(&values, "medai");
    ck_assert(key_values_check_used(&values, "file media index", NULL));
}
END_TEST

START_TEST(json_objects) {
    if (!key_values_parse(&values,
                          "{\"driver\":\"raw\",\"unit\":1,\"read-only\":true,\"backing\":null,"
                          "\"file\":{\"driver\":\"file\",\"filename\":\"a,b \\u00e9\"}}",
                          "driver", &error)) {
        ck_assert_ptr_nonnull(strstr(error.message, "this build reads no JSON"));
        return;
    }
    expect("driver", "raw");
    expect("unit", "1");
    expect("read-only", "on");
    expect("backing", NULL);
    expect("file.driver", "file");
    expect("file.filename", "a,b \xc3\xa9");
}
END_TEST

START_TEST(lists_and_repeated_keys) {
    ck_assert(key_values_parse(&values, "f=1,g=2,f=3", NULL, &error));
    ck_assert_str_eq(key_values_get_nth(&values, "f", 0), "1");
    ck_assert_str_eq(key_values_get_nth(&values, "f", 1), "3");
    ck_assert_ptr_null(key_values_get_nth(&values, "f", 2));
    if (!key_values_parse(&values, "{\"h\":[{\"str\":\"x\"},{\"str\":\"y\"}],\"l\":[\"z\"]}", NULL,
                          NULL))
        return;
    ck_assert_str_eq(key_values_get_nth(&values, "h", 0), "x");
    ck_assert_str_eq(key_values_get_nth(&values, "h", 1), "y");
    ck_assert_str_eq(key_values_get_nth(&values, "l", 0), "z");
    ck_assert_ptr_null(key_values_get_nth(&values, "l", 1));
    key_values_get(&values, "g");
    ck_assert(key_values_check_used(&values, "f g h l", &error));
}
END_TEST

static const char *const bad_json[] = {"{",           "{\"a\"}",      "{\"a\":}",    "{\"a\":[1}",
                                       "{\"a\":1} x", "{\"\":\"x\"}", "{\"a\":\"x}", "{a:1"};

START_TEST(bad_json_is_an_error) {
    ck_assert(!key_values_parse(&values, bad_json[_i], NULL, &error));
    ck_assert_str_ne(error.message, "");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("key_values");
    TCase *tests = tcase_create("key_values");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, pairs_and_flags);
    tcase_add_test(tests, doubled_commas_stand_for_one);
    tcase_add_test(tests, first_part_may_lack_its_key);
    tcase_add_test(tests, only_the_first_part_may);
    tcase_add_test(tests, values_may_hold_equals_and_be_empty);
    tcase_add_test(tests, last_of_equal_keys_counts);
    tcase_add_test(tests, nameless_values_are_errors);
    tcase_add_test(tests, bools);
    tcase_add_test(tests, numbers);
    tcase_add_loop_test(tests, sizes_with_suffixes, 0, (int)(sizeof(sizes) / sizeof(sizes[0])));
    tcase_add_test(tests, unused_keys_are_errors_that_name_the_nearest);
    tcase_add_test(tests, json_objects);
    tcase_add_test(tests, lists_and_repeated_keys);
    tcase_add_loop_test(tests, bad_json_is_an_error, 0,
                        (int)(sizeof(bad_json) / sizeof(bad_json[0])));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
