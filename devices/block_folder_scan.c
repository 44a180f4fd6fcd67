/* Reads the tree of a folder. Nothing is reached through a symbolic link, so that nothing outside
 * of the folder is. Names are sorted, so that the same folder always gives the same disk. */
#define _GNU_SOURCE
#include "allocate.h"
#include "block_folder.h"
#include "host_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

bool folder_path(const Folder *folder, uint32_t entry, char *path, size_t size) {
    size_t at = size - 1;
    path[at] = '\0';
    for (; entry != 0; entry = folder->entries[entry].parent) {
        size_t length = strlen(folder->entries[entry].name);
        if (length + 1 > at)
            return false;
        at -= length;
        memcpy(path + at, folder->entries[entry].name, length);
        if (folder->entries[entry].parent != 0)
            path[--at] = '/';
    }
    memmove(path, path + at, size - at);
    return true;
}

int folder_open_entry(const Folder *folder, uint32_t entry, int flags) {
    uint32_t chain[FOLDER_DEPTH_MAXIMUM + 2];
    unsigned depth = 0;
    for (; entry != 0 && depth <= FOLDER_DEPTH_MAXIMUM; entry = folder->entries[entry].parent)
        chain[depth++] = entry;
    if (entry != 0) {
        errno = ELOOP;
        return -1;
    }
    int file = openat(folder->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (depth > 0 && file >= 0) {
        uint32_t next = chain[--depth];
        int how = depth > 0 ? O_RDONLY | O_DIRECTORY : flags;
        int below = openat(file, folder->entries[next].name,
                           how | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        int reason = errno;
        close(file);
        errno = reason;
        file = below;
    }
    return file;
}

void folder_leave_out(Folder *folder, uint32_t entry, const char *name, const char *reason) {
    char path[4096];
    if (folder->left_out++ > 0)
        return;
    if (!folder_path(folder, entry, path, sizeof(path)))
        path[0] = '\0';
    snprintf(folder->first_left_out, sizeof(folder->first_left_out), "%.100s%s%.80s (%s)", path,
             path[0] != '\0' ? "/" : "", name, reason);
}

void folder_keep_status(FolderEntry *entry, const struct stat *status) {
    entry->device = (uint64_t)status->st_dev;
    entry->inode = (uint64_t)status->st_ino;
    entry->host_bytes = (uint64_t)status->st_size;
    entry->changed_ns = host_file_changed_ns(status);
    entry->mode = status->st_mode;
}

bool folder_same_status(const FolderEntry *entry, const struct stat *status) {
    FolderEntry now = *entry;
    folder_keep_status(&now, status);
    return now.device == entry->device && now.inode == entry->inode &&
           (entry->is_folder ||
            (now.host_bytes == entry->host_bytes && now.changed_ns == entry->changed_ns));
}

/* FAT has two seconds from 1980 on. The guest's clock shows UTC unless told otherwise. */
static void set_time(FolderEntry *entry, time_t seconds) {
    struct tm when;
    if (gmtime_r(&seconds, &when) == NULL || when.tm_year < 80 || when.tm_year > 207) {
        entry->date = 1 << 5 | 1;
        entry->time = 0;
        return;
    }
    entry->date = (uint16_t)((when.tm_year - 80) << 9 | (when.tm_mon + 1) << 5 | when.tm_mday);
    int second = when.tm_sec < 59 ? when.tm_sec : 59;
    entry->time = (uint16_t)(when.tm_hour << 11 | when.tm_min << 5 | second / 2);
}

static int compare_names(const void *one, const void *other) {
    const char *a = *(char *const *)one, *b = *(char *const *)other;
    int order = strcasecmp(a, b);
    return order != 0 ? order : strcmp(a, b);
}

typedef struct NameList {
    char **names;
    size_t count, capacity;
} NameList;

static bool read_names(Folder *folder, uint32_t parent, NameList *list) {
    int file = folder_open_entry(folder, parent, O_RDONLY | O_DIRECTORY);
    DIR *stream = file >= 0 ? fdopendir(file) : NULL;
    if (stream == NULL) {
        if (file >= 0)
            close(file);
        return false;
    }
    const struct dirent *item;
    while ((item = readdir(stream)) != NULL && list->count < FOLDER_ENTRIES_MAXIMUM) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        list->names =
            allocate_grow(list->names, &list->capacity, list->count + 1, sizeof(*list->names));
        list->names[list->count++] = strdup(item->d_name);
    }
    closedir(stream);
    if (list->count > 0)
        qsort(list->names, list->count, sizeof(*list->names), compare_names);
    return true;
}

/* NULL: the name belongs on the disk. */
static const char *reason_against(const Folder *folder, int parent_file, const char *name,
                                  const char *previous, unsigned depth, struct stat *status) {
    uint16_t units[FOLDER_NAME_UNITS];
    if (strncmp(name, ".reprise-", 9) == 0)
        return "the name of our temporary files";
    if (fstatat(parent_file, name, status, AT_SYMLINK_NOFOLLOW) != 0)
        return strerror(errno);
    if (S_ISLNK(status->st_mode))
        return "a symbolic link";
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
        return "neither a file nor a folder";
    if (faccessat(parent_file, name, S_ISDIR(status->st_mode) ? R_OK | X_OK : R_OK, AT_EACCESS) !=
        0)
        return strerror(errno);
    if (folder_name_units(name, units) == 0)
        return "FAT cannot have the name";
    if (previous != NULL && strcasecmp(previous, name) == 0)
        return "differs from another by upper and lower case alone";
    if (S_ISREG(status->st_mode) && status->st_size > (off_t)UINT32_MAX)
        return "larger than 4 GB";
    if (S_ISDIR(status->st_mode) && depth >= FOLDER_DEPTH_MAXIMUM)
        return "too many folders within each other";
    return folder->count >= FOLDER_ENTRIES_MAXIMUM ? "too many names" : NULL;
}

static uint32_t add_entry(Folder *folder, uint32_t parent, char *name, const struct stat *status) {
    uint32_t index = (uint32_t)folder->count;
    folder->entries =
        allocate_grow(folder->entries, &folder->capacity, index + 1, sizeof(*folder->entries));
    folder->count++;
    FolderEntry *entry = &folder->entries[index];
    *entry = (FolderEntry){.name = name, .parent = parent, .is_folder = S_ISDIR(status->st_mode)};
    entry->bytes = entry->is_folder ? 0 : (uint32_t)status->st_size;
    folder_keep_status(entry, status);
    set_time(entry, status->st_mtim.tv_sec);
    return index;
}

static bool scan_level(Folder *folder, uint32_t parent, unsigned depth) {
    NameList list = {0};
    int file = folder_open_entry(folder, parent, O_RDONLY | O_DIRECTORY);
    bool good = file >= 0 && read_names(folder, parent, &list);
    const char *previous = NULL;
    unsigned slots = 2;
    folder->entries[parent].first_child = (uint32_t)folder->count;
    for (size_t i = 0; i < list.count; i++) {
        struct stat status;
        char *name = list.names[i];
        const char *reason = reason_against(folder, file, name, previous, depth, &status);
        uint16_t units[FOLDER_NAME_UNITS];
        unsigned needed = 1 + ((unsigned)folder_name_units(name, units) + 12) / 13;
        if (reason == NULL && slots + needed > FOLDER_SLOTS_MAXIMUM)
            reason = "too many names in one folder";
        if (reason != NULL) {
            folder_leave_out(folder, parent, name, reason);
            free(name);
            continue;
        }
        slots += needed;
        previous = folder->entries[add_entry(folder, parent, name, &status)].name;
    }
    folder->entries[parent].child_count =
        (uint32_t)folder->count - folder->entries[parent].first_child;
    free(list.names);
    if (file >= 0)
        close(file);
    folder_name_children(folder, parent);
    for (uint32_t i = 0; i < folder->entries[parent].child_count; i++) {
        uint32_t child = folder->entries[parent].first_child + i;
        if (folder->entries[child].is_folder && !scan_level(folder, child, depth + 1))
            folder_leave_out(folder, parent, folder->entries[child].name, "cannot be read");
    }
    return good;
}

/* So that a guest sees another disk where there is other content, and the same where not. */
static uint32_t find_serial(const Folder *folder) {
    uint32_t hash = 2166136261u;
    for (size_t i = 1; i < folder->count; i++) {
        for (const char *at = folder->entries[i].name; *at != '\0'; at++)
            hash = (hash ^ (uint8_t)*at) * 16777619u;
        hash = (hash ^ folder->entries[i].parent ^ folder->entries[i].bytes) * 16777619u;
    }
    return hash;
}

bool folder_scan(Folder *folder, Error *error) {
    struct stat status;
    if (fstat(folder->root, &status) != 0)
        return error_set(error, "cannot be looked at: %s", strerror(errno));
    add_entry(folder, 0, strdup(""), &status);
    if (!scan_level(folder, 0, 0))
        return error_set(error, "cannot be read");
    folder->serial = find_serial(folder);
    return true;
}
