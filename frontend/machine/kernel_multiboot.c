/* Multiboot kernels: a 32-bit ELF file, or any file whose Multiboot header tells where it belongs.
 * (Multiboot Specification 0.6.96; System V ABI, 'ELF'.) */
#include "kernel_image.h"
#include "little_endian.h"

#include <string.h>

enum {
    SEARCH_BYTES = 8192,
    MAGIC = 0x1BADB002,
    FLAG_ADDRESSES = 1 << 16,
    FLAGS_REQUIRED = 0xFFFF, /* what a loader that does not know them must refuse */
    FLAGS_KNOWN = 0x7,       /* aligned modules, memory map, and the wish for a video mode */
};

/* Offsets in the header. */
enum {
    HEADER_FLAGS = 4,
    HEADER_CHECKSUM = 8,
    HEADER_OWN_ADDRESS = 12,
    HEADER_LOAD = 16,
    HEADER_LOAD_END = 20,
    HEADER_BSS_END = 24,
    HEADER_ENTRY = 28,
    HEADER_BYTES = 12,
    HEADER_BYTES_WITH_ADDRESSES = 32,
};

/* The information handed to the kernel: offsets, and bits that say what is there. The option ROM
 * fills in the sizes of memory and the map. */
enum {
    INFO_FLAGS = 0,
    INFO_BOOT_DEVICE = 12,
    INFO_COMMAND_LINE = 16,
    INFO_MODULE_COUNT = 20,
    INFO_MODULES = 24,
    INFO_MAP_LENGTH = 44,
    INFO_MAP_ADDRESS = 48,
    INFO_LOADER_NAME = 64,
    INFO_BYTES = 88,
    INFO_HAS_MEMORY = 1 << 0,
    INFO_HAS_BOOT_DEVICE = 1 << 1,
    INFO_HAS_COMMAND_LINE = 1 << 2,
    INFO_HAS_MODULES = 1 << 3,
    INFO_HAS_MAP = 1 << 6,
    INFO_HAS_LOADER_NAME = 1 << 9,
    MAP_BYTES = 64 * 24,
    MODULE_BYTES = 16,
    MODULES_MAX = 64,
};

/* Between the option ROM's stack and what the BIOS has below 640 KB, a kernel and the information
 * share the room: the information comes first, or behind a kernel that wants to be there. */
#define LOW_MEMORY 0x8000u
#define LOW_MEMORY_END 0x9F000u
#define INFO_BYTES_MAX 0x8000u
#define HIGH_MEMORY 0x100000u
#define BOOT_DEVICE 0x8000FFFFu /* the first disk, no partition */
#define LOADER_NAME "Reprise"

/* --- ELF ----------------------------------------------------------------------------------------
 */

enum {
    ELF_CLASS = 4,
    ELF_DATA = 5,
    ELF_MACHINE = 18,
    ELF_ENTRY = 24,
    ELF_SEGMENTS = 28,
    ELF_SEGMENT_SIZE = 42,
    ELF_SEGMENT_COUNT = 44,
    ELF_BYTES = 52,
    ELF_CLASS_32 = 1,
    ELF_DATA_LITTLE = 1,
    ELF_MACHINE_386 = 3,
};

enum {
    SEGMENT_TYPE = 0,
    SEGMENT_OFFSET = 4,
    SEGMENT_VIRTUAL = 8,
    SEGMENT_PHYSICAL = 12,
    SEGMENT_FILE_BYTES = 16,
    SEGMENT_MEMORY_BYTES = 20,
    SEGMENT_BYTES = 32,
    SEGMENT_TYPE_LOAD = 1,
};

/* A part of the file, and where it belongs. What it has less than memory is zeros. */
typedef struct Segment {
    uint32_t address, memory_bytes;
    uint32_t offset, file_bytes;
} Segment;

static bool is_inside(const ByteBuffer *file, uint64_t offset, uint64_t size) {
    return offset <= file->size && size <= file->size - offset;
}

static const uint8_t *find_header(const ByteBuffer *file) {
    for (size_t at = 0; at < SEARCH_BYTES && is_inside(file, at, HEADER_BYTES); at += 4) {
        const uint8_t *header = file->data + at;
        if (load_le32(header) == (uint32_t)MAGIC &&
            (uint32_t)(load_le32(header) + load_le32(header + HEADER_FLAGS) +
                       load_le32(header + HEADER_CHECKSUM)) == 0)
            return header;
    }
    return NULL;
}

bool kernel_multiboot_probe(const ByteBuffer *file) {
    return find_header(file) != NULL;
}

static uint32_t info_address(uint64_t kernel_start, uint64_t kernel_end) {
    if (kernel_start >= LOW_MEMORY + INFO_BYTES_MAX)
        return LOW_MEMORY;
    return (uint32_t)(kernel_end + 15) & ~15u;
}

/* Kernels are where RAM is: below 640 KB with room for the information, or above 1 MB. */
static bool check_place(uint64_t start, uint64_t end, uint64_t ram_bytes, Error *error) {
    uint64_t top = ram_bytes > HIGH_MEMORY + KERNEL_FIRMWARE_BYTES
                       ? ram_bytes - KERNEL_FIRMWARE_BYTES
                       : ram_bytes;
    if (start >= HIGH_MEMORY ? end <= top
                             : start >= LOW_MEMORY && end <= LOW_MEMORY_END &&
                                   info_address(start, end) + INFO_BYTES_MAX <= LOW_MEMORY_END)
        return true;
    return error_set(error,
                     "is to lie from %#llx to %#llx, where a machine with %llu MB of memory has no "
                     "room for it",
                     (unsigned long long)start, (unsigned long long)end,
                     (unsigned long long)ram_bytes >> 20);
}

/* Makes the piece reach from 'start' to 'end', and zero. */
static void clear_piece(KernelPiece *piece, uint32_t start, uint64_t end) {
    static const uint8_t zeros[4096];
    piece->address = start;
    while (piece->bytes.size < end - start) {
        uint64_t left = end - start - piece->bytes.size;
        byte_buffer_append(&piece->bytes, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
    }
}

static void copy_segment(KernelPiece *piece, const ByteBuffer *file, const Segment *segment) {
    if (segment->file_bytes != 0)
        memcpy(piece->bytes.data + (segment->address - piece->address),
               file->data + segment->offset, segment->file_bytes);
}

/* The segment of number 'index'; one that is not loaded has no bytes. */
static bool read_segment(const ByteBuffer *file, unsigned index, Segment *segment, uint32_t *entry,
                         Error *error) {
    uint64_t at = load_le32(file->data + ELF_SEGMENTS) +
                  (uint64_t)index * load_le16(file->data + ELF_SEGMENT_SIZE);
    *segment = (Segment){.memory_bytes = 0};
    if (!is_inside(file, at, SEGMENT_BYTES))
        return error_set(error, "is cut off within its ELF headers");
    const uint8_t *data = file->data + at;
    if (load_le32(data + SEGMENT_TYPE) != SEGMENT_TYPE_LOAD)
        return true;
    *segment = (Segment){load_le32(data + SEGMENT_PHYSICAL), load_le32(data + SEGMENT_MEMORY_BYTES),
                         load_le32(data + SEGMENT_OFFSET), load_le32(data + SEGMENT_FILE_BYTES)};
    if (segment->memory_bytes < segment->file_bytes)
        segment->memory_bytes = segment->file_bytes;
    if (!is_inside(file, segment->offset, segment->file_bytes))
        return error_set(error, "is cut off: a segment of it ends at byte %llu, the file at %zu",
                         (unsigned long long)segment->offset + segment->file_bytes, file->size);
    /* An entry by virtual address, in a kernel that is to be mapped elsewhere. */
    uint32_t distance = load_le32(file->data + ELF_ENTRY) - load_le32(data + SEGMENT_VIRTUAL);
    if (distance < segment->memory_bytes)
        *entry = segment->address + distance;
    return true;
}

static bool check_elf(const ByteBuffer *file, Error *error) {
    const uint8_t *data = file->data;
    if (file->size < ELF_BYTES || memcmp(data,
                                         "\x7F"
                                         "ELF",
                                         4) != 0)
        return error_set(error, "has no addresses in its Multiboot header and is no ELF file");
    if (data[ELF_CLASS] != ELF_CLASS_32 || data[ELF_DATA] != ELF_DATA_LITTLE ||
        load_le16(data + ELF_MACHINE) != ELF_MACHINE_386)
        return error_set(error, "is no ELF file for i386; Multiboot starts 32-bit kernels");
    return true;
}

static bool load_elf(KernelImage *image, const ByteBuffer *file, uint64_t ram_bytes, Error *error) {
    if (!check_elf(file, error))
        return false;
    unsigned count = load_le16(file->data + ELF_SEGMENT_COUNT);
    uint64_t start = UINT64_MAX, end = 0;
    Segment segment;
    image->entry = load_le32(file->data + ELF_ENTRY);
    for (unsigned i = 0; i < count; i++) {
        if (!read_segment(file, i, &segment, &image->entry, error))
            return false;
        uint64_t segment_end = (uint64_t)segment.address + segment.memory_bytes;
        if (segment.memory_bytes == 0)
            continue;
        start = segment.address < start ? segment.address : start;
        end = segment_end > end ? segment_end : end;
    }
    if (end == 0)
        return error_set(error, "has no segment to load");
    if (!check_place(start, end, ram_bytes, error))
        return false;
    clear_piece(&image->kernel, (uint32_t)start, end);
    for (unsigned i = 0; i < count; i++) {
        if (read_segment(file, i, &segment, &image->entry, error))
            copy_segment(&image->kernel, file, &segment);
    }
    return true;
}

/* --- a header with addresses --------------------------------------------------------------------
 */

static bool load_by_header(KernelImage *image, const ByteBuffer *file, const uint8_t *header,
                           uint64_t ram_bytes, Error *error) {
    uint64_t header_offset = (uint64_t)(header - file->data);
    if (!is_inside(file, header_offset, HEADER_BYTES_WITH_ADDRESSES))
        return error_set(error, "is cut off within its Multiboot header");
    uint32_t own = load_le32(header + HEADER_OWN_ADDRESS), load = load_le32(header + HEADER_LOAD);
    uint32_t load_end = load_le32(header + HEADER_LOAD_END);
    uint32_t bss_end = load_le32(header + HEADER_BSS_END);
    if (own < load || own - load > header_offset || (load_end != 0 && load_end < load))
        return error_set(error, "has a Multiboot header whose addresses contradict each other");
    uint64_t offset = header_offset - (own - load);
    uint64_t size = load_end != 0 ? load_end - load : file->size - offset;
    if (!is_inside(file, offset, size))
        return error_set(error, "is cut off: its header speaks of %llu bytes, the file has %zu",
                         (unsigned long long)(offset + size), file->size);
    uint64_t end = load + size > bss_end ? load + size : bss_end;
    if (!check_place(load, end, ram_bytes, error))
        return false;
    Segment segment = {load, (uint32_t)(end - load), (uint32_t)offset, (uint32_t)size};
    clear_piece(&image->kernel, load, end);
    copy_segment(&image->kernel, file, &segment);
    image->entry = load_le32(header + HEADER_ENTRY);
    return true;
}

/* --- modules ------------------------------------------------------------------------------------
 */

typedef struct Module {
    uint32_t start, end;
    ByteBuffer text; /* "FILE ARGUMENTS" and a NUL */
} Module;

typedef struct ModuleList {
    Module module[MODULES_MAX];
    unsigned count;
} ModuleList;

/* Takes the first module's text off the list, which commas divide; a doubled comma is one of the
 * text. */
static const char *take_module_text(const char *list, ByteBuffer *text) {
    for (; *list != '\0'; list++) {
        if (*list == ',' && *++list != ',')
            break;
        byte_buffer_append(text, list, 1);
    }
    byte_buffer_append(text, "", 1);
    return list;
}

static bool read_module(Module *module, KernelPiece *modules, uint64_t ram_bytes, Error *error) {
    static const uint8_t zeros[4096];
    char *text = (char *)module->text.data;
    size_t name_length = strcspn(text, " ");
    char after = text[name_length];
    byte_buffer_append(&modules->bytes, zeros, -modules->bytes.size % sizeof(zeros));
    module->start = modules->address + (uint32_t)modules->bytes.size;
    text[name_length] = '\0';
    ByteBuffer file = {.data = NULL};
    bool good = kernel_file_read(text, "module", ram_bytes, &file, error);
    if (good &&
        modules->address + modules->bytes.size + file.size > ram_bytes - KERNEL_FIRMWARE_BYTES)
        good = error_set(error, "module '%s' does not fit into the machine's %llu MB of memory",
                         text, (unsigned long long)ram_bytes >> 20);
    if (good)
        byte_buffer_append(&modules->bytes, file.data, file.size);
    byte_buffer_free(&file);
    text[name_length] = after;
    module->end = modules->address + (uint32_t)modules->bytes.size;
    return good;
}

static bool read_modules(ModuleList *list, KernelImage *image, const KernelRequest *request,
                         Error *error) {
    const char *rest = request->initrd;
    uint64_t start = image->kernel.address + image->kernel.bytes.size;
    start = start < HIGH_MEMORY ? HIGH_MEMORY : (start + 0xFFF) & ~0xFFFull;
    image->initrd.address = (uint32_t)start;
    while (rest != NULL && *rest != '\0') {
        if (list->count == MODULES_MAX)
            return error_set(error, "there can be no more than %d modules", MODULES_MAX);
        Module *module = &list->module[list->count++];
        rest = take_module_text(rest, &module->text);
        if (!read_module(module, &image->initrd, request->ram_bytes, error))
            return false;
    }
    return true;
}

/* --- the information ----------------------------------------------------------------------------
 */

static uint32_t info_append(KernelPiece *info, const void *data, size_t size) {
    uint32_t address = info->address + (uint32_t)info->bytes.size;
    byte_buffer_append(&info->bytes, data, size);
    return address;
}

static bool make_info(KernelImage *image, const ModuleList *modules, const KernelRequest *request,
                      Error *error) {
    KernelPiece *piece = &image->setup;
    uint8_t info[INFO_BYTES] = {0}, table[MODULES_MAX * MODULE_BYTES] = {0};
    const KernelPiece *kernel = &image->kernel;
    uint32_t address = info_address(kernel->address, kernel->address + kernel->bytes.size);
    clear_piece(piece, address, address + INFO_BYTES + MAP_BYTES);
    for (unsigned i = 0; i < modules->count; i++) {
        const Module *module = &modules->module[i];
        store_le32(table + i * MODULE_BYTES, module->start);
        store_le32(table + i * MODULE_BYTES + 4, module->end);
        store_le32(table + i * MODULE_BYTES + 8,
                   info_append(piece, module->text.data, module->text.size));
    }
    ByteBuffer line = {.data = NULL};
    byte_buffer_print(&line, "%s%s%s", request->kernel, *request->command_line != '\0' ? " " : "",
                      request->command_line);
    store_le32(info + INFO_COMMAND_LINE, info_append(piece, line.data, line.size + 1));
    byte_buffer_free(&line);
    store_le32(info + INFO_LOADER_NAME, info_append(piece, LOADER_NAME, sizeof(LOADER_NAME)));
    info_append(piece, table, -piece->bytes.size % 4);
    store_le32(info + INFO_MODULES, info_append(piece, table, modules->count * MODULE_BYTES));
    store_le32(info + INFO_MODULE_COUNT, modules->count);
    store_le32(info + INFO_FLAGS, INFO_HAS_MEMORY | INFO_HAS_BOOT_DEVICE | INFO_HAS_COMMAND_LINE |
                                      INFO_HAS_MODULES | INFO_HAS_MAP | INFO_HAS_LOADER_NAME);
    store_le32(info + INFO_BOOT_DEVICE, BOOT_DEVICE);
    store_le32(info + INFO_MAP_ADDRESS, address + INFO_BYTES);
    store_le32(info + INFO_MAP_LENGTH, MAP_BYTES);
    memcpy(piece->bytes.data, info, INFO_BYTES);
    return piece->bytes.size <= INFO_BYTES_MAX ||
           error_set(error, "the command lines of the kernel and its modules are too long");
}

static bool load_kernel(KernelImage *image, const ByteBuffer *file, uint64_t ram_bytes,
                        Error *error) {
    const uint8_t *header = find_header(file);
    uint32_t flags = load_le32(header + HEADER_FLAGS);
    if (flags & FLAGS_REQUIRED & ~FLAGS_KNOWN)
        return error_set(error, "asks for Multiboot features that are not known (flags %#x)",
                         flags);
    bool good = flags & FLAG_ADDRESSES ? load_by_header(image, file, header, ram_bytes, error)
                                       : load_elf(image, file, ram_bytes, error);
    return good && (image->entry != 0 || error_set(error, "has no entry"));
}

bool kernel_multiboot_load(KernelImage *image, const ByteBuffer *file, const KernelRequest *request,
                           Error *error) {
    ModuleList modules = {.count = 0};
    if (!load_kernel(image, file, request->ram_bytes, error))
        return error_prefix(error, "kernel '%s' ", request->kernel);
    bool good =
        read_modules(&modules, image, request, error) && make_info(image, &modules, request, error);
    for (unsigned i = 0; i < modules.count; i++)
        byte_buffer_free(&modules.module[i].text);
    return good;
}
