/* Field tables: what they save, load, hash and compare, and the walk that finds what they forget.
 */
#include "field.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

typedef struct PartState {
    uint16_t count;
    uint8_t mode;
    uint8_t padding;
} PartState;

typedef struct ChipState {
    uint64_t due_ns;
    uint32_t address[3];
    PartState part[2];
    PartState single;
    uint8_t latch;
    bool enabled;
    uint16_t reload;
    uint8_t buffer[19];
    uint8_t padding;
} ChipState;

static const Field part_rows[] = {
    FIELD(PartState, U16, count),
    FIELD(PartState, U8, mode),
    FIELD_PADDING(PartState, padding),
    FIELD_END,
};
static const FieldTable part_fields = {"part", 3, sizeof(PartState), part_rows};

static const Field chip_rows[] = {
    FIELD(ChipState, U64, due_ns),
    FIELD_ARRAY(ChipState, U32, address),
    FIELD_STRUCTS(ChipState, part, &part_fields),
    FIELD_ONE_STRUCT(ChipState, single, &part_fields),
    FIELD(ChipState, U8, latch),
    FIELD(ChipState, U8, enabled),
    FIELD(ChipState, U16, reload),
    FIELD_BYTES_OF(ChipState, buffer),
    FIELD_PADDING(ChipState, padding),
    FIELD_END,
};
static const FieldTable chip_fields = {"chip", 7, sizeof(ChipState), chip_rows};

static ChipState make_chip(void) {
    ChipState chip = {
        .due_ns = 0x0102030405060708,
        .address = {0x11223344, 0x55667788, 0x99AABBCC},
        .part = {{0x1234, 5, 0}, {0x4321, 6, 0}},
        .single = {9, 8, 0},
        .latch = 0xEE,
        .enabled = true,
        .reload = 0xBEEF,
    };
    memset(chip.buffer, 0xA5, sizeof chip.buffer);
    return chip;
}

START_TEST(complete_table_has_no_gap) {
    ck_assert_int_eq(field_table_find_gap(&chip_fields), -1);
    ck_assert_int_eq(field_table_find_gap(&part_fields), -1);
}
END_TEST

/* The table without its row number 'index'. */
static int64_t gap_without(int index) {
    Field rows[sizeof chip_rows / sizeof chip_rows[0]];
    int count = 0;
    for (int i = 0; i < (int)(sizeof chip_rows / sizeof chip_rows[0]); i++)
        if (i != index)
            rows[count++] = chip_rows[i];
    FieldTable table = chip_fields;
    table.fields = rows;
    return field_table_find_gap(&table);
}

START_TEST(every_missing_row_is_found) {
    for (int i = 0; chip_rows[i].name != NULL; i++)
        ck_assert_int_eq(gap_without(i), chip_rows[i].offset);
}
END_TEST

START_TEST(wrong_rows_are_found) {
    Field rows[sizeof chip_rows / sizeof chip_rows[0]];
    FieldTable table = chip_fields;
    table.fields = rows;
    memcpy(rows, chip_rows, sizeof rows);
    rows[6].type = FIELD_U64; /* of another size than the member */
    ck_assert_int_eq(field_table_find_gap(&table), offsetof(ChipState, reload));
    memcpy(rows, chip_rows, sizeof rows);
    rows[5].offset = rows[4].offset; /* one byte twice */
    ck_assert_int_eq(field_table_find_gap(&table), offsetof(ChipState, latch));
    memcpy(rows, chip_rows, sizeof rows);
    rows[7].element_size += 100; /* past the end */
    ck_assert_int_eq(field_table_find_gap(&table), offsetof(ChipState, buffer));
    const Field holed[] = {FIELD(PartState, U16, count), FIELD_PADDING(PartState, padding),
                           FIELD_END};
    const FieldTable holed_fields = {"part", 3, sizeof(PartState), holed};
    memcpy(rows, chip_rows, sizeof rows);
    rows[2].table = &holed_fields;
    ck_assert_int_eq(field_table_find_gap(&table),
                     offsetof(ChipState, part) + offsetof(PartState, mode));
}
END_TEST

START_TEST(saved_bytes_are_little_endian) {
    ChipState chip = make_chip();
    ByteBuffer buffer = {0};
    field_table_save(&chip_fields, &chip, &buffer);
    const uint8_t head[] = {4, 0, 'c', 'h', 'i',  'p',  7,    0,    0,    0,    8,    7,    6,   5,
                            4, 3, 2,   1,   0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, 0xCC};
    ck_assert_uint_ge(buffer.size, sizeof head);
    ck_assert_mem_eq(buffer.data, head, sizeof head);
    byte_buffer_free(&buffer);
}
END_TEST

START_TEST(load_brings_everything_back) {
    ChipState chip = make_chip(), loaded;
    chip.padding = 0x77; /* never travels */
    memset(&loaded, 0xFF, sizeof loaded);
    ByteBuffer buffer = {0};
    field_table_save(&chip_fields, &chip, &buffer);
    ByteReader reader = {.data = buffer.data, .size = buffer.size};
    Error error = {0};
    ck_assert(field_table_load(&chip_fields, &loaded, &reader, &error));
    ck_assert_uint_eq(reader.position, reader.size);
    chip.padding = 0;
    ck_assert_mem_eq(&loaded, &chip, sizeof chip);
    byte_buffer_free(&buffer);
}
END_TEST

START_TEST(cut_state_leaves_the_device_alone) {
    ChipState chip = make_chip();
    ByteBuffer buffer = {0};
    field_table_save(&chip_fields, &chip, &buffer);
    for (size_t size = 0; size < buffer.size; size++) {
        ChipState untouched, before;
        memset(&untouched, 0x3C, sizeof untouched);
        before = untouched;
        ByteReader reader = {.data = buffer.data, .size = size};
        Error error = {0};
        ck_assert(!field_table_load(&chip_fields, &untouched, &reader, &error));
        ck_assert(error.set && error.message[0] != 0);
        ck_assert_mem_eq(&untouched, &before, sizeof before);
    }
    byte_buffer_free(&buffer);
}
END_TEST

static void expect_refused(const FieldTable *table, const char *words) {
    ChipState chip = make_chip(), other = {0};
    ByteBuffer buffer = {0};
    field_table_save(&chip_fields, &chip, &buffer);
    ByteReader reader = {.data = buffer.data, .size = buffer.size};
    Error error = {0};
    ck_assert(!field_table_load(table, &other, &reader, &error));
    ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message);
    byte_buffer_free(&buffer);
}

START_TEST(another_version_or_name_is_refused) {
    FieldTable table = chip_fields;
    table.version = 8;
    expect_refused(&table, "version 7, not 8");
    table = chip_fields;
    table.name = "clip";
    expect_refused(&table, "chip, not of clip");
    FieldTable newer_part = part_fields;
    newer_part.version = 4;
    Field rows[sizeof chip_rows / sizeof chip_rows[0]];
    memcpy(rows, chip_rows, sizeof rows);
    rows[2].table = &newer_part;
    table = chip_fields;
    table.fields = rows;
    expect_refused(&table, "part has version 3, not 4");
}
END_TEST

START_TEST(hash_and_diff_see_every_byte) {
    const ChipState chip = make_chip();
    uint64_t hash = field_table_hash(&chip_fields, &chip);
    char text[128];
    ck_assert(!field_table_diff(&chip_fields, &chip, &chip, text, sizeof text));
    for (size_t i = 0; i < sizeof chip; i++) {
        ChipState changed = chip;
        ((uint8_t *)&changed)[i] ^= 0x10;
        bool padding = i == offsetof(ChipState, padding) ||
                       i == offsetof(ChipState, part) + offsetof(PartState, padding) ||
                       i == offsetof(ChipState, part[1]) + offsetof(PartState, padding) ||
                       i == offsetof(ChipState, single) + offsetof(PartState, padding);
        ck_assert((field_table_hash(&chip_fields, &changed) == hash) == padding);
        ck_assert(field_table_diff(&chip_fields, &chip, &changed, text, sizeof text) == !padding);
    }
}
END_TEST

static void expect_diff(const ChipState *changed, const char *expected) {
    const ChipState chip = make_chip();
    char text[128];
    ck_assert(field_table_diff(&chip_fields, &chip, changed, text, sizeof text));
    ck_assert_str_eq(text, expected);
}

START_TEST(diff_names_the_field) {
    ChipState changed = make_chip();
    changed.part[1].count = 0x4322;
    expect_diff(&changed, "part[1].count: 0x4321 != 0x4322");
    changed = make_chip();
    changed.single.mode = 1;
    expect_diff(&changed, "single.mode: 0x8 != 0x1");
    changed = make_chip();
    changed.buffer[18] = 0;
    expect_diff(&changed, "buffer[18]: 0xa5 != 0x0");
    changed = make_chip();
    changed.address[2] = 0;
    expect_diff(&changed, "address[2]: 0x99aabbcc != 0x0");
    changed = make_chip();
    changed.enabled = false;
    expect_diff(&changed, "enabled: 0x1 != 0x0");
}
END_TEST

START_TEST(print_shows_all_fields) {
    ChipState chip = make_chip();
    ByteBuffer text = {0};
    field_table_print(&chip_fields, &chip, &text);
    const char *printed = (const char *)text.data;
    ck_assert_msg(strstr(printed, "due_ns = 0x102030405060708\n") == printed, "%s", printed);
    ck_assert_ptr_nonnull(strstr(printed, "address = 0x11223344 0x55667788 0x99aabbcc\n"));
    ck_assert_ptr_nonnull(strstr(printed, "part[0].count = 0x1234\n"));
    ck_assert_ptr_nonnull(strstr(printed, "single.mode = 0x8\n"));
    ck_assert_ptr_nonnull(strstr(printed, "buffer = 19 bytes, hash "));
    ck_assert_ptr_null(strstr(printed, "padding"));
    byte_buffer_free(&text);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("field");
    tcase_add_test(tests, complete_table_has_no_gap);
    tcase_add_test(tests, every_missing_row_is_found);
    tcase_add_test(tests, wrong_rows_are_found);
    tcase_add_test(tests, saved_bytes_are_little_endian);
    tcase_add_test(tests, load_brings_everything_back);
    tcase_add_test(tests, cut_state_leaves_the_device_alone);
    tcase_add_test(tests, another_version_or_name_is_refused);
    tcase_add_test(tests, hash_and_diff_see_every_byte);
    tcase_add_test(tests, diff_names_the_field);
    tcase_add_test(tests, print_shows_all_fields);
    Suite *suite = suite_create("field");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
