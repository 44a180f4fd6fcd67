/* Finding the image that a differencing VHD image lies over: by the locators in its header, which
 * were written on a host with other paths, so that what they name is looked for beside the image,
 * too. */
#include "allocate.h"
#include "big_endian.h"
#include "block_vhd.h"
#include "host_file.h"
#include "little_endian.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *put_utf8(char *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

static uint16_t load_unit(const uint8_t *from, bool big_endian) {
    return big_endian ? load_be16(from) : load_le16(from);
}

/* Into 'path', which has room; up to a zero. */
static void decode_utf16(char *path, const uint8_t *text, size_t size, bool big_endian) {
    for (size_t i = 0; i + 2 <= size; i += 2) {
        uint32_t code = load_unit(text + i, big_endian);
        if (code == 0)
            break;
        if (code >> 10 == 0xD800 >> 10 && i + 4 <= size) {
            uint16_t low = load_unit(text + i + 2, big_endian);
            code = 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF);
            i += 2;
        }
        path = put_utf8(path, code);
    }
    *path = '\0';
}

/* "file://localhost/a%20b" becomes "/a b". */
static void decode_url(char *path, const uint8_t *text, size_t size) {
    char url[VHD_LOCATOR_TEXT_MAXIMUM + 1];
    memcpy(url, text, size);
    url[size] = '\0';
    const char *from = url;
    if (strncmp(from, "file://", 7) == 0) {
        const char *slash = strchr(from + 7, '/');
        from = slash != NULL ? slash : from + 7;
    }
    for (; *from != '\0'; from++) {
        unsigned code;
        if (from[0] == '%' && sscanf(from + 1, "%2x", &code) == 1 && from[1] != '\0' &&
            from[2] != '\0' && code != 0) {
            *path++ = (char)code;
            from += 2;
        } else {
            *path++ = *from;
        }
    }
    *path = '\0';
}

char *vhd_join(const char *image_path, const char *name) {
    const char *last = name[0] != '/' ? strrchr(image_path, '/') : NULL;
    size_t folder = last == NULL ? 0 : (size_t)(last - image_path) + 1;
    char *path = allocate_zeroed(folder + strlen(name) + 1);
    memcpy(path, image_path, folder);
    strcpy(path + folder, name);
    return path;
}

static char *if_it_is_there(char *path) {
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/* The path where the name leads on this host: as it is, from the image's folder, or there by its
 * last part alone. NULL: nothing is there. */
static char *find_file(const char *image_path, char *name) {
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '\\')
            *at = '/';
        if ((unsigned char)*at < ' ')
            *at = '_'; /* messages are one line */
    }
    const char *last = strrchr(name, '/');
    const char *base = last != NULL ? last + 1 : name;
    if (*base == '\0')
        return NULL;
    char *found = name[0] == '/' ? if_it_is_there(strdup(name)) : NULL;
    if (found == NULL && name[0] != '/')
        found = if_it_is_there(vhd_join(image_path, name));
    return found != NULL ? found : if_it_is_there(vhd_join(image_path, base));
}

static char *find_by_locator(const BlockNode *node, const uint8_t *locator, char *name) {
    uint32_t platform = load_be32(locator), size = load_be32(locator + 8);
    uint64_t offset = load_be64(locator + 16);
    uint8_t text[VHD_LOCATOR_TEXT_MAXIMUM];
    if (platform != VHD_PLATFORM_RELATIVE && platform != VHD_PLATFORM_ABSOLUTE &&
        platform != VHD_PLATFORM_MAC)
        return NULL;
    if (size > sizeof(text) || offset > node->length || size > node->length - offset ||
        !block_file_read(node->file, offset, text, size, NULL))
        return NULL;
    if (platform == VHD_PLATFORM_MAC)
        decode_url(name, text, size);
    else
        decode_utf16(name, text, size, false);
    return find_file(node->path, name);
}

char *vhd_find_parent(const Vhd *vhd, const BlockNode *node, char *name) {
    for (int i = 0; i < VHD_LOCATOR_COUNT; i++) {
        const uint8_t *locator = vhd->header + VHD_HEADER_AT_LOCATORS + i * VHD_LOCATOR_BYTES;
        char *path = find_by_locator(node, locator, name);
        if (path != NULL)
            return path;
    }
    decode_utf16(name, vhd->header + VHD_HEADER_AT_PARENT_NAME, VHD_PARENT_NAME_BYTES, true);
    return find_file(node->path, name);
}

bool vhd_open_parent(Vhd *vhd, const BlockNode *node, const BlockOptions *options, Error *error) {
    char name[VHD_PATH_BYTES] = "";
    char *path = vhd_find_parent(vhd, node, name);
    if (path == NULL)
        return error_set(error,
                         "is a difference to the VHD image '%.200s', which is not there: put it "
                         "beside this one",
                         name);
    BlockOptions parent = {
        .path = path, .format = "vpc", .read_only = true, .unlocked = options->unlocked};
    vhd->parent = block_open_backing(node, &parent, error);
    free(path);
    if (vhd->parent == NULL)
        return false;
    const uint8_t *uuid = vhd_uuid(vhd->parent->driver_state);
    if (memcmp(uuid, vhd->header + VHD_HEADER_AT_PARENT_UUID, VHD_UUID_BYTES) == 0)
        return true;
    return error_set(error, "is a difference to another VHD image than '%.200s'",
                     block_path(vhd->parent));
}
