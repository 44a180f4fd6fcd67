/* What the user set in the window: written and read, damaged files, what counts as a choice. */
#include "suite_run.h"
#include "user_file.h"
#include "window_settings.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/reprise-settings-XXXXXX";

static void set_up(void) {
    strcpy(folder, "/tmp/reprise-settings-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("XDG_CONFIG_HOME", folder, 1);
}

static void tear_down(void) {
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *text) {
    char path[USER_FILE_PATH_BYTES];
    UserFile file;
    ck_assert(user_file_find("XDG_CONFIG_HOME", ".config", "window", true, path));
    ck_assert(user_file_begin(&file, path));
    fputs(text, file.file);
    ck_assert(user_file_end(&file));
}

static void check_same(const WindowSettings *a, const WindowSettings *b) {
    ck_assert_int_eq(a->scaling, b->scaling);
    ck_assert_int_eq(a->full_screen, b->full_screen);
    ck_assert_int_eq(a->status_line, b->status_line);
    ck_assert_uint_eq(a->volume, b->volume);
    ck_assert_int_eq(a->muted, b->muted);
    ck_assert_int_eq(a->width, b->width);
    ck_assert_int_eq(a->height, b->height);
}

START_TEST(what_is_written_is_read) {
    WindowSettings written = {DISPLAY_CRT, true, false, 35, true, 1234, 567}, read;
    window_settings_write(&written);
    window_settings_init(&read);
    window_settings_read(&read);
    check_same(&written, &read);
}
END_TEST

START_TEST(what_is_wrong_or_missing_is_left) {
    WindowSettings before, read;
    window_settings_init(&before);
    read = before;
    window_settings_read(&read); /* there is no file */
    check_same(&before, &read);
    write_file(
        "scaling = cubist\nvolume = 101\nvolume = -1\nvolume = 7x\nmuted = perhaps\n"
        "width = 99999999999999999999\nheight =\n= 7\n\n\001\377\nunknown = 5\nfull-screen=on\n"
        "status-line = off");
    window_settings_read(&read);
    before.full_screen = true;
    before.status_line = false;
    check_same(&before, &read);
}
END_TEST

START_TEST(only_choices_are_kept) {
    WindowSettings kept, before, now;
    window_settings_init(&kept);
    kept.volume = 40;
    before = kept;
    before.scaling = DISPLAY_SHARP; /* by the command line */
    now = before;
    ck_assert(!window_settings_take_choices(&kept, &before, &now));
    now.muted = true;
    ck_assert(window_settings_take_choices(&kept, &before, &now));
    ck_assert(kept.muted);
    ck_assert_int_eq(kept.scaling, DISPLAY_SMOOTH);
    ck_assert_uint_eq(kept.volume, 40);
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("settings");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, what_is_written_is_read);
    tcase_add_test(cases, what_is_wrong_or_missing_is_left);
    tcase_add_test(cases, only_choices_are_kept);
    Suite *suite = suite_create("window_settings");
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
