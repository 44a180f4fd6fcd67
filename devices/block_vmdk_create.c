/* Makes VMDK images of every kind: extents first, the text that names them last. */
#include "allocate.h"
#include "block_vmdk.h"
#include "host_file.h"
#include "host_random.h"
#include "little_endian.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const BlockCreateOption vmdk_create_options[] = {
    {"adapter_type", "<str>", "Virtual adapter type (ide, lsilogic, buslogic or legacyESX)"},
    {"size", "<size>", "Virtual disk size"},
    {"subformat", "<str>",
     "monolithicSparse, monolithicFlat, twoGbMaxExtentSparse, twoGbMaxExtentFlat or "
     "streamOptimized"},
    {NULL, NULL, NULL},
};

typedef struct Subformat {
    const char *name;
    bool flat, split, packed;
} Subformat;

static const Subformat subformats[] = {
    {"monolithicSparse", false, false, false},    {"monolithicFlat", true, false, false},
    {"twoGbMaxExtentSparse", false, true, false}, {"twoGbMaxExtentFlat", true, true, false},
    {"streamOptimized", false, false, true},
};

enum { DESCRIPTOR_SECTOR = 1, DESCRIPTOR_SECTORS = 20, DIRECTORY_SECTOR = 21 };
enum { ENTRIES_A_SECTOR = VMDK_SECTOR_BYTES / 4 };
#define LENGTH_MAXIMUM (1ull << 40)
#define LINE_BYTES 320u

static const Subformat *find_subformat(const BlockCreateRequest *request, Error *error) {
    const char *name = block_create_value(request, "subformat");
    if (name == NULL)
        return &subformats[0];
    for (size_t i = 0; i < sizeof(subformats) / sizeof(subformats[0]); i++)
        if (strcmp(subformats[i].name, name) == 0)
            return &subformats[i];
    error_set(error, "there is no subformat '%s'", name);
    return NULL;
}

/* ---- The text ---- */

static const char *find_adapter(const BlockCreateRequest *request, Error *error) {
    static const char *const known[] = {"ide", "lsilogic", "buslogic", "legacyESX"};
    const char *name = block_create_value(request, "adapter_type");
    if (name == NULL)
        return known[0];
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], name) == 0)
            return known[i];
    error_set(error, "there is no adapter_type '%s'", name);
    return NULL;
}

static char *build_text(const BlockCreateRequest *request, const Subformat *subformat,
                        const char *adapter, const char *lines, Error *error) {
    uint32_t id;
    if (!host_random_fill(&id, sizeof(id))) {
        error_set(error, "has no random number for its header");
        return NULL;
    }
    unsigned heads = strcmp(adapter, "ide") == 0 ? 16 : 255, sectors = 63;
    uint64_t cylinders = request->length / VMDK_SECTOR_BYTES / heads / sectors;
    if (request->geometry.cylinders != 0) {
        cylinders = request->geometry.cylinders;
        heads = request->geometry.heads;
        sectors = request->geometry.sectors;
    }
    size_t room = strlen(lines) + 1024;
    char *text = allocate_zeroed(room);
    snprintf(text, room,
             "# Disk DescriptorFile\nversion=1\nCID=%08x\nparentCID=ffffffff\ncreateType=\"%s\"\n\n"
             "# Extent description\n%s\n# The Disk Data Base\n#DDB\n\n"
             "ddb.virtualHWVersion = \"%s\"\nddb.geometry.cylinders = \"%llu\"\n"
             "ddb.geometry.heads = \"%u\"\nddb.geometry.sectors = \"%u\"\n"
             "ddb.adapterType = \"%s\"\n",
             id % 0xFFFFFFFE, subformat->name, lines,
             strcmp(adapter, "ide") == 0 || strcmp(adapter, "buslogic") == 0 ? "4" : "6",
             (unsigned long long)cylinders, heads, sectors, adapter);
    return text;
}

/* ---- Files ---- */

static uint64_t round_up(uint64_t number, uint64_t unit) {
    return (number + unit - 1) / unit * unit;
}

/* A directory and its tables, from the sector on. Returns the sector after them. */
static uint64_t build_tables(uint8_t *bytes, uint64_t sector, uint32_t tables) {
    uint64_t first = sector + round_up(tables, ENTRIES_A_SECTOR) / ENTRIES_A_SECTOR;
    enum { TABLE_SECTORS = VMDK_TABLE_ENTRIES / ENTRIES_A_SECTOR };
    for (uint32_t i = 0; i < tables; i++)
        store_le32(bytes + sector * VMDK_SECTOR_BYTES + i * 4ull,
                   (uint32_t)(first + (uint64_t)i * TABLE_SECTORS));
    return first + (uint64_t)tables * TABLE_SECTORS;
}

static void build_header(uint8_t *header, uint64_t sectors, bool packed) {
    memcpy(header, "KDMV", 4);
    store_le32(header + VMDK_AT_VERSION, packed ? 3 : 1);
    store_le32(header + VMDK_AT_FLAGS, VMDK_FLAG_LINE_ENDS | VMDK_FLAG_REDUNDANT |
                                           (packed ? VMDK_FLAG_PACKED | VMDK_FLAG_MARKERS : 0));
    store_le64(header + VMDK_AT_CAPACITY, sectors);
    store_le64(header + VMDK_AT_GRAIN_SECTORS, VMDK_GRAIN_SECTORS);
    store_le64(header + VMDK_AT_DESCRIPTOR, DESCRIPTOR_SECTOR);
    store_le64(header + VMDK_AT_DESCRIPTOR_SECTORS, DESCRIPTOR_SECTORS);
    store_le32(header + VMDK_AT_TABLE_ENTRIES, VMDK_TABLE_ENTRIES);
    store_le64(header + VMDK_AT_REDUNDANT_DIRECTORY, DIRECTORY_SECTOR);
    memcpy(header + VMDK_AT_LINE_ENDS, "\n \r\n", 4);
    store_le16(header + VMDK_AT_COMPRESSION, packed ? 1 : 0);
}

/* Everything before the first grain. 'text' (NULL: the extent is one of several) goes into it. */
static bool fill_sparse(int file, uint64_t length, bool packed, const char *text, Error *error) {
    uint64_t grains = round_up(length / VMDK_SECTOR_BYTES, VMDK_GRAIN_SECTORS) / VMDK_GRAIN_SECTORS;
    uint32_t tables = (uint32_t)(round_up(grains, VMDK_TABLE_ENTRIES) / VMDK_TABLE_ENTRIES);
    uint64_t room = (DIRECTORY_SECTOR + 2ull * (tables / ENTRIES_A_SECTOR + 1 + tables * 4ull)) *
                        VMDK_SECTOR_BYTES +
                    VMDK_GRAIN_SECTORS * VMDK_SECTOR_BYTES;
    if (text != NULL && strlen(text) >= DESCRIPTOR_SECTORS * VMDK_SECTOR_BYTES)
        return error_set(error, "has too long a name");
    uint8_t *bytes = allocate_zeroed(room);
    build_header(bytes, length / VMDK_SECTOR_BYTES, packed);
    uint64_t directory = build_tables(bytes, DIRECTORY_SECTOR, tables);
    uint64_t end = round_up(build_tables(bytes, directory, tables), VMDK_GRAIN_SECTORS);
    store_le64(bytes + VMDK_AT_DIRECTORY, directory);
    store_le64(bytes + VMDK_AT_OVERHEAD, end);
    if (text != NULL)
        memcpy(bytes + DESCRIPTOR_SECTOR * VMDK_SECTOR_BYTES, text, strlen(text));
    bool good = block_file_write(file, 0, bytes, end * VMDK_SECTOR_BYTES, error);
    free(bytes);
    return good;
}

static bool close_file(int file, bool good, Error *error) {
    if (close(file) != 0 && good)
        return error_set(error, "cannot be closed: %s", strerror(errno));
    return good;
}

static bool make_extent(const char *path, uint64_t length, const Subformat *subformat,
                        bool *was_new, Error *error) {
    int file = block_file_create(path, was_new, error);
    if (file < 0)
        return false;
    bool good = subformat->flat ? block_file_zero(file, 0, length, error)
                                : fill_sparse(file, length, false, NULL, error);
    return close_file(file, good, error);
}

/* "disk.vmdk" has the parts "disk-s001.vmdk", "disk-flat.vmdk". */
static char *name_extent(const char *path, const Subformat *subformat, unsigned number) {
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t stem = dot != NULL ? (size_t)(dot - path) : strlen(path), room = strlen(path) + 16;
    char *name = allocate_zeroed(room);
    char what[8] = "flat";
    if (subformat->split)
        snprintf(what, sizeof(what), "%c%03u", subformat->flat ? 'f' : 's', number % 1000);
    snprintf(name, room, "%.*s-%s%s", (int)stem, path, what, dot != NULL ? dot : "");
    return name;
}

static void remove_extents(const BlockCreateRequest *request, const Subformat *subformat,
                           const bool *was_new, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char *path = name_extent(request->path, subformat, i + 1);
        if (was_new[i])
            unlink(path);
        free(path);
    }
}

/* The parts, and in 'lines' what the text says of them. */
static bool make_extents(const BlockCreateRequest *request, const Subformat *subformat, char *lines,
                         bool *was_new, unsigned *made, Error *error) {
    uint64_t done = 0;
    bool good = true;
    for (*made = 0; good && done < request->length; (*made)++) {
        uint64_t left = request->length - done;
        uint64_t part = subformat->split && left > VMDK_SPLIT_BYTES ? VMDK_SPLIT_BYTES : left;
        char *path = name_extent(request->path, subformat, *made + 1);
        const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
        good =
            strchr(base, '"') == NULL || error_set(error, "a quotation mark in the name cannot be");
        good = good && strlen(base) < LINE_BYTES - 64;
        good = good && make_extent(path, part, subformat, &was_new[*made], error);
        snprintf(lines + strlen(lines), LINE_BYTES, "RW %llu %s \"%s\"%s\n",
                 (unsigned long long)(part / VMDK_SECTOR_BYTES),
                 subformat->flat ? "FLAT" : "SPARSE", base, subformat->flat ? " 0" : "");
        if (!good) {
            error_set(error, "has too long a name");
            error_prefix(error, "its part %.100s ", base);
        }
        free(path);
        done += part;
    }
    return good;
}

static bool create_text(const BlockCreateRequest *request, const Subformat *subformat,
                        const char *adapter, const char *lines, Error *error) {
    char *text = build_text(request, subformat, adapter, lines, error);
    int file = text != NULL ? block_file_create(request->path, NULL, error) : -1;
    bool good = file >= 0 && block_file_write(file, 0, text, strlen(text), error);
    free(text);
    return file >= 0 && close_file(file, good, error);
}

static bool create_several(const BlockCreateRequest *request, const Subformat *subformat,
                           const char *adapter, Error *error) {
    uint64_t count = subformat->split ? request->length / VMDK_SPLIT_BYTES + 1 : 1;
    bool was_new[VMDK_EXTENTS_MAXIMUM + 1] = {false};
    unsigned made = 0;
    char *lines = allocate_zeroed((count + 1) * LINE_BYTES);
    bool good = make_extents(request, subformat, lines, was_new, &made, error) &&
                create_text(request, subformat, adapter, lines, error);
    if (!good)
        remove_extents(request, subformat, was_new, made);
    free(lines);
    return good;
}

static bool create_single(const BlockCreateRequest *request, const Subformat *subformat,
                          const char *adapter, Error *error) {
    const char *slash = strrchr(request->path, '/');
    char line[LINE_BYTES];
    snprintf(line, sizeof(line), "RW %llu SPARSE \"%.200s\"\n",
             (unsigned long long)(request->length / VMDK_SECTOR_BYTES),
             slash != NULL ? slash + 1 : request->path);
    char *text = build_text(request, subformat, adapter, line, error);
    int file = text != NULL ? block_file_create(request->path, NULL, error) : -1;
    bool good = file >= 0 && fill_sparse(file, request->length, subformat->packed, text, error);
    free(text);
    return file >= 0 && close_file(file, good, error);
}

bool vmdk_create(const BlockCreateRequest *request, Error *error) {
    const Subformat *subformat = find_subformat(request, error);
    const char *adapter = subformat != NULL ? find_adapter(request, error) : NULL;
    if (adapter == NULL)
        return false;
    if (request->length == 0 || request->length > LENGTH_MAXIMUM - VMDK_SPLIT_BYTES)
        return error_set(error, "a VMDK image has 512 bytes to 1 TB");
    return subformat->flat || subformat->split ? create_several(request, subformat, adapter, error)
                                               : create_single(request, subformat, adapter, error);
}
