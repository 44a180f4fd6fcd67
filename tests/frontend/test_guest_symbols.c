/* Symbols of ELF files and maps: this program's own, files made here, and damaged ones. */
#include "guest_symbols.h"
#include "suite_run.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/test_guest_symbols_XXXXXX";

static void write_file(const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* A 32-bit file: header, three sections (none, symbols, names), symbols, names. */
typedef struct SmallElf {
    Elf32_Ehdr header;
    Elf32_Shdr sections[3];
    Elf32_Sym symbols[6];
    char names[64];
} SmallElf;

static SmallElf make_small(void) {
    SmallElf elf = {.names = "\0start\0main\0helper\0data\0elsewhere"};
    memcpy(elf.header.e_ident, ELFMAG, SELFMAG);
    elf.header.e_ident[EI_CLASS] = ELFCLASS32;
    elf.header.e_ident[EI_DATA] = ELFDATA2LSB;
    elf.header.e_shoff = offsetof(SmallElf, sections);
    elf.header.e_shentsize = sizeof(Elf32_Shdr);
    elf.header.e_shnum = 3;
    elf.sections[1] = (Elf32_Shdr){.sh_type = SHT_SYMTAB,
                                   .sh_offset = offsetof(SmallElf, symbols),
                                   .sh_size = sizeof(elf.symbols),
                                   .sh_link = 2};
    elf.sections[2] = (Elf32_Shdr){.sh_type = SHT_STRTAB,
                                   .sh_offset = offsetof(SmallElf, names),
                                   .sh_size = sizeof(elf.names)};
    elf.symbols[1] = (Elf32_Sym){
        .st_name = 7, .st_value = 0xC0001000, .st_size = 0x40, .st_info = STT_FUNC, .st_shndx = 1};
    elf.symbols[2] = (Elf32_Sym){
        .st_name = 1, .st_value = 0xC0000000, .st_size = 0, .st_info = STT_NOTYPE, .st_shndx = 1};
    elf.symbols[3] = (Elf32_Sym){
        .st_name = 12, .st_value = 0xC0001040, .st_size = 0x10, .st_info = STT_FUNC, .st_shndx = 1};
    elf.symbols[4] = (Elf32_Sym){
        .st_name = 19, .st_value = 0xC0001020, .st_size = 4, .st_info = STT_OBJECT, .st_shndx = 1};
    elf.symbols[5] =
        (Elf32_Sym){.st_name = 24, .st_value = 0, .st_info = STT_FUNC, .st_shndx = SHN_UNDEF};
    return elf;
}

static void expect_name(const GuestSymbols *symbols, uint64_t address, const char *name) {
    const GuestSymbol *symbol = guest_symbols_find(symbols, address);
    if (name == NULL) {
        ck_assert_ptr_null(symbol);
    } else {
        ck_assert_ptr_nonnull(symbol);
        ck_assert_str_eq(symbol->name, name);
    }
}

START_TEST(functions_are_found_by_address) {
    SmallElf elf = make_small();
    GuestSymbols symbols;
    Error error = {.set = false};
    write_file(&elf, sizeof(elf));
    ck_assert_msg(guest_symbols_read(&symbols, path, &error), "%s", error.message);
    ck_assert_uint_eq(symbols.count, 3);
    expect_name(&symbols, 0xC0000000, "start");
    expect_name(&symbols, 0xC0000FFF, "start"); /* a label without size */
    expect_name(&symbols, 0xC0001000, "main");
    expect_name(&symbols, 0xC0001024, "main"); /* data is no function */
    expect_name(&symbols, 0xC000103F, "main");
    expect_name(&symbols, 0xC0001040, "helper");
    expect_name(&symbols, 0xC0001050, NULL);
    expect_name(&symbols, 0xBFFFFFFF, NULL);
    guest_symbols_free(&symbols);
}
END_TEST

START_TEST(the_64_bit_form_is_read) {
    GuestSymbols symbols;
    Error error = {.set = false};
    ck_assert_msg(guest_symbols_read(&symbols, "/proc/self/exe", &error), "%s", error.message);
    bool found = false;
    for (size_t i = 0; i < symbols.count; i++)
        found |= strcmp(symbols.symbols[i].name, "guest_symbols_find") == 0;
    ck_assert(found);
    guest_symbols_free(&symbols);
}
END_TEST

START_TEST(code_is_what_is_executed) {
    SmallElf elf = make_small();
    GuestSymbols symbols;
    elf.sections[0] = (Elf32_Shdr){.sh_type = SHT_PROGBITS,
                                   .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                                   .sh_addr = 0xC0001000,
                                   .sh_offset = offsetof(SmallElf, names),
                                   .sh_size = 16};
    write_file(&elf, sizeof(elf));
    ck_assert(guest_symbols_read(&symbols, path, NULL));
    ck_assert_uint_eq(symbols.code_count, 1);
    ck_assert_uint_eq(symbols.code[0].address, 0xC0001000);
    ck_assert_uint_eq(symbols.code[0].size, 16);
    ck_assert_mem_eq(symbols.code[0].bytes, elf.names, 16);
    ck_assert(guest_symbols_has_code(&symbols, 0xC000100F));
    ck_assert(!guest_symbols_has_code(&symbols, 0xC0001010));
    guest_symbols_free(&symbols);
}
END_TEST

START_TEST(maps_are_read) {
    static const char *const map = "c0101000 T helper\n"
                                   "c0100000 00000040 t _start\r\n"
                                   "c0102000 D table\n"
                                   "Linker script and memory map\n"
                                   " .text          0xc0100000      0x134 kernel.o\n"
                                   "                0xc0100800                main\n"
                                   "abc U undefined";
    GuestSymbols symbols;
    Error error = {.set = false};
    write_file(map, strlen(map));
    ck_assert_msg(guest_symbols_read(&symbols, path, &error), "%s", error.message);
    ck_assert_uint_eq(symbols.count, 3);
    expect_name(&symbols, 0xC0100000, "_start");
    expect_name(&symbols, 0xC0100900, "main");
    expect_name(&symbols, 0xC0101004, "helper");
    ck_assert_uint_eq(symbols.code_count, 1);
    ck_assert_uint_eq(symbols.code[0].address, 0xC0100000);
    ck_assert_uint_eq(symbols.code[0].size, 0x2000);
    ck_assert_ptr_null(symbols.code[0].bytes);
    guest_symbols_free(&symbols);
}
END_TEST

START_TEST(other_files_are_refused) {
    GuestSymbols symbols;
    Error error = {.set = false};
    write_file("no ELF file", 11);
    ck_assert(!guest_symbols_read(&symbols, path, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "neither an ELF file"));
    write_file("", 0);
    ck_assert(!guest_symbols_read(&symbols, path, NULL));
    ck_assert(!guest_symbols_read(&symbols, "/no/such/file", NULL));
}
END_TEST

/* Under the sanitizers this finds reads outside of the file. */
START_TEST(damaged_files_do_no_harm) {
    SmallElf good = make_small();
    GuestSymbols symbols;
    srand(1);
    for (int round = 0; round < 500; round++) {
        SmallElf bad = good;
        for (int i = 0; i < 4; i++)
            ((uint8_t *)&bad)[rand() % sizeof(bad)] = (uint8_t)(rand() % 4 == 0 ? 0xFF : rand());
        write_file(&bad, round % 3 == 0 ? (size_t)rand() % sizeof(bad) : sizeof(bad));
        if (!guest_symbols_read(&symbols, path, NULL))
            continue;
        for (size_t i = 0; i < symbols.count; i++)
            ck_assert_uint_lt(strlen(symbols.symbols[i].name), sizeof(bad));
        guest_symbols_find(&symbols, 0xC0001010);
        guest_symbols_free(&symbols);
    }
}
END_TEST

int main(void) {
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        return EXIT_FAILURE;
    close(descriptor);
    Suite *suite = suite_create("guest_symbols");
    TCase *tests = tcase_create("guest_symbols");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, functions_are_found_by_address);
    tcase_add_test(tests, the_64_bit_form_is_read);
    tcase_add_test(tests, code_is_what_is_executed);
    tcase_add_test(tests, maps_are_read);
    tcase_add_test(tests, other_files_are_refused);
    tcase_add_test(tests, damaged_files_do_no_harm);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    unlink(path);
    return status;
}
