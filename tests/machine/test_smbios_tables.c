/* The SMBIOS structures as a program walks them: lengths, strings, references, the entry point. */
#include "little_endian.h"
#include "smbios_tables.h"
#include "suite_run.h"
#include <check.h>
#include <string.h>

static SmbiosConfig config;
static SmbiosMachine machine;
static ByteBuffer anchor, tables;

static void set_up(void) {
    config = (SmbiosConfig){.has_bios = false};
    machine = (SmbiosMachine){.ram_bytes = 256 << 20,
                              .processor_signature = 0xF24,
                              .processor_features = 0x12345678,
                              .processor_mhz = 1000,
                              .processors = 1,
                              .machine_name = "pc-test"};
}

static void tear_down(void) {
    byte_buffer_free(&anchor);
    byte_buffer_free(&tables);
}

static void build(void) {
    tear_down();
    smbios_tables_build(&config, &machine, &anchor, &tables);
}

/* What follows a structure: past the two zeros that end its strings. */
static const uint8_t *next_structure(const uint8_t *structure) {
    const uint8_t *end = tables.data + tables.size;
    const uint8_t *at = structure + structure[1];
    while (at + 1 < end && (at[0] != 0 || at[1] != 0))
        at++;
    ck_assert(at + 2 <= end);
    return at + 2;
}

static const uint8_t *find(unsigned type) {
    for (const uint8_t *at = tables.data; at < tables.data + tables.size; at = next_structure(at))
        if (at[0] == type)
            return at;
    return NULL;
}

/* The text that the byte at 'offset' refers to. */
static const char *text_of(unsigned type, unsigned offset) {
    const uint8_t *structure = find(type);
    ck_assert_ptr_nonnull(structure);
    ck_assert_uint_lt(offset, structure[1]);
    const char *text = (const char *)structure + structure[1];
    unsigned number = structure[offset];
    if (number == 0)
        return "";
    while (--number > 0)
        text += strlen(text) + 1;
    return text;
}

static uint8_t sum(const uint8_t *bytes, size_t count) {
    uint8_t total = 0;
    for (size_t i = 0; i < count; i++)
        total = (uint8_t)(total + bytes[i]);
    return total;
}

START_TEST(entry_point_counts_and_measures) {
    build();
    ck_assert_uint_eq(anchor.size, 0x1F);
    ck_assert_mem_eq(anchor.data, "_SM_", 4);
    ck_assert_mem_eq(anchor.data + 0x10, "_DMI_", 5);
    ck_assert_uint_eq(sum(anchor.data, 0x1F), 0);
    ck_assert_uint_eq(sum(anchor.data + 0x10, 0x0F), 0);
    unsigned count = 0;
    size_t largest = 0;
    for (const uint8_t *at = tables.data; at < tables.data + tables.size;) {
        const uint8_t *next = next_structure(at);
        if ((size_t)(next - at) > largest)
            largest = (size_t)(next - at);
        count++;
        at = next;
    }
    ck_assert_uint_eq(load_le16(anchor.data + 0x08), largest);
    ck_assert_uint_eq(load_le16(anchor.data + 0x16), tables.size);
    ck_assert_uint_eq(load_le16(anchor.data + 0x1C), count);
}
END_TEST

/* Lengths of version 2.8, chapter 7. */
START_TEST(structures_have_their_lengths) {
    static const uint8_t lengths[][2] = {{0, 24},  {1, 27},  {2, 15},  {3, 22},  {4, 42}, {11, 5},
                                         {16, 23}, {17, 40}, {19, 31}, {32, 11}, {127, 4}};
    config.has_bios = config.has_board = true;
    config.text[SMBIOS_OEM_STRING] = "hello";
    build();
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const uint8_t *structure = find(lengths[i][0]);
        ck_assert_msg(structure != NULL, "no type %u", lengths[i][0]);
        ck_assert_msg(structure[1] == lengths[i][1], "type %u has %u bytes", lengths[i][0],
                      structure[1]);
    }
}
END_TEST

START_TEST(optional_structures_are_left_out) {
    build();
    ck_assert_ptr_null(find(0));
    ck_assert_ptr_null(find(2));
    ck_assert_ptr_null(find(11));
}
END_TEST

START_TEST(texts_are_chosen) {
    build();
    ck_assert_str_eq(text_of(1, 4), "Reprise");
    ck_assert_str_eq(text_of(1, 6), "pc-test");
    ck_assert_str_eq(text_of(1, 7), "");
    ck_assert_str_eq(text_of(4, 4), "CPU 0");
    config.text[SMBIOS_SYSTEM_MANUFACTURER] = "Acme";
    config.text[SMBIOS_SYSTEM_VERSION] = "";
    config.text[SMBIOS_SYSTEM_SERIAL] = "S/N 1";
    config.text[SMBIOS_SYSTEM_FAMILY] = "last";
    build();
    ck_assert_str_eq(text_of(1, 4), "Acme");
    ck_assert_str_eq(text_of(1, 6), "");
    ck_assert_str_eq(text_of(1, 7), "S/N 1");
    ck_assert_str_eq(text_of(1, 26), "last");
    ck_assert_str_eq(text_of(3, 4), "Reprise");
}
END_TEST

START_TEST(uuid_has_little_endian_parts) {
    for (unsigned i = 0; i < 16; i++)
        config.uuid[i] = (uint8_t)i;
    build();
    static const uint8_t expected[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    ck_assert_mem_eq(find(1) + 8, expected, 16);
}
END_TEST

START_TEST(memory_is_told_in_every_size) {
    static const uint64_t megabytes[] = {4, 16, 64, 1024, 3584};
    machine.ram_bytes = megabytes[_i] << 20;
    build();
    ck_assert_uint_eq(load_le32(find(16) + 7), megabytes[_i] << 10);
    ck_assert_uint_eq(load_le16(find(17) + 12), megabytes[_i]);
    ck_assert_uint_eq(load_le32(find(19) + 8), (megabytes[_i] << 10) - 1);
    ck_assert_uint_eq(load_le16(find(17) + 4), load_le16(find(16) + 2));
    ck_assert_uint_eq(load_le32(find(4) + 8), 0xF24);
    ck_assert_uint_eq(load_le16(find(4) + 0x14), 1000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("smbios tables");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, entry_point_counts_and_measures);
    tcase_add_test(tests, structures_have_their_lengths);
    tcase_add_test(tests, optional_structures_are_left_out);
    tcase_add_test(tests, texts_are_chosen);
    tcase_add_test(tests, uuid_has_little_endian_parts);
    tcase_add_loop_test(tests, memory_is_told_in_every_size, 0, 5);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
