#include "kernel_elf.h"
#include "kernel_place.h"
#include "little_endian.h"

#include <string.h>

enum {
    ELF_CLASS = 4,
    ELF_DATA = 5,
    ELF_MACHINE = 18,
    ELF_ENTRY = 24,
    ELF_SEGMENTS = 28,
    ELF_SECTIONS = 32,
    ELF_SEGMENT_SIZE = 42,
    ELF_SEGMENT_COUNT = 44,
    ELF_SECTION_SIZE = 46,
    ELF_SECTION_COUNT = 48,
    ELF_SECTION_NAMES = 50,
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

enum {
    SECTION_TYPE = 4,
    SECTION_FLAGS = 8,
    SECTION_ADDRESS = 12,
    SECTION_OFFSET = 16,
    SECTION_SIZE = 20,
    SECTION_BYTES = 40,
    SECTION_TYPE_NONE = 0,
    SECTION_TYPE_NOBITS = 8,
    SECTION_ALLOCATED = 2,
};

/* A part of the file, and where it belongs. What it has less than memory is zeros. */
typedef struct Segment {
    uint32_t address, memory_bytes;
    uint32_t offset, file_bytes;
} Segment;

/* Linkers give the ELF headers a segment of their own in the page before the text, which may be the
 * BIOS's. A kernel does without. */
static bool is_headers_in_rom(const ByteBuffer *file, const Segment *segment) {
    uint32_t headers_end = load_le32(file->data + ELF_SEGMENTS) +
                           load_le16(file->data + ELF_SEGMENT_COUNT) * (uint32_t)SEGMENT_BYTES;
    return segment->offset == 0 && segment->memory_bytes <= headers_end &&
           segment->address >= KERNEL_LOW_MEMORY_END && segment->address < KERNEL_HIGH_MEMORY;
}

/* The segment of number 'index'; one that is not loaded has no bytes. */
static bool read_segment(const ByteBuffer *file, unsigned index, Segment *segment, uint32_t *entry,
                         Error *error) {
    uint64_t at = load_le32(file->data + ELF_SEGMENTS) +
                  (uint64_t)index * load_le16(file->data + ELF_SEGMENT_SIZE);
    *segment = (Segment){.memory_bytes = 0};
    if (!kernel_file_holds(file, at, SEGMENT_BYTES))
        return error_set(error, "is cut off within its ELF headers");
    const uint8_t *data = file->data + at;
    if (load_le32(data + SEGMENT_TYPE) != SEGMENT_TYPE_LOAD)
        return true;
    Segment found = {load_le32(data + SEGMENT_PHYSICAL), load_le32(data + SEGMENT_MEMORY_BYTES),
                     load_le32(data + SEGMENT_OFFSET), load_le32(data + SEGMENT_FILE_BYTES)};
    if (found.memory_bytes < found.file_bytes)
        found.memory_bytes = found.file_bytes;
    if (!kernel_file_holds(file, found.offset, found.file_bytes))
        return error_set(error, "is cut off: a segment of it ends at byte %llu, the file at %zu",
                         (unsigned long long)found.offset + found.file_bytes, file->size);
    if (is_headers_in_rom(file, &found))
        return true;
    *segment = found;
    /* An entry by virtual address, in a kernel that is to be mapped elsewhere. */
    uint32_t distance = load_le32(file->data + ELF_ENTRY) - load_le32(data + SEGMENT_VIRTUAL);
    if (distance < segment->memory_bytes)
        *entry = segment->address + distance;
    return true;
}

static bool check_elf(const ByteBuffer *file, Error *error) {
    const uint8_t *data = file->data;
    static const uint8_t magic[4] = {0x7F, 'E', 'L', 'F'};
    if (file->size < ELF_BYTES || memcmp(data, magic, sizeof(magic)) != 0)
        return error_set(error, "has no addresses in its Multiboot header and is no ELF file");
    if (data[ELF_CLASS] != ELF_CLASS_32 || data[ELF_DATA] != ELF_DATA_LITTLE ||
        load_le16(data + ELF_MACHINE) != ELF_MACHINE_386)
        return error_set(error, "is no ELF file for i386; Multiboot starts 32-bit kernels");
    return true;
}

bool kernel_elf_load(KernelImage *image, const ByteBuffer *file, uint64_t ram_bytes, Error *error) {
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
    if (!kernel_place_check(start, end, ram_bytes, error))
        return false;
    kernel_piece_clear(&image->kernel, (uint32_t)start, end);
    for (unsigned i = 0; i < count; i++) {
        if (read_segment(file, i, &segment, &image->entry, error))
            kernel_piece_copy(&image->kernel, segment.address, file->data + segment.offset,
                              segment.file_bytes);
    }
    return true;
}

/* --- sections -----------------------------------------------------------------------------------
 */

static void align_piece(KernelPiece *piece) {
    static const uint8_t zeros[16];
    byte_buffer_append(&piece->bytes, zeros, -piece->bytes.size % sizeof(zeros));
}

/* Has the section bytes in the file that no segment brings into memory? */
static bool is_left_over(const uint8_t *header) {
    uint32_t type = load_le32(header + SECTION_TYPE);
    return type != SECTION_TYPE_NONE && type != SECTION_TYPE_NOBITS &&
           !(load_le32(header + SECTION_FLAGS) & SECTION_ALLOCATED) &&
           load_le32(header + SECTION_SIZE) != 0;
}

/* All that add_sections() would append; UINT64_MAX if a section lies outside the file. */
static uint64_t bytes_of_sections(const ByteBuffer *file, uint64_t at, unsigned count,
                                  unsigned header_bytes) {
    uint64_t bytes = (uint64_t)count * header_bytes + 16;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *header = file->data + at + (uint64_t)i * header_bytes;
        if (!is_left_over(header))
            continue;
        uint32_t size = load_le32(header + SECTION_SIZE);
        if (!kernel_file_holds(file, load_le32(header + SECTION_OFFSET), size))
            return UINT64_MAX;
        bytes += (uint64_t)size + 16;
    }
    return bytes;
}

void kernel_elf_add_sections(KernelPiece *piece, const ByteBuffer *file, uint64_t ram_bytes,
                             ElfSections *sections) {
    uint64_t at = load_le32(file->data + ELF_SECTIONS);
    unsigned count = load_le16(file->data + ELF_SECTION_COUNT);
    unsigned header_bytes = load_le16(file->data + ELF_SECTION_SIZE);
    if (at == 0 || count == 0 || header_bytes < SECTION_BYTES ||
        !kernel_file_holds(file, at, (uint64_t)count * header_bytes))
        return;
    uint64_t bytes = bytes_of_sections(file, at, count, header_bytes);
    uint64_t start = piece->address + piece->bytes.size;
    if (bytes > ram_bytes || !kernel_place_check(start, start + bytes, ram_bytes, NULL))
        return;
    align_piece(piece);
    size_t table = piece->bytes.size;
    byte_buffer_append(&piece->bytes, file->data + at, (size_t)count * header_bytes);
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *header = file->data + at + (uint64_t)i * header_bytes;
        if (!is_left_over(header))
            continue;
        align_piece(piece);
        store_le32(piece->bytes.data + table + (size_t)i * header_bytes + SECTION_ADDRESS,
                   piece->address + (uint32_t)piece->bytes.size);
        byte_buffer_append(&piece->bytes, file->data + load_le32(header + SECTION_OFFSET),
                           load_le32(header + SECTION_SIZE));
    }
    *sections = (ElfSections){.count = count,
                              .header_bytes = header_bytes,
                              .table = piece->address + (uint32_t)table,
                              .names = load_le16(file->data + ELF_SECTION_NAMES)};
}
