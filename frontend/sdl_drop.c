/* What is dropped on the window: images go into their drives, other files and folders to the guest
 * on a floppy. */
#include "host_file.h"
#include "image_guess.h"
#include "machine_parts.h"
#include "sdl_window.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 3900 };

typedef struct DriveSearch {
    const Board *board;
    bool floppy;
    const char *path; /* a drive that has this already comes before all others; NULL: none */
    char id[32];
} DriveSearch;

/* The first drive for such media that is empty, else the first. On the machine's thread. */
static void find_drive(void *opaque) {
    DriveSearch *search = opaque;
    bool empty = false;
    for (unsigned i = 0; i < MACHINE_DRIVES; i++) {
        const BoardDrive *drive = &search->board->drive[i];
        if (!drive->present || !(search->floppy ? drive->is_floppy : drive->is_cd))
            continue;
        bool has_it = search->path != NULL && drive->medium != NULL &&
                      strstr(block_path(drive->medium), search->path) != NULL;
        bool is_first_empty = drive->medium == NULL && !empty;
        if (has_it || is_first_empty || search->id[0] == '\0')
            snprintf(search->id, sizeof(search->id), "%s", drive->id);
        if (has_it)
            return;
        empty = empty || is_first_empty;
    }
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* As the status line has it: A: and B:, CDs by their drive. */
static void print_drive(char *text, size_t size, const char *id) {
    if (strncmp(id, "floppy", 6) == 0 && (id[6] == '0' || id[6] == '1') && id[7] == '\0')
        snprintf(text, size, "floppy drive %c:", 'A' + (id[6] - '0'));
    else
        snprintf(text, size, "%.31s", id);
}

static void tell(Display *display, const char *name, const DriveSearch *search,
                 const Error *error) {
    char notice[sizeof(display->notice)], drive[32];
    print_drive(drive, sizeof(drive), search->id);
    if (error->set)
        snprintf(notice, sizeof(notice), " - %.70s", error->message);
    else
        snprintf(notice, sizeof(notice), " - %.30s is in %s", name, drive);
    sdl_window_notice(display, notice);
}

/* 'held': what the drive may have already; NULL: nothing of ours. */
static void insert(Display *display, const char *path, const char *name, bool floppy,
                   const char *held, Error *error) {
    char line[MONITOR_LINE_BYTES];
    DriveSearch search = {.board = &display->machine->board, .floppy = floppy, .path = held};
    if (!error->set)
        machine_call(display->machine, find_drive, &search);
    if (!error->set && search.id[0] == '\0')
        error_set(error, "this machine has no drive for it");
    if (!error->set && !window_menu_print_change(line, sizeof(line), search.id, path))
        error_set(error, "its name cannot be told to the monitor");
    tell(display, name, &search, error);
    if (!error->set)
        sdl_menu_run_line(display, line);
}

static void insert_image(Display *display, const char *path, Error *error) {
    ImageKind kind = IMAGE_FLOPPY;
    if (image_guess(path, &kind, error) && kind != IMAGE_FLOPPY && kind != IMAGE_CD)
        error_set(error, "hard disks cannot be changed while the machine runs");
    insert(display, path, name_of(path), kind == IMAGE_FLOPPY, NULL, error);
}

static void insert_folder(Display *display, const char *path, Error *error) {
    char folder[PATH_BYTES + 16];
    if (snprintf(folder, sizeof(folder), "fat:floppy:%.*s", PATH_BYTES, path) >=
        (int)sizeof(folder))
        error_set(error, "its name is too long");
    insert(display, folder, name_of(path), true, path, error);
}

void sdl_drop_watch(Display *display, const SDL_Event *event) {
    SdlDrag drag = sdl_x11_read_drag(&display->drag_watch, event);
    /* While something is dragged its program has the pointer: what comes here from it, or from the
     * keyboard, tells of a drag's end whose own message was lost. */
    bool is_over = event->type == SDL_MOUSEBUTTONDOWN || event->type == SDL_MOUSEMOTION ||
                   event->type == SDL_KEYDOWN;
    bool dragging =
        drag == SDL_DRAG_COMES || (display->dragging && drag != SDL_DRAG_GOES && !is_over);
    if (dragging == display->dragging || !display->has_overlay)
        return;
    display->dragging = dragging;
    sdl_menu_update(display);
}

void sdl_drop_handle(Display *display, const SDL_DropEvent *event) {
    Error error = {.set = false};
    struct stat info;
    if (event->type == SDL_DROPCOMPLETE) {
        char folder[sizeof(display->dropped.folder) + 16];
        snprintf(folder, sizeof(folder), "fat:floppy:%s", display->dropped.folder);
        if (display->dropped_name[0] != '\0')
            insert(display, folder, display->dropped_name, true, "/reprise-files-", &error);
        display->dropped_name[0] = '\0';
        return;
    }
    if (event->file == NULL)
        return;
    if (stat(event->file, &info) == 0 && S_ISDIR(info.st_mode))
        insert_folder(display, event->file, &error);
    else if (dropped_files_is_image(event->file))
        insert_image(display, event->file, &error);
    else if (dropped_files_add(&display->dropped, event->file, &error))
        snprintf(display->dropped_name, sizeof(display->dropped_name), "%s", name_of(event->file));
    else
        tell(display, "", &(DriveSearch){.floppy = true}, &error);
    display->sdl.free(event->file);
}
