#include "disk_identity.h"
#include "host_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool disk_identity_find(const BlockNode *medium, DiskIdentity *identity, Error *error) {
    char *path = realpath(block_path(medium), NULL);
    snprintf(identity->path, sizeof(identity->path), "%s",
             path != NULL ? path : block_path(medium));
    free(path);
    snprintf(identity->format, sizeof(identity->format), "%s", block_format(medium));
    return block_image_status(medium, &identity->bytes, &identity->changed_ns, error);
}

static void save_text(const char *text, ByteBuffer *buffer) {
    size_t length = strlen(text);
    byte_buffer_append_le(buffer, length, 2);
    byte_buffer_append(buffer, text, length);
}

static bool load_text(char *text, size_t size, ByteReader *reader) {
    size_t length = (size_t)byte_reader_read_le(reader, 2);
    if (reader->failed || length >= size || !byte_reader_read(reader, text, length))
        return false;
    text[length] = '\0';
    return strlen(text) == length;
}

void disk_identity_save(const DiskIdentity *identity, ByteBuffer *buffer) {
    save_text(identity->path, buffer);
    save_text(identity->format, buffer);
    byte_buffer_append_le(buffer, identity->bytes, 8);
    byte_buffer_append_le(buffer, (uint64_t)identity->changed_ns, 8);
}

bool disk_identity_load(DiskIdentity *identity, ByteReader *reader) {
    if (!load_text(identity->path, sizeof(identity->path), reader) ||
        !load_text(identity->format, sizeof(identity->format), reader))
        return false;
    identity->bytes = byte_reader_read_le(reader, 8);
    identity->changed_ns = (int64_t)byte_reader_read_le(reader, 8);
    return !reader->failed;
}

/* What Windows counts a file's time in ([MS-DTYP] 2.3.3): a snapshot made there knows no more. */
#define FILE_TIME_NS 100

static bool is_same_time(const DiskIdentity *one, const DiskIdentity *other) {
    return one->changed_ns / FILE_TIME_NS == other->changed_ns / FILE_TIME_NS;
}

/* Also of a path that was written down by Windows, which has drives and backslashes. */
static const char *base_name(const char *path) {
    bool of_windows = path[0] != '\0' && path[1] == ':' && path[2] == '\\';
    const char *slash = strrchr(path, of_windows ? '\\' : '/');
    return slash != NULL ? slash + 1 : path;
}

bool disk_identity_equal(const DiskIdentity *one, const DiskIdentity *other) {
    return strcmp(base_name(one->path), base_name(other->path)) == 0 &&
           one->bytes == other->bytes && is_same_time(one, other);
}

bool disk_identity_check(const DiskIdentity *then, const DiskIdentity *now, Error *error) {
    if (then->bytes != now->bytes)
        return error_set(error, "%s: has %llu bytes now, and had %llu when the snapshot was taken",
                         now->path, (unsigned long long)now->bytes,
                         (unsigned long long)then->bytes);
    return is_same_time(then, now) ||
           error_set(error, "%s: was changed after the snapshot was taken, which needs the old one",
                     now->path);
}
