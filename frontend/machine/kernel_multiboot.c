/* Multiboot kernels: a 32-bit ELF file, or any file whose Multiboot header tells where it belongs.
 * (Multiboot Specification 0.6.96.) */
#include "kernel_elf.h"
#include "kernel_image.h"
#include "kernel_place.h"
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
    INFO_SECTION_COUNT = 28,
    INFO_SECTION_SIZE = 32,
    INFO_SECTION_TABLE = 36,
    INFO_SECTION_NAMES = 40,
    INFO_MAP_LENGTH = 44,
    INFO_MAP_ADDRESS = 48,
    INFO_LOADER_NAME = 64,
    INFO_BYTES = 88,
    INFO_HAS_MEMORY = 1 << 0,
    INFO_HAS_BOOT_DEVICE = 1 << 1,
    INFO_HAS_COMMAND_LINE = 1 << 2,
    INFO_HAS_MODULES = 1 << 3,
    INFO_HAS_SECTIONS = 1 << 5,
    INFO_HAS_MAP = 1 << 6,
    INFO_HAS_LOADER_NAME = 1 << 9,
    MAP_BYTES = 64 * 24,
    MODULE_BYTES = 16,
    MODULES_MAX = 64,
};

#define BOOT_DEVICE 0x8000FFFFu /* the first disk, no partition */
#define LOADER_NAME "Reprise"

static const uint8_t *find_header(const ByteBuffer *file) {
    for (size_t at = 0; at < SEARCH_BYTES && kernel_file_holds(file, at, HEADER_BYTES); at += 4) {
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

/* --- a header with addresses --------------------------------------------------------------------
 */

static bool load_by_header(KernelImage *image, const ByteBuffer *file, const uint8_t *header,
                           uint64_t ram_bytes, Error *error) {
    uint64_t header_offset = (uint64_t)(header - file->data);
    if (!kernel_file_holds(file, header_offset, HEADER_BYTES_WITH_ADDRESSES))
        return error_set(error, "is cut off within its Multiboot header");
    uint32_t own = load_le32(header + HEADER_OWN_ADDRESS), load = load_le32(header + HEADER_LOAD);
    uint32_t load_end = load_le32(header + HEADER_LOAD_END);
    uint32_t bss_end = load_le32(header + HEADER_BSS_END);
    if (own < load || own - load > header_offset || (load_end != 0 && load_end < load))
        return error_set(error, "has a Multiboot header whose addresses contradict each other");
    uint64_t offset = header_offset - (own - load);
    uint64_t size = load_end != 0 ? load_end - load : file->size - offset;
    if (!kernel_file_holds(file, offset, size))
        return error_set(error, "is cut off: its header speaks of %llu bytes, the file has %zu",
                         (unsigned long long)(offset + size), file->size);
    uint64_t end = load + size > bss_end ? load + size : bss_end;
    if (!kernel_place_check(load, end, ram_bytes, error))
        return false;
    kernel_piece_clear(&image->kernel, load, end);
    kernel_piece_copy(&image->kernel, load, file->data + offset, (size_t)size);
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

static void store_sections(uint8_t *info, const ElfSections *sections) {
    if (sections->count == 0)
        return;
    store_le32(info + INFO_FLAGS, load_le32(info + INFO_FLAGS) | INFO_HAS_SECTIONS);
    store_le32(info + INFO_SECTION_COUNT, sections->count);
    store_le32(info + INFO_SECTION_SIZE, sections->header_bytes);
    store_le32(info + INFO_SECTION_TABLE, sections->table);
    store_le32(info + INFO_SECTION_NAMES, sections->names);
}

static bool make_info(KernelImage *image, const ModuleList *modules, const ElfSections *sections,
                      const KernelRequest *request, Error *error) {
    KernelPiece *piece = &image->setup;
    uint8_t info[INFO_BYTES] = {0}, table[MODULES_MAX * MODULE_BYTES] = {0};
    const KernelPiece *kernel = &image->kernel;
    uint32_t address = kernel_place_info(kernel->address, kernel->address + kernel->bytes.size);
    kernel_piece_clear(piece, address, address + INFO_BYTES + MAP_BYTES);
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
    store_sections(info, sections);
    memcpy(piece->bytes.data, info, INFO_BYTES);
    return piece->bytes.size <= KERNEL_INFO_BYTES ||
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
                                       : kernel_elf_load(image, file, ram_bytes, error);
    return good && (image->entry != 0 || error_set(error, "has no entry"));
}

static bool has_addresses(const ByteBuffer *file) {
    return (load_le32(find_header(file) + HEADER_FLAGS) & FLAG_ADDRESSES) != 0;
}

bool kernel_multiboot_load(KernelImage *image, const ByteBuffer *file, const KernelRequest *request,
                           Error *error) {
    ModuleList modules = {.count = 0};
    if (!load_kernel(image, file, request->ram_bytes, error))
        return error_prefix(error, "kernel '%s' ", request->kernel);
    ElfSections sections = {.count = 0};
    uint64_t behind = image->kernel.address + image->kernel.bytes.size;
    behind = behind < KERNEL_HIGH_MEMORY ? KERNEL_HIGH_MEMORY : (behind + 0xFFF) & ~0xFFFull;
    image->initrd.address = (uint32_t)behind;
    if (!has_addresses(file))
        kernel_elf_add_sections(&image->initrd, file, request->ram_bytes, &sections);
    bool good = read_modules(&modules, image, request, error) &&
                make_info(image, &modules, &sections, request, error);
    for (unsigned i = 0; i < modules.count; i++)
        byte_buffer_free(&modules.module[i].text);
    return good;
}
