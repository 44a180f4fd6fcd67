/* The window's menu without a window: its pages about a real machine, keys, the mouse, what it asks
 * its host for; and the list of images it offers. */
#include "image_shelf.h"
#include "machine_parts.h"
#include "snapshot_of_machine.h"
#include "suite_run.h"
#include "window_menu.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SKIPPED 77
#define FLOPPY_BYTES (1440 * 1024)

static char folder[] = "/tmp/reprise-menu-XXXXXX";
static Machine *machine;
static WindowMenu menu;
static WindowMenuHost host;
static char last_line[PATH_MAX];
static int last_action;

static void keep_line(void *opaque, const char *line) {
    (void)opaque;
    snprintf(last_line, sizeof(last_line), "%s", line);
}

static void keep_action(void *opaque, WindowAction action) {
    (void)opaque;
    last_action = (int)action;
}

static bool is_sharp(void *opaque, WindowAction action) {
    (void)opaque;
    return action == WINDOW_SCALE_SHARP;
}

static void make_image(const char *name, off_t size) {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(ftruncate(fileno(file), size), 0);
    fclose(file);
}

static void set_up(void) {
    MachineConfig config;
    Error error = {.set = false};
    strcpy(folder, "/tmp/reprise-menu-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    setenv("XDG_STATE_HOME", folder, 1);
    make_image("one.img", FLOPPY_BYTES);
    make_image("it's \"two\".img", FLOPPY_BYTES);
    make_image("with space.ima", FLOPPY_BYTES);
    make_image("notes.txt", FLOPPY_BYTES);
    make_image("large.img", 64 << 20);
    machine_config_init(&config);
    config.ram_bytes = MACHINE_RAM_MIN;
    machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    host = (WindowMenuHost){
        .machine = machine, .run_line = keep_line, .act = keep_action, .is_set = is_sharp};
    window_menu_init(&menu, &host);
    last_line[0] = '\0';
    last_action = -1;
}

static void tear_down(void) {
    char command[PATH_MAX + 16];
    window_menu_free(&menu);
    machine_destroy(machine);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static unsigned find_entry(const char *label) {
    for (unsigned i = 0; i < menu.count; i++)
        if (strcmp(menu.entries[i].label, label) == 0)
            return i;
    ck_abort_msg("no entry '%s'", label);
}

static bool has_entry(const char *label) {
    for (unsigned i = 0; i < menu.count; i++)
        if (strcmp(menu.entries[i].label, label) == 0)
            return true;
    return false;
}

/* By keys alone. */
static void choose(const char *label) {
    unsigned wanted = find_entry(label);
    for (unsigned pressed = 0; menu.open[menu.depth - 1].chosen != wanted; pressed++) {
        ck_assert_uint_lt(pressed, menu.count);
        window_menu_press(&menu, MENU_KEY_DOWN);
    }
    window_menu_press(&menu, MENU_KEY_CHOOSE);
}

START_TEST(entries_give_lines_and_actions) {
    window_menu_open(&menu);
    choose("Machine");
    choose("Press the reset button");
    ck_assert_str_eq(last_line, "system_reset");
    ck_assert(!window_menu_is_open(&menu));
    window_menu_open(&menu);
    choose("Save the screen as a picture");
    ck_assert_int_eq(last_action, WINDOW_SCREENSHOT);
}
END_TEST

START_TEST(media_are_those_of_the_drives_kind) {
    char expected[PATH_MAX + 64], real[PATH_MAX];
    ck_assert_ptr_nonnull(realpath(folder, real));
    window_menu_open(&menu);
    choose("Floppies and CDs");
    choose("Floppy A:");
    ck_assert(has_entry("one.img") && !has_entry("notes.txt") && !has_entry("large.img"));
    ck_assert(!has_entry("it's \"two\".img")); /* no word of the monitor can say that */
    choose("with space.ima");
    snprintf(expected, sizeof(expected), "change floppy0 \"%s/with space.ima\"", real);
    ck_assert_str_eq(last_line, expected);
}
END_TEST

START_TEST(a_word_back_closes_page_by_page) {
    window_menu_open(&menu);
    choose("View");
    ck_assert(menu.entries[find_entry("Sharp pixels, whole multiples")].set);
    ck_assert(!menu.entries[find_entry("Smooth pixels")].set);
    window_menu_press(&menu, MENU_KEY_BACK);
    ck_assert(has_entry("Quit"));
    window_menu_press(&menu, MENU_KEY_BACK);
    ck_assert(!window_menu_is_open(&menu));
    window_menu_press(&menu, MENU_KEY_CHOOSE); /* nothing to choose */
    ck_assert_int_eq(last_action, -1);
}
END_TEST

START_TEST(the_speed_that_holds_has_a_tick) {
    window_menu_open(&menu);
    choose("Speed");
    ck_assert(menu.entries[find_entry("Full speed")].set);
    for (unsigned i = 0; i < menu.count; i++)
        ck_assert(!menu.entries[i].set || i == find_entry("Full speed"));
}
END_TEST

/* Notes are passed over by keys and do nothing when clicked. */
START_TEST(a_page_of_notes_does_nothing) {
    window_menu_open(&menu);
    choose("Help");
    unsigned depth = menu.depth;
    window_menu_press(&menu, MENU_KEY_DOWN);
    window_menu_press(&menu, MENU_KEY_CHOOSE);
    ck_assert_uint_eq(menu.depth, depth);
    ck_assert_str_eq(last_line, "");
}
END_TEST

static void draw(TextOverlay *overlay) {
    text_overlay_clear(overlay);
    window_menu_draw(&menu, overlay);
    text_overlay_draw(overlay);
}

START_TEST(the_mouse_chooses_what_it_points_at) {
    TextOverlay overlay;
    if (!text_overlay_init(&overlay, 72, 24, NULL))
        return; /* no firmware here, whose font it is */
    window_menu_open(&menu);
    draw(&overlay);
    unsigned quit = find_entry("Quit");
    int row = (int)(menu.row + 1 + quit), column = (int)menu.column + 4;
    window_menu_point(&menu, column, row);
    ck_assert_uint_eq(menu.open[0].chosen, quit);
    draw(&overlay);
    ck_assert_uint_eq(overlay.cells[row * 72 + column].colour, TEXT_CHOSEN);
    window_menu_click(&menu, column, row);
    ck_assert_int_eq(last_action, WINDOW_QUIT);
    window_menu_open(&menu);
    draw(&overlay);
    window_menu_click(&menu, 0, 0); /* beside it */
    ck_assert(!window_menu_is_open(&menu));
    text_overlay_free(&overlay);
}
END_TEST

/* More images than rows: what is chosen stays in sight, in an overlay however small. */
START_TEST(long_pages_scroll) {
    TextOverlay overlay;
    if (!text_overlay_init(&overlay, 30, 6, NULL))
        return;
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof(name), "disk%02d.img", i);
        make_image(name, FLOPPY_BYTES);
    }
    window_menu_open(&menu);
    choose("Floppies and CDs");
    choose("Floppy A:");
    draw(&overlay);
    for (unsigned i = 0; i < 2 * menu.count; i++) {
        window_menu_press(&menu, i % 5 == 4 ? MENU_KEY_PAGE_DOWN : MENU_KEY_DOWN);
        draw(&overlay);
        unsigned chosen = menu.open[menu.depth - 1].chosen, first = menu.open[menu.depth - 1].first;
        ck_assert(chosen >= first && chosen < first + 4);
    }
    text_overlay_free(&overlay);
}
END_TEST

static void save(const char *name) {
    Error error = {.set = false};
    ck_assert_msg(machine_save_snapshot(machine, name, &error), "%s", error.message);
}

/* What the menu's line would do. */
static void expect_line(const char *line) {
    ck_assert_str_eq(last_line, line);
    ck_assert(!window_menu_is_open(&menu));
    last_line[0] = '\0';
}

START_TEST(snapshots_are_kept_and_deleted_by_name) {
    save("before the \"crash\"");
    save("both ' and \"");
    window_menu_open(&menu);
    choose("Snapshots");
    choose("before the \"crash\"");
    choose("Go back to it");
    expect_line("loadvm 'before the \"crash\"'");
    window_menu_open(&menu);
    choose("Snapshots");
    choose("before the \"crash\"");
    choose("Delete it");
    choose("No, leave it");
    ck_assert(has_entry("Go back to it"));
    choose("Delete it");
    choose("Yes, delete it");
    expect_line("delvm 'before the \"crash\"'");
    window_menu_open(&menu);
    choose("Snapshots");
    choose("both ' and \"");
    choose("Delete it"); /* no word of the monitor can say that name */
    window_menu_press(&menu, MENU_KEY_DOWN);
    window_menu_press(&menu, MENU_KEY_CHOOSE);
    ck_assert_str_eq(last_line, "");
}
END_TEST

START_TEST(a_name_is_typed) {
    save("level 2");
    window_menu_open(&menu);
    window_menu_type(&menu, "nothing takes this");
    choose("Snapshots");
    choose("Keep it under a name");
    ck_assert(window_menu_takes_text(&menu));
    window_menu_press(&menu, MENU_KEY_ERASE);
    window_menu_press(&menu, MENU_KEY_CHOOSE); /* there is no name yet */
    ck_assert_str_eq(last_line, "");
    window_menu_type(&menu, " ");
    window_menu_type(&menu, "level");
    window_menu_type(&menu, " \"2\n'\u00e4");
    ck_assert(has_entry("Name: level 2\u00e4_"));
    ck_assert(has_entry("Keep it"));
    window_menu_press(&menu, MENU_KEY_ERASE);
    ck_assert(has_entry("Name: level 2_"));
    window_menu_type(&menu,
                     "a name that is far too long for a page that has room for sixty-three bytes");
    ck_assert(has_entry("Name: level 2_"));
    choose("Keep it in place of the one there");
    expect_line("savevm \"level 2\"");
}
END_TEST

START_TEST(snapshots_have_pictures) {
    TextOverlay overlay = {.columns = 72, .rows = 24};
    uint8_t font[256 * TEXT_OVERLAY_CELL_HEIGHT] = {0};
    overlay.cells = calloc(72 * 24, sizeof(TextCell));
    overlay.pixels = calloc(72 * 24 * 128, sizeof(uint32_t));
    overlay.font = font;
    save("one");
    window_menu_open(&menu);
    choose("Snapshots");
    window_menu_draw(&menu, &overlay);
    ck_assert_ptr_null(overlay.picture.pixels); /* nothing is chosen that has one */
    choose("one");
    window_menu_draw(&menu, &overlay);
    ck_assert_ptr_nonnull(overlay.picture.pixels);
    ck_assert_uint_eq(overlay.picture.width, SNAPSHOT_PICTURE_WIDTH);
    ck_assert_uint_eq(overlay.picture.height, SNAPSHOT_PICTURE_HEIGHT);
    text_overlay_draw(&overlay);
    unsigned at = overlay.picture.row * 16 * 72 * 8 + overlay.picture.column * 8;
    ck_assert_uint_eq(overlay.pixels[at], 0xFF000000 | overlay.picture.pixels[0]);
    text_overlay_clear(&overlay);
    ck_assert_ptr_null(overlay.picture.pixels);
    window_menu_close(&menu);
    free(overlay.cells);
    free(overlay.pixels);
}
END_TEST

START_TEST(recent_images_come_first) {
    ImageShelf *shelf = calloc(1, sizeof(*shelf));
    image_shelf_note_used("one.img");
    image_shelf_note_used("with space.ima");
    image_shelf_note_used("one.img");
    image_shelf_note_used("missing.img");
    image_shelf_add_recent(shelf);
    ck_assert_uint_eq(shelf->count, 2);
    ck_assert_ptr_nonnull(strstr(shelf->images[0].path, "/one.img"));
    ck_assert(shelf->images[1].recent && shelf->images[1].kind == IMAGE_FLOPPY);
    image_shelf_add_folder(shelf, folder);
    ck_assert_uint_eq(shelf->count, 4); /* each once */
    image_shelf_free(shelf);
    free(shelf);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("window menu");
    TCase *tests = tcase_create("menu");
    Error error = {.set = false};
    MachineConfig config;
    machine_config_init(&config);
    Machine *trial = machine_create(&config, &error);
    if (trial == NULL) {
        printf("skipped: %s\n", error.message);
        return SKIPPED;
    }
    machine_destroy(trial);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, entries_give_lines_and_actions);
    tcase_add_test(tests, media_are_those_of_the_drives_kind);
    tcase_add_test(tests, a_word_back_closes_page_by_page);
    tcase_add_test(tests, the_speed_that_holds_has_a_tick);
    tcase_add_test(tests, a_page_of_notes_does_nothing);
    tcase_add_test(tests, the_mouse_chooses_what_it_points_at);
    tcase_add_test(tests, long_pages_scroll);
    tcase_add_test(tests, snapshots_are_kept_and_deleted_by_name);
    tcase_add_test(tests, a_name_is_typed);
    tcase_add_test(tests, snapshots_have_pictures);
    tcase_add_test(tests, recent_images_come_first);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
