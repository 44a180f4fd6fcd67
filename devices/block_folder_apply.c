/* Every name is looked up in an opened folder below the one that was named, never by a path, so
 * that nothing leads out of it. Contents go to a temporary file that takes the place of the old one
 * when it is whole. */
#define _GNU_SOURCE
#include "block_folder_apply.h"
#include "allocate.h"
#include "host_file.h"
#include "host_string.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COPY_BYTES (1u << 20)
#define TEMPORARY_NAMES 10000u

typedef struct Apply {
    Folder *folder;
    BlockNode *volume;
    GuestTree *tree;
    uint8_t *claimed;
    size_t known; /* entries that were there before */
} Apply;

static bool warn_of(const Folder *folder, uint32_t parent, const char *name, const char *reason) {
    char path[4096];
    if (!folder_path(folder, parent, path, sizeof(path)))
        path[0] = '\0';
    folder_warn(folder, "%.200s%s%.80s: %s", path, path[0] != '\0' ? "/" : "", name, reason);
    return false;
}

static int open_parent(const Apply *apply, uint32_t parent) {
    return folder_open_entry(apply->folder, parent, O_RDONLY | O_DIRECTORY);
}

/* Clusters that are still read from the file go to the overlay before the file changes: one sector
 * written brings the overlay's whole cluster up. */
static bool keep_contents(const Apply *apply, uint32_t index, Error *error) {
    const Folder *folder = apply->folder;
    FolderEntry *entry = &folder->entries[index];
    uint8_t sector[FOLDER_SECTOR];
    if (entry->is_folder || entry->in_overlay || entry->cluster_count == 0)
        return true;
    uint64_t at = folder_cluster_place(folder, entry->first_cluster);
    uint64_t end =
        at + (uint64_t)entry->cluster_count * folder->geometry.cluster_sectors * FOLDER_SECTOR;
    while (at < end) {
        if (!block_read(apply->volume, at, sector, sizeof(sector), error) ||
            !block_write(apply->volume, at, sector, sizeof(sector), error))
            return false;
        at = (at / BLOCK_CLUSTER_BYTES + 1) * BLOCK_CLUSTER_BYTES;
    }
    entry->in_overlay = true;
    return true;
}

static bool copy_contents(const Apply *apply, const GuestEntry *guest, int file, Error *error) {
    uint64_t cluster_bytes = (uint64_t)apply->folder->geometry.cluster_sectors * FOLDER_SECTOR;
    uint8_t *buffer = allocate_zeroed(COPY_BYTES);
    uint64_t done = 0;
    uint32_t cluster = guest->cluster;
    bool good = true;
    while (good && done < guest->bytes && cluster != 0) {
        uint64_t place = folder_cluster_place(apply->folder, cluster), size = 0;
        uint32_t last;
        do { /* clusters that follow each other, in one go */
            last = cluster;
            cluster = guest_tree_next(apply->tree, cluster);
            size += cluster_bytes;
        } while (cluster == last + 1 && size + cluster_bytes <= COPY_BYTES);
        size = size < guest->bytes - done ? size : guest->bytes - done;
        good = block_read(apply->volume, place, buffer, (size_t)size, error) &&
               block_file_write(file, done, buffer, (size_t)size, error);
        done += size;
    }
    free(buffer);
    return good;
}

static void set_times(int file, const GuestEntry *guest) {
    struct tm when = {.tm_year = 80 + (guest->date >> 9),
                      .tm_mon = (guest->date >> 5 & 15) - 1,
                      .tm_mday = guest->date & 31,
                      .tm_hour = guest->time >> 11,
                      .tm_min = guest->time >> 5 & 63,
                      .tm_sec = (guest->time & 31) * 2};
    if (guest->date != 0)
        host_file_set_changed(file, timegm(&when));
}

/* A new name that nothing has; the file is open, or with 'file' NULL only the name is chosen. */
static bool make_temporary(int parent, mode_t mode, char name[32], int *file, Error *error) {
    for (unsigned i = 0; i < TEMPORARY_NAMES; i++) {
        struct stat status;
        snprintf(name, 32, ".reprise-%u", i);
        if (file == NULL && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            return true;
        if (file == NULL)
            continue;
        *file = openat(parent, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (*file >= 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    return error_set(error, "no temporary file: %s", strerror(errno));
}

static bool is_unchanged(const FolderEntry *entry, int parent, Error *error) {
    struct stat status;
    if (fstatat(parent, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        folder_same_status(entry, &status))
        return true;
    return error_set(error, "was changed on the host meanwhile; what the guest did to it is not "
                            "brought back");
}

/* Something that the guest will delete or rename stands where something else is to be. */
static bool displace(const Apply *apply, uint32_t parent, int directory, const char *name,
                     Error *error) {
    for (uint32_t i = 1; i < apply->folder->count; i++) {
        FolderEntry *entry = &apply->folder->entries[i];
        char other[32];
        if (entry->gone || entry->parent != parent || strcmp(entry->name, name) != 0 ||
            apply->claimed[i] == 2)
            continue;
        if (!make_temporary(directory, 0, other, NULL, error))
            return false;
        if (renameat(directory, name, directory, other) != 0)
            break;
        free(entry->name);
        entry->name = strdup(other);
        return true;
    }
    return error_set(error, "the host has something of this name that the guest does not see");
}

static bool rename_to(const Apply *apply, int from, const char *old_name, uint32_t parent,
                      int directory, const char *name, Error *error) {
    for (int attempt = 0; attempt < 2; attempt++) {
        if (host_file_rename_to_free(from, old_name, directory, name) == 0)
            return true;
        if (errno != EEXIST || attempt > 0)
            return error_set(error, "cannot be renamed: %s", strerror(errno));
        if (!displace(apply, parent, directory, name, error))
            return false;
    }
    return false;
}

/* The entry takes its new place and name. */
static bool move_entry(const Apply *apply, uint32_t index, uint32_t parent, int directory,
                       const char *name, Error *error) {
    FolderEntry *entry = &apply->folder->entries[index];
    if (entry->parent == parent && strcmp(entry->name, name) == 0)
        return true;
    int from = open_parent(apply, entry->parent);
    struct stat status;
    bool good = from >= 0 && fstatat(from, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                (uint64_t)status.st_ino == entry->inode;
    if (!good)
        error_set(error, "was changed on the host meanwhile; what the guest did to it is not "
                         "brought back");
    good = good && rename_to(apply, from, entry->name, parent, directory, name, error);
    if (from >= 0)
        close(from);
    if (!good)
        return false;
    free(entry->name);
    entry->name = strdup(name);
    entry->parent = parent;
    return true;
}

static bool write_file(const Apply *apply, const GuestEntry *guest, int directory, uint32_t parent,
                       struct stat *status, Error *error) {
    Folder *folder = apply->folder;
    char temporary[32];
    int file = -1;
    bool is_new = guest->entry == FOLDER_NONE;
    mode_t mode = is_new ? 0666 : folder->entries[guest->entry].mode & 0777;
    if (!is_new && (!is_unchanged(&folder->entries[guest->entry], directory, error) ||
                    !keep_contents(apply, guest->entry, error)))
        return false;
    if (!make_temporary(directory, mode, temporary, &file, error))
        return false;
    bool good = copy_contents(apply, guest, file, error);
    if (good && !is_new)
        fchmod(file, mode);
    if (good && fdatasync(file) != 0)
        good = error_set(error, "cannot be written: %s", strerror(errno));
    if (good)
        set_times(file, guest);
    good = good && fstat(file, status) == 0;
    close(file);
    if (good && is_new)
        good = rename_to(apply, directory, temporary, parent, directory, guest->name, error);
    else if (good && renameat(directory, temporary, directory, guest->name) != 0)
        good = error_set(error, "cannot be replaced: %s", strerror(errno));
    if (!good)
        unlinkat(directory, temporary, 0);
    return good;
}

static bool make_folder(const Apply *apply, const GuestEntry *guest, int directory, uint32_t parent,
                        struct stat *status, Error *error) {
    int made = mkdirat(directory, guest->name, 0777);
    if (made != 0 && errno == EEXIST) {
        if (!displace(apply, parent, directory, guest->name, error))
            return false;
        made = mkdirat(directory, guest->name, 0777);
    }
    return (made == 0 && fstatat(directory, guest->name, status, AT_SYMLINK_NOFOLLOW) == 0) ||
           error_set(error, "cannot be created: %s", strerror(errno));
}

static uint32_t add_entry(Folder *folder, const GuestEntry *guest, uint32_t parent) {
    uint32_t index = (uint32_t)folder->count;
    folder->entries =
        allocate_grow(folder->entries, &folder->capacity, index + 1, sizeof(*folder->entries));
    folder->count++;
    folder->entries[index] =
        (FolderEntry){.name = strdup(guest->name), .parent = parent, .is_folder = guest->is_folder};
    return index;
}

/* What the guest has in the file now is in the host's. */
static void settle(const GuestEntry *guest, FolderEntry *entry, const struct stat *status) {
    if (status != NULL)
        folder_keep_status(entry, status);
    memcpy(entry->short_name, guest->short_name, FOLDER_SHORT_BYTES);
    entry->known_cluster = guest->cluster;
    entry->known_bytes = guest->bytes;
    entry->known_chain = guest->chain;
    entry->known_time = guest->time;
    entry->known_date = guest->date;
}

static bool apply_entry(const Apply *apply, GuestEntry *guest, uint32_t parent, int directory,
                        Error *error) {
    Folder *folder = apply->folder;
    struct stat status;
    if (guest->entry == FOLDER_NONE) {
        if (!(guest->is_folder ? make_folder(apply, guest, directory, parent, &status, error)
                               : write_file(apply, guest, directory, parent, &status, error)))
            return false;
        guest->entry = add_entry(folder, guest, parent);
        settle(guest, &folder->entries[guest->entry], &status);
        return true;
    }
    FolderEntry *entry = &folder->entries[guest->entry];
    if (!move_entry(apply, guest->entry, parent, directory, guest->name, error))
        return false;
    apply->claimed[guest->entry] = 2;
    bool changed = guest->written || guest->bytes != entry->known_bytes ||
                   guest->chain != entry->known_chain || guest->time != entry->known_time ||
                   guest->date != entry->known_date;
    if (!guest->is_folder && changed) {
        if (!write_file(apply, guest, directory, parent, &status, error)) {
            entry->known_chain = ~guest->chain;
            return false;
        }
        settle(guest, entry, &status);
        return true;
    }
    settle(guest, entry, NULL);
    return true;
}

static void apply_new(const Apply *apply) {
    for (size_t i = 1; i < apply->tree->count; i++) {
        GuestEntry *guest = &apply->tree->entries[i];
        uint32_t parent = apply->tree->entries[guest->parent].entry;
        Error error = {0};
        if (parent == FOLDER_NONE)
            continue; /* it has failed */
        int directory = guest->name != NULL ? open_parent(apply, parent) : -1;
        if (guest->name == NULL)
            warn_of(apply->folder, parent, "(a file)", "the host cannot have its name");
        else if (directory < 0)
            warn_of(apply->folder, parent, guest->name, strerror(errno));
        else if (!apply_entry(apply, guest, parent, directory, &error))
            warn_of(apply->folder, parent, guest->name, error.message);
        if (directory >= 0)
            close(directory);
    }
}

/* True if it is gone. A folder in which the host has more than the guest saw stays. */
static bool delete_entry(const Apply *apply, uint32_t index, Error *error) {
    FolderEntry *entry = &apply->folder->entries[index];
    int directory = open_parent(apply, entry->parent);
    bool good = directory >= 0 && is_unchanged(entry, directory, error) &&
                keep_contents(apply, index, error);
    if (good && unlinkat(directory, entry->name, entry->is_folder ? AT_REMOVEDIR : 0) != 0)
        good = error_set(error, "cannot be deleted: %s", strerror(errno));
    if (directory >= 0)
        close(directory);
    entry->gone = good;
    return good;
}

static void delete_unclaimed(const Apply *apply) {
    bool progress = true;
    for (uint32_t i = 1; i < apply->known; i++) {
        Error error = {0};
        const FolderEntry *entry = &apply->folder->entries[i];
        if (apply->claimed[i] == 0 && !entry->gone && !entry->is_folder &&
            !delete_entry(apply, i, &error))
            warn_of(apply->folder, entry->parent, entry->name, error.message);
    }
    while (progress) { /* folders within folders */
        progress = false;
        for (uint32_t i = 1; i < apply->known; i++) {
            const FolderEntry *entry = &apply->folder->entries[i];
            if (apply->claimed[i] == 0 && !entry->gone && entry->is_folder)
                progress = delete_entry(apply, i, NULL) || progress;
        }
    }
    for (uint32_t i = 1; i < apply->known; i++) {
        FolderEntry *entry = &apply->folder->entries[i];
        if (apply->claimed[i] == 0 && !entry->gone && entry->is_folder) {
            entry->gone = true;
            warn_of(apply->folder, entry->parent, entry->name,
                    "stays, since it has more in it than the guest saw");
        }
    }
}

void folder_apply(Folder *folder, BlockNode *volume, GuestTree *tree, uint8_t *claimed) {
    Apply apply = {folder, volume, tree, claimed, folder->count};
    apply_new(&apply);
    delete_unclaimed(&apply);
}
