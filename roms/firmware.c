#include "firmware.h"
#include "host_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The whole 32-bit space could not hold more; SeaBIOS is 256 KB. */
#define FIRMWARE_LIMIT_BYTES (16u << 20)
#define PATH_BYTES 4096

static const char *const firmware_folders[] = {
    "/usr/share/seabios",
    "/usr/share/qemu",
    "/usr/share/vgabios",
    "/usr/local/share/qemu",
    "/usr/share/seavgabios",
    "/usr/lib/ipxe/qemu",
    ".",
};

static bool is_regular_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool find_in_folder(const char *folder, const char *name, char *path) {
    int length = snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return length < PATH_BYTES && is_regular_file(path);
}

static bool find_in_folders(const char *name, const char *folder, char *path) {
    if (folder != NULL && find_in_folder(folder, name, path))
        return true;
    for (size_t i = 0; i < sizeof(firmware_folders) / sizeof(firmware_folders[0]); i++) {
        if (find_in_folder(firmware_folders[i], name, path))
            return true;
    }
    return false;
}

static bool take_path(const char *name, char *path, Error *error) {
    return snprintf(path, PATH_BYTES, "%s", name) < PATH_BYTES ||
           error_set(error, "the firmware's path is too long");
}

static bool read_file(const char *path, ByteBuffer *image, Error *error) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(error, "cannot open firmware '%s': %s", path, strerror(errno));
    uint8_t block[16384];
    size_t count;
    while (image->size <= FIRMWARE_LIMIT_BYTES &&
           (count = fread(block, 1, sizeof(block), file)) > 0)
        byte_buffer_append(image, block, count);
    int failure = ferror(file) ? errno : 0;
    fclose(file);
    if (failure != 0)
        return error_set(error, "cannot read firmware '%s': %s", path, strerror(failure));
    if (image->size == 0)
        return error_set(error, "firmware '%s' is empty", path);
    if (image->size > FIRMWARE_LIMIT_BYTES)
        return error_set(error, "firmware '%s' is larger than 16 MB", path);
    return true;
}

static bool load_path(const char *path, ByteBuffer *image, Error *error) {
    if (read_file(path, image, error))
        return true;
    byte_buffer_free(image);
    return false;
}

bool firmware_load(const char *name, const char *folder, ByteBuffer *image, Error *error) {
    char path[PATH_BYTES];
    if (!find_in_folders(name, folder, path))
        return error_set(error,
                         "firmware '%s' not found: install Debian's package 'seabios', or name its "
                         "folder with -L",
                         name);
    return load_path(path, image, error);
}

bool firmware_load_file(const char *name, const char *folder, ByteBuffer *image, Error *error) {
    char path[PATH_BYTES];
    if (strchr(name, '/') != NULL || is_regular_file(name)) {
        if (!take_path(name, path, error))
            return false;
    } else if (!find_in_folders(name, folder, path)) {
        return error_set(error, "firmware '%s' not found: there is no such file", name);
    }
    return load_path(path, image, error);
}

bool firmware_exists(const char *name, const char *folder) {
    char path[PATH_BYTES];
    return find_in_folders(name, folder, path);
}
