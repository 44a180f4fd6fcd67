/* Makes VHD images, dynamic, fixed and differencing ones, by the tables of Microsoft's
 * specification. */
#include "allocate.h"
#include "big_endian.h"
#include "block_vhd.h"
#include "host_file.h"
#include "host_random.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const BlockCreateOption vhd_create_options[] = {
    {"size", "<size>", "Virtual disk size"},
    {"subformat", "<str>",
     "Type of virtual hard disk format. Supported formats are "
     "{dynamic (default) | fixed}"},
    {NULL, NULL, NULL},
};

enum { NEW_BLOCK_BYTES = 2 << 20, VERSION = 1 << 16, FEATURES_RESERVED = 2 };
#define DISK_BYTES_MAXIMUM (2040ull << 30)
#define NOWHERE UINT64_MAX

/* The specification's appendix "CHS Calculation". */
uint32_t vhd_usual_geometry(uint64_t sectors) {
    static const uint64_t most = 65535ull * 16 * 255, most_63 = 65535ull * 16 * 63;
    uint64_t heads = 16, track = 255;
    if (sectors > most)
        sectors = most;
    if (sectors < most_63) {
        track = 17;
        heads = (sectors / track + 1023) / 1024;
        if (heads < 4)
            heads = 4;
        if (sectors / track >= heads * 1024 || heads > 16) {
            heads = 16;
            track = 31;
        }
        if (sectors / track >= heads * 1024)
            track = 63;
    }
    return (uint32_t)(sectors / track / heads << 16 | heads << 8 | track);
}

/* As the footer has it: 16 bits, 8, and 8. */
static uint32_t find_geometry(const BlockCreateRequest *request) {
    const BlockGeometry *wish = &request->geometry;
    if (wish->cylinders == 0 || wish->cylinders > 0xFFFF || wish->heads > 0xFF ||
        wish->sectors > 0xFF)
        return vhd_usual_geometry(request->length / VHD_SECTOR_BYTES);
    return wish->cylinders << 16 | wish->heads << 8 | wish->sectors;
}

void vhd_seal(uint8_t *data, size_t size, size_t at) {
    uint32_t sum = 0;
    store_be32(data + at, 0);
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    store_be32(data + at, ~sum);
}

static bool build_footer(uint8_t *footer, const BlockCreateRequest *request, VhdType type,
                         Error *error) {
    uint64_t length = request->length;
    memcpy(footer, "conectix", 8);
    store_be32(footer + 8, FEATURES_RESERVED);
    store_be32(footer + 12, VERSION);
    store_be64(footer + 16, type == VHD_FIXED ? NOWHERE : VHD_FOOTER_BYTES);
    store_be32(footer + 24, (uint32_t)(time(NULL) - VHD_EPOCH));
    memcpy(footer + 28, "win ", 4); /* whose disks are as long as they say, not as their geometry */
    store_be32(footer + 32, 6 << 16 | 1);
    memcpy(footer + 36, "Wi2k", 4);
    store_be64(footer + 40, length);
    store_be64(footer + 48, length);
    store_be32(footer + 56, find_geometry(request));
    store_be32(footer + 60, type);
    if (!host_random_fill(footer + 68, VHD_UUID_BYTES))
        return error_set(error, "has no random number for its footer");
    footer[68 + 6] = (uint8_t)((footer[68 + 6] & 0x0F) | 0x40); /* RFC 4122, 4.4 */
    footer[68 + 8] = (uint8_t)((footer[68 + 8] & 0x3F) | 0x80);
    vhd_seal(footer, VHD_FOOTER_BYTES, 64);
    return true;
}

/* Copy of the footer, header, table without a block, where the parent is, footer. For free(); NULL
 * on error. */
static uint8_t *build_dynamic(const BlockCreateRequest *request, const uint8_t *footer,
                              size_t *size, Error *error) {
    uint32_t entries = (uint32_t)((request->length + NEW_BLOCK_BYTES - 1) / NEW_BLOCK_BYTES);
    size_t table = (entries * 4ull + VHD_SECTOR_BYTES - 1) / VHD_SECTOR_BYTES * VHD_SECTOR_BYTES;
    size_t locators_at = VHD_FOOTER_BYTES + VHD_HEADER_BYTES + table;
    VhdLocatorTexts texts = {.size = 0};
    uint8_t *bytes = allocate_zeroed(locators_at + sizeof(texts.bytes) + VHD_FOOTER_BYTES);
    uint8_t *header = bytes + VHD_FOOTER_BYTES;
    memcpy(header, "cxsparse", 8);
    store_be64(header + 8, NOWHERE);
    store_be64(header + 16, VHD_FOOTER_BYTES + VHD_HEADER_BYTES);
    store_be32(header + 24, VERSION);
    store_be32(header + 28, entries);
    store_be32(header + 32, NEW_BLOCK_BYTES);
    vhd_seal(header, VHD_HEADER_BYTES, VHD_HEADER_AT_CHECKSUM);
    memset(header + VHD_HEADER_BYTES, 0xFF, table);
    VhdParentName parent = {request->backing, request->backing_format};
    if (request->backing != NULL && !vhd_set_parent(header, request->path, &parent, request->length,
                                                    locators_at, &texts, error)) {
        free(bytes);
        return NULL;
    }
    memcpy(bytes, footer, VHD_FOOTER_BYTES);
    memcpy(bytes + locators_at, texts.bytes, texts.size);
    memcpy(bytes + locators_at + texts.size, footer, VHD_FOOTER_BYTES);
    *size = locators_at + texts.size + VHD_FOOTER_BYTES;
    return bytes;
}

static bool find_type(const BlockCreateRequest *request, VhdType *type, Error *error) {
    const char *kind = block_create_value(request, "subformat");
    bool fixed = kind != NULL && strcmp(kind, "fixed") == 0;
    *type = fixed ? VHD_FIXED : request->backing != NULL ? VHD_DIFFERENCING : VHD_DYNAMIC;
    if (kind != NULL && !fixed && strcmp(kind, "dynamic") != 0)
        return error_set(error, "subformat is dynamic or fixed, not '%s'", kind);
    if (fixed && request->backing != NULL)
        return error_set(error, "a fixed VHD image lies over no other");
    if (request->length == 0 || request->length > DISK_BYTES_MAXIMUM)
        return error_set(error, "a VHD image has 1 byte to 2040 GB");
    return true;
}

bool vhd_create(const BlockCreateRequest *request, Error *error) {
    uint8_t footer[VHD_FOOTER_BYTES] = {0};
    size_t size = VHD_FOOTER_BYTES;
    VhdType type;
    if (!find_type(request, &type, error) || !build_footer(footer, request, type, error))
        return false;
    bool fixed = type == VHD_FIXED;
    uint8_t *dynamic = fixed ? NULL : build_dynamic(request, footer, &size, error);
    if (!fixed && dynamic == NULL)
        return false;
    int file = block_file_create(request->path, NULL, error);
    bool good = file >= 0 && block_file_write(file, fixed ? request->length : 0,
                                              fixed ? footer : dynamic, size, error);
    if (file >= 0 && close(file) != 0 && good)
        good = error_set(error, "cannot be closed: %s", strerror(errno));
    free(dynamic);
    return good;
}
