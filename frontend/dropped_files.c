#include "dropped_files.h"
#include "host_file.h"
#include "image_guess.h"
#include "image_shelf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLUSTER = 512,
    FLOPPY_BYTES = 2847 * CLUSTER, /* of files, on one of 1.44 MB */
    FOLDER_BYTES = 14 * 512,       /* names, at most */
    PATH_BYTES = 4096,
    BOOT_MARK = 510,
};

static bool has_boot_mark(const char *path) {
    uint8_t mark[2] = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    bool found = fseek(file, BOOT_MARK, SEEK_SET) == 0 && fread(mark, 1, 2, file) == 2 &&
                 mark[0] == 0x55 && mark[1] == 0xAA;
    fclose(file);
    return found;
}

bool dropped_files_is_image(const char *path) {
    ImageKind kind;
    Error ignored = {.set = false};
    return image_shelf_is_named(path) ||
           (image_guess(path, &kind, &ignored) && (kind == IMAGE_CD || has_boot_mark(path)));
}

static uint64_t room_of(uint64_t size) {
    return (size + CLUSTER - 1) / CLUSTER * CLUSTER;
}

static bool copy(const char *from, const char *to, Error *error) {
    char piece[65536];
    FILE *source = fopen(from, "rbe"), *target = source != NULL ? fopen(to, "wbe") : NULL;
    bool good = target != NULL;
    for (size_t size; good && (size = fread(piece, 1, sizeof(piece), source)) != 0;)
        good = fwrite(piece, 1, size, target) == size;
    good = good && !ferror(source);
    int reason = errno;
    if (source != NULL)
        fclose(source);
    if (target != NULL)
        good = fclose(target) == 0 && good;
    return good || error_set(error, "cannot copy '%s': %s", from, strerror(reason));
}

static void remove_file(const DroppedFiles *files, const char *name) {
    char path[sizeof(files->folder) + 256];
    if (snprintf(path, sizeof(path), "%s/%s", files->folder, name) < (int)sizeof(path))
        unlink(path);
}

void dropped_files_free(DroppedFiles *files) {
    DIR *folder = files->folder[0] != '\0' ? opendir(files->folder) : NULL;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            remove_file(files, entry->d_name);
    if (folder != NULL)
        closedir(folder);
    if (files->folder[0] != '\0')
        rmdir(files->folder);
    *files = (DroppedFiles){.bytes = 0};
}

static bool make_folder(DroppedFiles *files, Error *error) {
    snprintf(files->folder, sizeof(files->folder), "/tmp/reprise-files-XXXXXX");
    if (mkdtemp(files->folder) != NULL)
        return true;
    files->folder[0] = '\0';
    return error_set(error, "no folder for files: %s", strerror(errno));
}

bool dropped_files_add(DroppedFiles *files, const char *path, Error *error) {
    char target[PATH_BYTES];
    struct stat info;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return error_set(error, "%.40s is no file", name);
    uint64_t room = room_of((uint64_t)info.st_size);
    if (room > FLOPPY_BYTES - FOLDER_BYTES)
        return error_set(error, "%.30s does not fit on a floppy (1.4 MB)", name);
    if (files->bytes + room > FLOPPY_BYTES - FOLDER_BYTES)
        dropped_files_free(files);
    if (files->folder[0] == '\0' && !make_folder(files, error))
        return false;
    if (snprintf(target, sizeof(target), "%s/%s", files->folder, name) >= (int)sizeof(target))
        return error_set(error, "its name is too long");
    if (!copy(path, target, error))
        return false;
    files->bytes += room;
    return true;
}
