#define _GNU_SOURCE
/* The ACPI tables, put together as a firmware would by the loader's script: checksums, pointers,
 * lengths, and whether ACPICA's disassembler and compiler agree with our AML. */
#include "acpi_aml.h"
#include "acpi_tables.h"
#include "little_endian.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the firmware of this test puts the two files. */
#define RSDP_ADDRESS 0xF5AC0u
#define TABLES_ADDRESS 0x7FE1000u

static AcpiFiles files;
static MachineConfig config;

static uint8_t sum(const uint8_t *bytes, size_t count) {
    uint8_t total = 0;
    for (size_t i = 0; i < count; i++)
        total = (uint8_t)(total + bytes[i]);
    return total;
}

static ByteBuffer *find_file(const uint8_t *name) {
    if (strcmp((const char *)name, "etc/acpi/rsdp") == 0)
        return &files.rsdp;
    ck_assert_str_eq((const char *)name, "etc/acpi/tables");
    return &files.tables;
}

static void run_command(const uint8_t *command) {
    ByteBuffer *file = find_file(command + 4);
    uint32_t offset, value;
    switch (load_le32(command)) {
    case 1:
        ck_assert_uint_eq(load_le32(command + 60) & (load_le32(command + 60) - 1), 0);
        ck_assert_uint_eq(command[64], file == &files.rsdp ? 2 : 1);
        break;
    case 2:
        offset = load_le32(command + 116);
        ck_assert_uint_eq(command[120], 4);
        ck_assert_ptr_eq(find_file(command + 60), &files.tables);
        ck_assert_uint_le(offset + 4, file->size);
        value = load_le32(file->data + offset);
        ck_assert_uint_lt(value, files.tables.size);
        store_le32(file->data + offset, value + TABLES_ADDRESS);
        break;
    case 3:
        offset = load_le32(command + 60);
        ck_assert_uint_le(load_le32(command + 64) + load_le32(command + 68), file->size);
        ck_assert_uint_eq(file->data[offset], 0);
        file->data[offset] =
            (uint8_t)-sum(file->data + load_le32(command + 64), load_le32(command + 68));
        break;
    default:
        ck_abort_msg("command %u", load_le32(command));
    }
}

static void build(void) {
    acpi_tables_build(&config, true, &files);
    ck_assert_uint_eq(files.loader.size % 128, 0);
    for (size_t at = 0; at < files.loader.size; at += 128)
        run_command(files.loader.data + at);
}

static void set_up(void) {
    machine_config_init(&config);
    config.has_hpet = true;
    config.has_serial[0] = config.has_serial[3] = config.has_parallel[0] = true;
    build();
}

static void tear_down(void) {
    acpi_files_free(&files);
}

static const uint8_t *at_address(uint32_t address) {
    ck_assert_uint_ge(address, TABLES_ADDRESS);
    ck_assert_uint_lt(address - TABLES_ADDRESS, files.tables.size);
    return files.tables.data + (address - TABLES_ADDRESS);
}

/* The table of a signature, found from the RSDP on; NULL if the RSDT does not list it. */
static const uint8_t *find_table(const char *signature) {
    const uint8_t *rsdt = at_address(load_le32(files.rsdp.data + 16));
    for (uint32_t at = 36; at < load_le32(rsdt + 4); at += 4) {
        const uint8_t *table = at_address(load_le32(rsdt + at));
        if (memcmp(table, signature, 4) == 0)
            return table;
    }
    return NULL;
}

static const uint8_t *dsdt(void) {
    return at_address(load_le32(find_table("FACP") + 40));
}

START_TEST(checksums_are_right) {
    static const char *const signatures[] = {"FACP", "APIC", "HPET", "WAET"};
    ck_assert_uint_eq(files.rsdp.size, 20);
    ck_assert_mem_eq(files.rsdp.data, "RSD PTR ", 8);
    ck_assert_uint_eq(sum(files.rsdp.data, 20), 0);
    const uint8_t *rsdt = at_address(load_le32(files.rsdp.data + 16));
    ck_assert_mem_eq(rsdt, "RSDT", 4);
    ck_assert_uint_eq(sum(rsdt, load_le32(rsdt + 4)), 0);
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
        const uint8_t *table = find_table(signatures[i]);
        ck_assert_msg(table != NULL, "no %s", signatures[i]);
        ck_assert_uint_eq(sum(table, load_le32(table + 4)), 0);
    }
    ck_assert_mem_eq(dsdt(), "DSDT", 4);
    ck_assert_uint_eq(sum(dsdt(), load_le32(dsdt() + 4)), 0);
}
END_TEST

START_TEST(fixed_registers_are_where_the_chips_are) {
    const uint8_t *fadt = find_table("FACP");
    ck_assert_uint_eq(load_le32(fadt + 4), 116);
    ck_assert_uint_eq(fadt[8], 1);
    uint32_t facs = load_le32(fadt + 36);
    ck_assert_uint_eq(facs % 64, TABLES_ADDRESS % 64);
    ck_assert_mem_eq(at_address(facs), "FACS", 4);
    ck_assert_uint_eq(load_le32(at_address(facs) + 4), 64);
    ck_assert_uint_eq(load_le16(fadt + 46), 9);
    ck_assert_uint_eq(load_le32(fadt + 48), 0xB2);
    ck_assert_uint_eq(load_le32(fadt + 56), 0x600);
    ck_assert_uint_eq(load_le32(fadt + 64), 0x604);
    ck_assert_uint_eq(load_le32(fadt + 76), 0x608);
    ck_assert_uint_eq(load_le32(fadt + 80), 0xAFE0);
    ck_assert_uint_eq(load_le32(fadt + 112) & 1 << 4, 0); /* the power button is a fixed one */
}
END_TEST

/* Entries add up, the timer is on pin 2, and the SCI is level-triggered. */
START_TEST(interrupts_are_described) {
    const uint8_t *madt = find_table("APIC");
    unsigned kinds[8] = {0};
    bool timer_moved = false, sci_is_level = false;
    uint32_t at = 44;
    for (; at < load_le32(madt + 4); at += madt[at + 1]) {
        const uint8_t *entry = madt + at;
        ck_assert_uint_lt(entry[0], 8);
        kinds[entry[0]]++;
        if (entry[0] == 2 && entry[3] == 0)
            timer_moved = load_le32(entry + 4) == 2 && load_le16(entry + 8) == 0;
        if (entry[0] == 2 && entry[3] == 9)
            sci_is_level = load_le32(entry + 4) == 9 && load_le16(entry + 8) >> 2 == 3;
    }
    ck_assert_uint_eq(at, load_le32(madt + 4));
    ck_assert_uint_eq(kinds[0], 1);
    ck_assert_uint_eq(kinds[1], 1);
    ck_assert_uint_eq(kinds[4], 1);
    ck_assert(timer_moved);
    ck_assert(sci_is_level);
}
END_TEST

START_TEST(what_is_not_there_is_not_told) {
    acpi_files_free(&files);
    config.has_hpet = false;
    acpi_tables_build(&config, false, &files);
    for (size_t at = 0; at < files.loader.size; at += 128)
        run_command(files.loader.data + at);
    ck_assert_ptr_null(find_table("HPET"));
    ck_assert_ptr_null(find_table("APIC"));
    ck_assert_ptr_null(memmem(dsdt(), load_le32(dsdt() + 4), "HPET", 4));
    ck_assert_ptr_nonnull(memmem(dsdt(), load_le32(dsdt() + 4), "COM4", 4));
    ck_assert_ptr_null(memmem(dsdt(), load_le32(dsdt() + 4), "COM2", 4));
}
END_TEST

/* The examples of the specification: 20.2.4 for lengths, 20.2.2 for names, EISAID("PNP0501"). */
START_TEST(aml_is_encoded_as_specified) {
    Aml aml = {.depth = 0};
    aml_path(&aml, "\\_SB.PCI0.S");
    aml_path(&aml, "^AB");
    aml_path(&aml, "A.B");
    static const uint8_t paths[] = "\\/\x03_SB_PCI0S___^AB__.A___B___";
    ck_assert_mem_eq(aml.code.data, paths, sizeof(paths) - 1);
    aml.code.size = 0;
    aml_eisa_id(&aml, "PNP0501");
    ck_assert_mem_eq(aml.code.data, "\x0C\x41\xD0\x05\x01", 5);
    for (unsigned size = 0; size < 70000; size = size * 3 + 59) {
        aml.code.size = 0;
        aml_begin_scope(&aml, "\\");
        for (unsigned i = 0; i < size; i++)
            aml_byte(&aml, 0xA3);
        aml_end(&aml);
        uint8_t lead = aml.code.data[1];
        unsigned further = lead >> 6, length = further ? lead & 0xF : lead & 0x3F;
        for (unsigned i = 0; i < further; i++)
            length |= (unsigned)aml.code.data[2 + i] << (4 + 8 * i);
        ck_assert_uint_eq(length, aml.code.size - 1);
        ck_assert_uint_eq(aml.code.size, 1 + 1 + further + 2 + size);
    }
    byte_buffer_free(&aml.code);
}
END_TEST

static void write_table(const char *folder, const char *name, const uint8_t *table) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(table, 1, load_le32(table + 4), file), load_le32(table + 4));
    fclose(file);
}

static int run(const char *folder, const char *command) {
    char line[256];
    snprintf(line, sizeof(line), "cd %s && { %s; } >log 2>&1", folder, command);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Needs iasl; without it the other tests are all there is. */
START_TEST(acpica_understands_every_table) {
    static const char *const signatures[] = {"FACP", "APIC", "HPET", "WAET"};
    char folder[] = "/tmp/acpi-tables-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    if (run(folder, "command -v iasl") == 0) {
        write_table(folder, "DSDT.dat", dsdt());
        for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
            char name[16];
            snprintf(name, sizeof(name), "%s.dat", signatures[i]);
            write_table(folder, name, find_table(signatures[i]));
        }
        ck_assert_int_eq(run(folder, "iasl -d *.dat && ! grep -i error log"), 0);
        ck_assert_int_eq(run(folder, "iasl -ve DSDT.dsl && grep -q '0 Errors' log"), 0);
    }
    char remove_folder[64];
    snprintf(remove_folder, sizeof(remove_folder), "rm -r %s", folder);
    ck_assert_int_eq(system(remove_folder), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("acpi tables");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, checksums_are_right);
    tcase_add_test(tests, fixed_registers_are_where_the_chips_are);
    tcase_add_test(tests, interrupts_are_described);
    tcase_add_test(tests, what_is_not_there_is_not_told);
    tcase_add_test(tests, aml_is_encoded_as_specified);
    tcase_add_test(tests, acpica_understands_every_table);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
