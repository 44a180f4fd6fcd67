#include "image_shelf.h"
#include "host_file.h"
#include "machine_file.h"
#include "user_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RECENT_MOST 20
#define PATH_BYTES USER_FILE_PATH_BYTES

static const char *const suffixes[] = {
    ".img",  ".ima", ".flp",  ".vfd",  ".dsk", ".iso", ".cue", ".qcow2",           ".vdi",
    ".vmdk", ".vhd", ".vhdx", ".qcow", ".hdi", ".hdx", ".raw", MACHINE_FILE_SUFFIX};

void image_shelf_free(ImageShelf *shelf) {
    for (size_t i = 0; i < shelf->count; i++)
        free(shelf->images[i].path);
    shelf->count = 0;
}

static bool is_on_shelf(const ImageShelf *shelf, const char *path) {
    for (size_t i = 0; i < shelf->count; i++)
        if (strcmp(shelf->images[i].path, path) == 0)
            return true;
    return false;
}

static void add_image(ImageShelf *shelf, const char *path, bool recent) {
    char absolute[PATH_MAX];
    Error error = {.set = false};
    ShelfImage image = {.recent = recent};
    if (shelf->count == IMAGE_SHELF_MOST || realpath(path, absolute) == NULL ||
        is_on_shelf(shelf, absolute))
        return;
    if (machine_file_is_named(absolute))
        image.kind = IMAGE_MACHINE;
    else if (!image_guess(absolute, &image.kind, &error))
        return;
    image.path = strdup(absolute);
    shelf->images[shelf->count++] = image;
}

/* Where the list of recent images stands, in a folder that is made if need be. */
static bool find_list(char *path, bool make) {
    return user_file_find("XDG_STATE_HOME", ".local/state", "recent", make, path);
}

static bool read_line(FILE *file, char *line) {
    if (fgets(line, PATH_BYTES, file) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

void image_shelf_add_recent(ImageShelf *shelf) {
    char list[PATH_BYTES], line[PATH_BYTES];
    FILE *file = find_list(list, false) ? fopen(list, "r") : NULL;
    while (file != NULL && read_line(file, line))
        add_image(shelf, line, true);
    if (file != NULL)
        fclose(file);
}

bool image_shelf_is_named(const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t suffix = strlen(suffixes[i]);
        if (length > suffix && strcasecmp(name + length - suffix, suffixes[i]) == 0)
            return true;
    }
    return false;
}

static int is_image_name(const struct dirent *entry) {
    return image_shelf_is_named(entry->d_name);
}

void image_shelf_add_folder(ImageShelf *shelf, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_image_name, alphasort);
    for (int i = 0; i < count; i++) {
        char path[PATH_BYTES];
        if (snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) < PATH_BYTES)
            add_image(shelf, path, false);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

/* The list with 'path' at its head. */
static void write_list(FILE *new, const char *list, const char *path) {
    char line[PATH_BYTES];
    FILE *old = fopen(list, "r");
    fprintf(new, "%s\n", path);
    for (int kept = 1; old != NULL && kept < RECENT_MOST && read_line(old, line);) {
        if (strcmp(line, path) != 0) {
            fprintf(new, "%s\n", line);
            kept++;
        }
    }
    if (old != NULL)
        fclose(old);
}

void image_shelf_note_used(const char *path) {
    char absolute[PATH_MAX], list[PATH_BYTES];
    UserFile new;
    if (realpath(path, absolute) == NULL || strchr(absolute, '\n') != NULL ||
        !find_list(list, true) || !user_file_begin(&new, list))
        return;
    write_list(new.file, list, absolute);
    user_file_end(&new);
}
