/* Where the pieces of a Multiboot kernel may lie, and laying them out. */
#ifndef REPRISE_KERNEL_PLACE_H
#define REPRISE_KERNEL_PLACE_H

#include "error.h"
#include "kernel_image.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Between the option ROM's stack and what the BIOS has below 640 KB, a kernel and the information
 * that it is handed share the room: the information comes first, or behind a kernel that wants to
 * be there. */
#define KERNEL_LOW_MEMORY 0x8000u
#define KERNEL_LOW_MEMORY_END 0x9F000u
#define KERNEL_HIGH_MEMORY 0x100000u
/* The most that the information takes. */
#define KERNEL_INFO_BYTES 0x8000u

/* Where the information goes beside a kernel from 'start' to 'end'. */
uint32_t kernel_place_info(uint64_t start, uint64_t end);

/* Kernels are where RAM is: below 640 KB with room for the information, or above 1 MB. */
bool kernel_place_check(uint64_t start, uint64_t end, uint64_t ram_bytes, Error *error);

/* Do so many bytes from 'offset' on lie within the file? */
bool kernel_file_holds(const ByteBuffer *file, uint64_t offset, uint64_t size);

/* Makes the piece reach from 'start' to 'end', and zero. */
void kernel_piece_clear(KernelPiece *piece, uint32_t start, uint64_t end);
/* Puts bytes to their address, within the piece. */
void kernel_piece_copy(KernelPiece *piece, uint32_t address, const uint8_t *data, size_t size);

#endif
