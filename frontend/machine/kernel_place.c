#include "kernel_place.h"

#include <string.h>

bool kernel_file_holds(const ByteBuffer *file, uint64_t offset, uint64_t size) {
    return offset <= file->size && size <= file->size - offset;
}

uint32_t kernel_place_info(uint64_t kernel_start, uint64_t kernel_end) {
    if (kernel_start >= KERNEL_LOW_MEMORY + KERNEL_INFO_BYTES)
        return KERNEL_LOW_MEMORY;
    return (uint32_t)(kernel_end + 15) & ~15u;
}

bool kernel_place_check(uint64_t start, uint64_t end, uint64_t ram_bytes, Error *error) {
    uint64_t top = ram_bytes > KERNEL_HIGH_MEMORY + KERNEL_FIRMWARE_BYTES
                       ? ram_bytes - KERNEL_FIRMWARE_BYTES
                       : ram_bytes;
    if (start >= KERNEL_HIGH_MEMORY
            ? end <= top
            : start >= KERNEL_LOW_MEMORY && end <= KERNEL_LOW_MEMORY_END &&
                  kernel_place_info(start, end) + KERNEL_INFO_BYTES <= KERNEL_LOW_MEMORY_END)
        return true;
    return error_set(error,
                     "is to lie from %#llx to %#llx, where a machine with %llu MB of memory has no "
                     "room for it",
                     (unsigned long long)start, (unsigned long long)end,
                     (unsigned long long)ram_bytes >> 20);
}

void kernel_piece_clear(KernelPiece *piece, uint32_t start, uint64_t end) {
    static const uint8_t zeros[4096];
    piece->address = start;
    while (piece->bytes.size < end - start) {
        uint64_t left = end - start - piece->bytes.size;
        byte_buffer_append(&piece->bytes, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
    }
}

void kernel_piece_copy(KernelPiece *piece, uint32_t address, const uint8_t *data, size_t size) {
    if (size != 0)
        memcpy(piece->bytes.data + (address - piece->address), data, size);
}
