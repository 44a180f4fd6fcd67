/* A machine in a file: options, comments, names of files beside it, errors with their line. */
#include "command_line.h"
#include "machine_file.h"
#include "suite_run.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/reprise-machine-XXXXXX";
static char path[64];
static Settings settings;
static Error error;

static void set_up(void) {
    strcpy(folder, "/tmp/reprise-machine-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/my.reprise", folder);
    settings_init(&settings);
    error = (Error){.set = false};
}

static void tear_down(void) {
    settings_free(&settings);
    unlink(path);
    rmdir(folder);
}

static bool parse(const char *text, const char *further) {
    char *words[] = {(char *)"reprise", path, (char *)"-m", (char *)further};
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    return command_line_parse(&settings, further != NULL ? 4 : 2, words, &error);
}

static void expect_name(const char *name, const char *expected) {
    char whole[128];
    snprintf(whole, sizeof(whole), "%s/%s", folder, expected);
    ck_assert_str_eq(name, whole);
}

START_TEST(options_are_those_of_the_command_line) {
    ck_assert_msg(
        parse("# a comment\n\n  ; another\nname =  My machine \n m=64\r\ncpu = 486\n"
              "hda = disk.img\ncdrom=/media/cd.iso\nno-hpet\n"
              "drive = if=ide,index=1,file=two,,three.img,format=raw\nhdd = fat:rw:/shared",
              NULL),
        "%s", error.message);
    ck_assert_str_eq(settings.machine.name, "My machine");
    ck_assert_uint_eq(settings.machine.ram_bytes, 64 << 20);
    ck_assert_str_eq(settings.machine.cpu_model, "486");
    ck_assert(!settings.machine.has_hpet);
    expect_name(settings.machine.ide[0].file, "disk.img");
    expect_name(settings.machine.ide[1].file, "two,three.img");
    ck_assert_str_eq(settings.machine.ide[2].file, "/media/cd.iso");
    ck_assert_str_eq(settings.machine.ide[3].file, "fat:rw:/shared");
}
END_TEST

START_TEST(later_words_win) {
    ck_assert_msg(parse("m = 64\n", "32"), "%s", error.message);
    ck_assert_uint_eq(settings.machine.ram_bytes, 32 << 20);
}
END_TEST

static const struct {
    const char *text, *line, *word;
} mistakes[] = {
    {"m = 64\nmemory = 5\n", "my.reprise:2: ", "unknown option 'memory'"},
    {"m\n", "my.reprise:1: ", "SIZE is missing"},
    {"\n\nno-acpi = 1\n", "my.reprise:3: ", "takes no value"},
    {"m = ages\n", "my.reprise:1: m: ", "ages"},
};

START_TEST(mistakes_are_told_with_their_line) {
    ck_assert(!parse(mistakes[_i].text, NULL));
    ck_assert_ptr_nonnull(strstr(error.message, mistakes[_i].line));
    ck_assert_ptr_nonnull(strstr(error.message, mistakes[_i].word));
}
END_TEST

START_TEST(missing_and_endless_files) {
    char *text = calloc(1, 10000);
    ck_assert(!machine_file_read(&settings, "/nowhere/x.reprise", &error));
    ck_assert_ptr_nonnull(strstr(error.message, "/nowhere/x.reprise"));
    error = (Error){.set = false};
    memset(text, 'a', 9999);
    ck_assert(!parse(text, NULL));
    ck_assert_ptr_nonnull(strstr(error.message, "too long"));
    free(text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("machine file");
    TCase *tests = tcase_create("files");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, options_are_those_of_the_command_line);
    tcase_add_test(tests, later_words_win);
    tcase_add_loop_test(tests, mistakes_are_told_with_their_line, 0,
                        sizeof(mistakes) / sizeof(mistakes[0]));
    tcase_add_test(tests, missing_and_endless_files);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
