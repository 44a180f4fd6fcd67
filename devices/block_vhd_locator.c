/* How a differencing VHD image says which image it lies over: the identity and the time of that
 * one, its name, and locators, which are paths in UTF-16 somewhere in the file. */
#include "allocate.h"
#include "big_endian.h"
#include "block_vhd.h"
#include "host_file.h"
#include "little_endian.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of a character, which becomes '*code'; what is no UTF-8 is taken byte by byte. */
static unsigned take_utf8(const char *text, uint32_t *code) {
    const uint8_t *bytes = (const uint8_t *)text;
    unsigned more = bytes[0] >= 0xF0 ? 3 : bytes[0] >= 0xE0 ? 2 : bytes[0] >= 0xC0 ? 1 : 0;
    *code = more == 0 ? bytes[0] : bytes[0] & (0x3Fu >> more);
    for (unsigned i = 1; i <= more; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            *code = bytes[0];
            return 1;
        }
        *code = *code << 6 | (bytes[i] & 0x3F);
    }
    return more + 1;
}

/* As Windows writes a path. The bytes that it takes; 0: it does not fit. */
static uint32_t encode_utf16(uint8_t *to, size_t room, const char *text, bool big_endian) {
    void (*store)(void *, uint16_t) = big_endian ? store_be16 : store_le16;
    uint32_t size = 0, code;
    for (; *text != '\0'; size += 2) {
        text += take_utf8(text, &code);
        if (size + 4 > room)
            return 0;
        if (code >= 0x10000) {
            store(to + size, (uint16_t)(0xD800 + ((code - 0x10000) >> 10)));
            size += 2;
            code = 0xDC00 + ((code - 0x10000) & 0x3FF);
        }
        store(to + size, (uint16_t)(code == '/' ? '\\' : code));
    }
    return size;
}

/* The next locator, whose text stands at 'offset' of the file and at '*size' of 'texts'. */
static bool add_locator(uint8_t *header, unsigned index, uint32_t platform, const char *path,
                        uint64_t offset, VhdLocatorTexts *texts) {
    uint8_t *locator = header + VHD_HEADER_AT_LOCATORS + index * VHD_LOCATOR_BYTES;
    uint32_t length =
        encode_utf16(texts->bytes + texts->size, VHD_LOCATOR_TEXT_MAXIMUM, path, false);
    if (length == 0)
        return false;
    uint32_t sectors = (length + VHD_SECTOR_BYTES - 1) / VHD_SECTOR_BYTES;
    store_be32(locator, platform);
    store_be32(locator + 4, sectors);
    store_be32(locator + 8, length);
    store_be64(locator + 16, offset + texts->size);
    texts->size += sectors * VHD_SECTOR_BYTES;
    return true;
}

/* A relative name also with the folder that it counts from today, for an image that is moved. */
static bool add_locators(uint8_t *header, const char *name, const char *path, uint64_t offset,
                         VhdLocatorTexts *texts) {
    char relative[PATH_MAX + 2], absolute[PATH_MAX];
    unsigned count = 0;
    if (name[0] != '/') {
        if (snprintf(relative, sizeof(relative), "./%s", name) >= (int)sizeof(relative) ||
            !add_locator(header, count++, VHD_PLATFORM_RELATIVE, relative, offset, texts))
            return false;
    }
    if (realpath(path, absolute) != NULL &&
        add_locator(header, count, VHD_PLATFORM_ABSOLUTE, absolute, offset, texts))
        count++;
    return count > 0;
}

void vhd_clear_parent(uint8_t *header) {
    memset(header + VHD_HEADER_AT_PARENT_UUID, 0, VHD_HEADER_BYTES - VHD_HEADER_AT_PARENT_UUID);
    vhd_seal(header, VHD_HEADER_BYTES, VHD_HEADER_AT_CHECKSUM);
}

bool vhd_set_parent_time(uint8_t *header, const char *path) {
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    store_be32(header + VHD_HEADER_AT_PARENT_TIME, (uint32_t)(status.st_mtime - VHD_EPOCH));
    vhd_seal(header, VHD_HEADER_BYTES, VHD_HEADER_AT_CHECKSUM);
    return true;
}

static bool fill_names(uint8_t *header, const char *name, const char *path, uint64_t offset,
                       VhdLocatorTexts *texts, Error *error) {
    const char *slash = strrchr(path, '/');
    if (strchr(name, '\\') != NULL)
        return error_set(error, "a VHD image cannot tell a path with a backslash: %s", name);
    if (encode_utf16(header + VHD_HEADER_AT_PARENT_NAME, VHD_PARENT_NAME_BYTES,
                     slash != NULL ? slash + 1 : path, true) == 0 ||
        !add_locators(header, name, path, offset, texts))
        return error_set(error, "the path of the parent is too long");
    return true;
}

bool vhd_set_parent(uint8_t *header, const char *image_path, const VhdParentName *parent,
                    uint64_t disk_bytes, uint64_t offset, VhdLocatorTexts *texts, Error *error) {
    if (parent->format != NULL && strcmp(parent->format, "vpc") != 0)
        return error_set(error, "the parent of a VHD image is a VHD image (vpc), too, and not %s",
                         parent->format);
    char *path = vhd_join(image_path, parent->name);
    BlockOptions options = {
        .path = path, .format = "vpc", .read_only = true, .no_backing = true, .unlocked = true};
    BlockNode *node = block_open(&options, error);
    bool good = node != NULL;
    if (good && block_length(node) != disk_bytes)
        good = error_set(error, "a VHD image has the size of its parent, which is %llu bytes",
                         (unsigned long long)block_length(node));
    if (good) {
        texts->size = 0;
        memset(texts->bytes, 0, sizeof(texts->bytes));
        vhd_clear_parent(header);
        memcpy(header + VHD_HEADER_AT_PARENT_UUID, vhd_uuid(node->driver_state), VHD_UUID_BYTES);
        good = fill_names(header, parent->name, path, offset, texts, error) &&
               (vhd_set_parent_time(header, path) ||
                error_set(error, "%s: cannot be looked at", path));
    }
    block_close(node);
    free(path);
    return good;
}

/* Where the texts that the header names end. */
uint64_t vhd_locators_end(const uint8_t *header) {
    uint64_t end = 0;
    for (int i = 0; i < VHD_LOCATOR_COUNT; i++) {
        const uint8_t *locator = header + VHD_HEADER_AT_LOCATORS + i * VHD_LOCATOR_BYTES;
        uint64_t offset = load_be64(locator + 16), size = load_be32(locator + 8);
        if (load_be32(locator) != 0 && offset < BLOCK_LENGTH_MAXIMUM && offset + size > end)
            end = offset + size;
    }
    return end;
}
