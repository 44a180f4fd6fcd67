#include "image_guess.h"
#include "host_file.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECTOR 512
#define LARGEST_FLOPPY (2880 * 1024)
/* ECMA-119 8.1: the volume descriptors begin at sector 16, each with this mark at byte 1. */
#define CD_MARK_OFFSET (16 * 2048 + 1)
/* The header of a Linux kernel (Documentation/arch/x86/boot.rst of Linux). */
#define KERNEL_MARK_OFFSET 0x202

static bool is_cd(FILE *file) {
    char mark[5] = {0};
    return fseek(file, CD_MARK_OFFSET, SEEK_SET) == 0 && fread(mark, 1, 5, file) == 5 &&
           memcmp(mark, "CD001", 5) == 0;
}

static bool is_kernel(FILE *file) {
    uint8_t head[KERNEL_MARK_OFFSET + 4] = {0};
    return fseek(file, 0, SEEK_SET) == 0 && fread(head, 1, sizeof(head), file) == sizeof(head) &&
           head[510] == 0x55 && head[511] == 0xAA &&
           memcmp(head + KERNEL_MARK_OFFSET, "HdrS", 4) == 0;
}

static uint32_t read_le32(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* A partition table that makes sense within the image: a small hard disk rather than a floppy. */
static bool has_partition_table(const uint8_t *sector, uint64_t sectors) {
    int partitions = 0;
    if (sector[510] != 0x55 || sector[511] != 0xAA)
        return false;
    for (const uint8_t *entry = sector + 446; entry < sector + 510; entry += 16) {
        uint32_t first = read_le32(entry + 8);
        uint32_t count = read_le32(entry + 12);
        if (entry[0] != 0x00 && entry[0] != 0x80)
            return false;
        if (entry[4] == 0)
            continue;
        if (first == 0 || count == 0 || (uint64_t)first + count > sectors)
            return false;
        partitions++;
    }
    return partitions > 0;
}

static bool is_floppy_size(uint64_t size) {
    static const uint16_t kilobytes[] = {160, 180, 320, 360, 720, 1200, 1440, 1680, 1720, 2880};
    for (size_t i = 0; i < sizeof(kilobytes) / sizeof(kilobytes[0]); i++) {
        if (size == kilobytes[i] * 1024u)
            return true;
    }
    return false;
}

/* The size of the disk that a qcow2 file holds, whose own size says little; 0: it is none. */
static uint64_t size_in_qcow2(FILE *file) {
    uint8_t head[32];
    uint64_t size = 0;
    if (fseek(file, 0, SEEK_SET) != 0 || fread(head, 1, sizeof(head), file) != sizeof(head) ||
        memcmp(head, "QFI\xFB", 4) != 0)
        return 0;
    for (int i = 24; i < 32; i++)
        size = size << 8 | head[i];
    return size;
}

static ImageKind guess_from_content(FILE *file, uint64_t size) {
    uint8_t sector[SECTOR] = {0};
    uint64_t inside = size_in_qcow2(file);
    if (inside != 0)
        return is_floppy_size(inside) ? IMAGE_FLOPPY : IMAGE_DISK;
    if (is_cd(file))
        return IMAGE_CD;
    if (is_floppy_size(size))
        return IMAGE_FLOPPY; /* even with a kernel at its start, from when kernels booted themselves
                              */
    if (is_kernel(file))
        return IMAGE_KERNEL;
    bool read = fseek(file, 0, SEEK_SET) == 0 && fread(sector, 1, SECTOR, file) == SECTOR;
    bool disk = size > LARGEST_FLOPPY || (read && has_partition_table(sector, size / SECTOR));
    return disk ? IMAGE_DISK : IMAGE_FLOPPY;
}

bool image_guess(const char *path, ImageKind *kind, Error *error) {
    struct stat info;
    if (strncmp(path, "fat:", 4) == 0) { /* the words before the folder end with a colon each */
        *kind = strncmp(path, "fat:floppy:", 11) == 0 || strncmp(path, "fat:rw:floppy:", 14) == 0
                    ? IMAGE_FLOPPY
                    : IMAGE_DISK;
        return true;
    }
    if (strncmp(path, "nbd:", 4) == 0 || strncmp(path, "nbd+unix:", 9) == 0) {
        *kind = IMAGE_DISK; /* of an NBD server */
        return true;
    }
    if (stat(path, &info) != 0)
        return error_set(error, "cannot open image '%s': %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return error_set(error, "'%s' is a folder, not a disk image", path);
    if (S_ISREG(info.st_mode) && info.st_size == 0)
        return error_set(error, "image '%s' is empty", path);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(error, "cannot open image '%s': %s", path, strerror(errno));
    *kind = S_ISREG(info.st_mode) ? guess_from_content(file, (uint64_t)info.st_size) : IMAGE_DISK;
    fclose(file);
    return true;
}

bool image_guess_plug_in(Settings *settings, const char *path, Error *error) {
    ImageKind kind;
    DriveRequest request = {
        .file = path, .snapshot = settings->snapshot_by_default, .boot_index = -1};
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        char text[4096];
        snprintf(text, sizeof(text), "fat:%s", path);
        request.file = path = settings_keep_string(settings, text);
    }
    if (!image_guess(path, &kind, error))
        return false;
    if (kind == IMAGE_KERNEL) {
        if (settings->machine.kernel != NULL)
            return error_set(error, "'%s' is a second kernel", path);
        settings->machine.kernel = path;
        return true;
    }
    if (kind == IMAGE_FLOPPY)
        return settings_add_floppy_drive(settings, -1, &request, error);
    request.is_cd = kind == IMAGE_CD;
    return settings_add_ide_drive(settings, -1, &request, error);
}
