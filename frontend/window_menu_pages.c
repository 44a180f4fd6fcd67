/* The pages of the window's menu: tables, and lists of what there is now. */
#include "allocate.h"
#include "machine_parts.h"
#include "version.h"
#include "window_menu_internal.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct PageRow {
    const char *label, *hint;
    int kind, value;
    const char *line;
} PageRow;

#define LINE(label, line)                                                                          \
    { label, NULL, MENU_LINE, 0, line }
#define ACTION(label, hint, action)                                                                \
    { label, hint, MENU_ACTION, action, NULL }
#define PAGE(label, page)                                                                          \
    { label, "\u25ba", MENU_PAGE, page, NULL }
#define NOTE(label, hint)                                                                          \
    { label, hint, MENU_NOTE, 0, NULL }
#define END                                                                                        \
    { NULL, NULL, 0, 0, NULL }

// clang-format off
static const PageRow main_rows[] = {
    PAGE("Floppies and CDs", WINDOW_MENU_DRIVES),
    PAGE("Snapshots", WINDOW_MENU_SNAPSHOTS),
    PAGE("Machine", WINDOW_MENU_MACHINE),
    PAGE("Speed", WINDOW_MENU_SPEED),
    PAGE("Press keys", WINDOW_MENU_KEYS),
    PAGE("View", WINDOW_MENU_VIEW),
    PAGE("Sound", WINDOW_MENU_SOUND),
    ACTION("Paste as typing", "Ctrl-Alt-V", WINDOW_PASTE),
    ACTION("Save the screen as a picture", "Ctrl-Alt-S", WINDOW_SCREENSHOT),
    ACTION("Record screen and sound", NULL, WINDOW_RECORD),
    PAGE("Help", WINDOW_MENU_HELP),
    ACTION("Quit", NULL, WINDOW_QUIT),
    END};

static const PageRow machine_rows[] = {
    LINE("Pause", "stop"), LINE("Go on", "cont"), LINE("Press the power button", "system_powerdown"),
    LINE("Wake up", "system_wakeup"), LINE("Press the reset button", "system_reset"), END};

static const PageRow speed_rows[] = {
    {"Slower", "Ctrl-Alt -", MENU_LINE, 0, "speed slower"}, {"Faster", "Ctrl-Alt +", MENU_LINE, 0, "speed faster"},
    {"Turbo", "Ctrl-Alt-T", MENU_LINE, 0, "speed turbo"}, {"Full speed", NULL, MENU_LINE, 0, "speed full"},
    {"8088 at 4.77 MHz", "0.3 MIPS", MENU_LINE, 0, "speed 0.3"}, {"286 at 12 MHz", "2 MIPS", MENU_LINE, 0, "speed 2"},
    {"386 at 33 MHz", "6 MIPS", MENU_LINE, 0, "speed 6"}, {"486 at 66 MHz", "25 MIPS", MENU_LINE, 0, "speed 25"},
    {"Pentium at 100 MHz", "100 MIPS", MENU_LINE, 0, "speed 100"}, END};

static const PageRow key_rows[] = {
    LINE("Ctrl-Alt-Del", "sendkey ctrl-alt-delete"), LINE("Ctrl-Alt-Backspace", "sendkey ctrl-alt-backspace"),
    LINE("Ctrl-Esc", "sendkey ctrl-esc"), LINE("Alt-Tab", "sendkey alt-tab"), LINE("Alt-F4", "sendkey alt-f4"),
    LINE("Ctrl-Alt-F1", "sendkey ctrl-alt-f1"), LINE("Ctrl-Alt-F2", "sendkey ctrl-alt-f2"),
    LINE("Print", "sendkey print"), LINE("Pause", "sendkey pause"), LINE("Ctrl-Break", "sendkey ctrl-pause"),
    LINE("Left Windows key", "sendkey meta_l"), END};

static const PageRow view_rows[] = {
    ACTION("Full screen", "Ctrl-Alt-F", WINDOW_FULL_SCREEN),
    ACTION("Give the mouse to the guest", "Ctrl-Alt-G", WINDOW_GRAB),
    ACTION("Status line", NULL, WINDOW_STATUS_LINE),
    ACTION("Smooth pixels", NULL, WINDOW_SCALE_SMOOTH),
    ACTION("Sharp pixels, whole multiples", NULL, WINDOW_SCALE_SHARP),
    ACTION("As on a tube", NULL, WINDOW_SCALE_CRT),
    ACTION("Size as the guest has it", NULL, WINDOW_SIZE_FREE), END};

static const PageRow sound_rows[] = {
    {"Louder", NULL, MENU_STEP, WINDOW_LOUDER, NULL}, {"Quieter", NULL, MENU_STEP, WINDOW_QUIETER, NULL},
    {"Mute", NULL, MENU_STEP, WINDOW_MUTE, NULL}, END};

static const PageRow help_rows[] = {
    NOTE("This menu", "Ctrl-Alt-M, or a right click"), NOTE("Give the mouse to the guest", "a click, Ctrl-Alt-G"),
    NOTE("Take it back", "Ctrl-Alt-G"), NOTE("Full screen and back", "Ctrl-Alt-F"),
    NOTE("Save the screen as a picture", "Ctrl-Alt-S"), NOTE("Paste as typing", "Ctrl-Alt-V"),
    NOTE("Slower, faster, turbo", "Ctrl-Alt and - + T"), NOTE("Change a floppy or a CD", "drop its image here"),
    NOTE("", NULL), NOTE("All options: reprise -help. More: the manual page reprise(1).", NULL),
    NOTE("This is Reprise " REPRISE_VERSION ".", NULL), END};
// clang-format on

static char *copy_of(const char *text) {
    return text != NULL ? strdup(text) : NULL;
}

MenuEntry *window_menu_add_entry(WindowMenu *menu, int kind, const char *label, const char *hint) {
    menu->entries =
        allocate_grow(menu->entries, &menu->capacity, menu->count + 1, sizeof(MenuEntry));
    MenuEntry *entry = &menu->entries[menu->count++];
    *entry = (MenuEntry){.kind = kind, .label = copy_of(label), .hint = copy_of(hint)};
    return entry;
}

/* Does this line set what the processor's speed is now? */
static bool is_speed(const WindowMenu *menu, const char *line) {
    static const char verb[] = "speed ";
    if (line == NULL || menu->host->machine == NULL || strncmp(line, verb, strlen(verb)) != 0)
        return false;
    char *end;
    const char *value = line + strlen(verb);
    double mips = strtod(value, &end);
    bool is_full = strcmp(value, "full") == 0;
    return (is_full || end != value) &&
           machine_speed(menu->host->machine) == (uint64_t)(mips * 1e6 + 0.5);
}

static void add_rows(WindowMenu *menu, const PageRow *row) {
    const WindowMenuHost *host = menu->host;
    for (; row->label != NULL; row++) {
        MenuEntry *entry = window_menu_add_entry(menu, row->kind, row->label, row->hint);
        entry->value = row->value;
        entry->line = copy_of(row->line);
        entry->set = (row->kind == MENU_ACTION || row->kind == MENU_STEP)
                         ? host->is_set(host->opaque, (WindowAction)row->value)
                         : is_speed(menu, row->line);
    }
}

/* ---- Drives and what goes into them ---- */

typedef struct DriveList {
    const Board *board;
    struct {
        char id[32], path[PATH_MAX];
        bool is_floppy;
    } drives[BOARD_DRIVES];
    unsigned count;
} DriveList;

/* On the machine's thread. */
static void list_drives(void *opaque) {
    DriveList *list = opaque;
    for (unsigned i = 0; i < BOARD_DRIVES; i++) {
        const BoardDrive *drive = &list->board->drive[i];
        if (!drive->present || (!drive->is_floppy && !drive->is_cd))
            continue;
        const char *path = drive->medium != NULL ? block_path(drive->medium) : NULL;
        snprintf(list->drives[list->count].id, sizeof(drive->id), "%s", drive->id);
        snprintf(list->drives[list->count].path, PATH_MAX, "%s", path != NULL ? path : "");
        list->drives[list->count++].is_floppy = drive->is_floppy;
    }
}

static DriveList *get_drives(const WindowMenu *menu) {
    DriveList *list = calloc(1, sizeof(*list));
    list->board = &menu->host->machine->board;
    machine_call(menu->host->machine, list_drives, list);
    return list;
}

/* "Floppy A:", as guests and people call it, or "CD ide1-cd0". */
static void print_drive(char *name, size_t size, const char *id) {
    if (strcmp(id, "floppy0") == 0 || strcmp(id, "floppy1") == 0)
        snprintf(name, size, "Floppy %c:", id[6] == '0' ? 'A' : 'B');
    else
        snprintf(name, size, "CD %s", id);
}

static void fill_drives(WindowMenu *menu, const char *subject) {
    DriveList *list = get_drives(menu);
    (void)subject;
    for (unsigned i = 0; i < list->count; i++) {
        char label[64];
        bool full = list->drives[i].path[0] != '\0';
        print_drive(label, sizeof(label), list->drives[i].id);
        MenuEntry *entry = window_menu_add_entry(menu, MENU_PAGE, label,
                                                 full ? basename(list->drives[i].path) : "empty");
        entry->value = WINDOW_MENU_MEDIA;
        entry->subject = strdup(list->drives[i].id);
    }
    if (list->count == 0)
        window_menu_add_entry(menu, MENU_NOTE, "This machine has no drive for floppies or CDs.",
                              NULL);
    free(list);
}

bool window_menu_print_change(char *line, size_t size, const char *drive, const char *path) {
    char quote = strchr(path, '"') == NULL ? '"' : '\'';
    return strchr(path, quote) == NULL &&
           snprintf(line, size, "change %s %c%s%c", drive, quote, path, quote) < (int)size;
}

static void add_images(WindowMenu *menu, const ImageShelf *shelf, const char *drive,
                       ImageKind kind) {
    char line[PATH_MAX + 64];
    for (size_t i = 0; i < shelf->count; i++) {
        const ShelfImage *image = &shelf->images[i];
        if (image->kind != kind ||
            !window_menu_print_change(line, sizeof(line), drive, image->path))
            continue;
        const char *slash = strrchr(image->path, '/');
        MenuEntry *entry =
            window_menu_add_entry(menu, MENU_LINE, slash != NULL ? slash + 1 : image->path,
                                  image->recent ? "used lately" : NULL);
        entry->line = strdup(line);
    }
}

/* The folders to look into: where the media lie that are in the drives, and the current one. */
static void fill_shelf(ImageShelf *shelf, DriveList *list) {
    image_shelf_add_recent(shelf);
    for (unsigned i = 0; i < list->count; i++) {
        char *slash = strrchr(list->drives[i].path, '/');
        if (slash == NULL)
            continue;
        *slash = '\0';
        image_shelf_add_folder(shelf, list->drives[i].path);
    }
    image_shelf_add_folder(shelf, ".");
}

static void fill_media(WindowMenu *menu, const char *drive) {
    DriveList *list = get_drives(menu);
    ImageShelf *shelf = calloc(1, sizeof(*shelf));
    char line[64];
    fill_shelf(shelf, list);
    snprintf(line, sizeof(line), "eject %s", drive);
    for (unsigned i = 0; i < list->count; i++) {
        if (strcmp(list->drives[i].id, drive) != 0)
            continue;
        if (list->drives[i].path[0] != '\0')
            window_menu_add_entry(menu, MENU_LINE, "Take it out", NULL)->line = strdup(line);
        add_images(menu, shelf, drive, list->drives[i].is_floppy ? IMAGE_FLOPPY : IMAGE_CD);
    }
    window_menu_add_entry(menu, MENU_NOTE, "Or drop an image on the window.", NULL);
    image_shelf_free(shelf);
    free(shelf);
    free(list);
}

/* ---- Sound ---- */

static void fill_sound(WindowMenu *menu, const char *subject) {
    char label[40];
    (void)subject;
    if (menu->host->volume != NULL) {
        snprintf(label, sizeof(label), "Volume %u %%", menu->host->volume(menu->host->opaque));
        window_menu_add_entry(menu, MENU_NOTE, label, NULL);
    }
    add_rows(menu, sound_rows);
}

/* ---- What can be started ---- */

static const char *name_kind(ImageKind kind, bool recent) {
    static const char *const names[] = {[IMAGE_FLOPPY] = "floppy",
                                        [IMAGE_DISK] = "disk",
                                        [IMAGE_CD] = "CD",
                                        [IMAGE_KERNEL] = "kernel",
                                        [IMAGE_MACHINE] = "machine"};
    return recent ? "used lately" : names[kind];
}

static void fill_start(WindowMenu *menu, const char *subject) {
    ImageShelf *shelf = calloc(1, sizeof(*shelf));
    const char *home = getenv("HOME");
    (void)subject;
    image_shelf_add_recent(shelf);
    image_shelf_add_folder(shelf, ".");
    if (home != NULL)
        image_shelf_add_folder(shelf, home);
    for (size_t i = 0; i < shelf->count; i++) {
        const ShelfImage *image = &shelf->images[i];
        const char *slash = strrchr(image->path, '/');
        window_menu_add_entry(menu, MENU_LINE, slash != NULL ? slash + 1 : image->path,
                              name_kind(image->kind, image->recent))
            ->line = strdup(image->path);
    }
    window_menu_add_entry(menu, MENU_LINE, "The demo disk", NULL)->line = strdup(WINDOW_MENU_DEMO);
    window_menu_add_entry(menu, MENU_ACTION, "Quit", NULL)->value = WINDOW_QUIT;
    image_shelf_free(shelf);
    free(shelf);
}

/* ---- The pages ---- */

static const struct {
    const char *title;
    const PageRow *rows;
    void (*fill)(WindowMenu *menu, const char *subject);
} pages[] = {
    [WINDOW_MENU_MAIN] = {" Reprise ", main_rows, NULL},
    [WINDOW_MENU_START] = {" Reprise ", NULL, fill_start},
    [WINDOW_MENU_DRIVES] = {" Floppies and CDs ", NULL, fill_drives},
    [WINDOW_MENU_MEDIA] = {" ", NULL, fill_media},
    [WINDOW_MENU_SNAPSHOTS] = {" Snapshots ", NULL, window_menu_fill_snapshots},
    [WINDOW_MENU_SNAPSHOT] = {" Snapshot ", NULL, window_menu_fill_snapshot},
    [WINDOW_MENU_SNAPSHOT_DELETE] = {" Delete the snapshot? ", NULL,
                                     window_menu_fill_snapshot_delete},
    [WINDOW_MENU_SNAPSHOT_NAME] = {" Keep the machine ", NULL, window_menu_fill_snapshot_name},
    [WINDOW_MENU_MACHINE] = {" Machine ", machine_rows, NULL},
    [WINDOW_MENU_SPEED] = {" Speed ", speed_rows, NULL},
    [WINDOW_MENU_KEYS] = {" Press keys ", key_rows, NULL},
    [WINDOW_MENU_VIEW] = {" View ", view_rows, NULL},
    [WINDOW_MENU_SOUND] = {" Sound ", NULL, fill_sound},
    [WINDOW_MENU_HELP] = {" Help ", help_rows, NULL},
};

void window_menu_fill_page(WindowMenu *menu, int page, const char *subject) {
    if (pages[page].rows != NULL)
        add_rows(menu, pages[page].rows);
    else
        pages[page].fill(menu, subject);
}

bool window_menu_has_pictures(int page) {
    return page == WINDOW_MENU_SNAPSHOTS || page == WINDOW_MENU_SNAPSHOT ||
           page == WINDOW_MENU_SNAPSHOT_DELETE;
}

void window_menu_print_title(const WindowMenu *menu, char *title, size_t size) {
    unsigned top = menu->depth - 1;
    const char *subject = menu->open[top].subject;
    char drive[48];
    if (menu->open[top].page == WINDOW_MENU_MEDIA && subject != NULL) {
        print_drive(drive, sizeof(drive), subject);
        subject = drive;
    }
    snprintf(title, size, "%s%s%s%s", menu->depth > 1 ? " \u2190" : "",
             pages[menu->open[top].page].title, subject != NULL ? subject : "",
             subject != NULL ? " " : "");
}
