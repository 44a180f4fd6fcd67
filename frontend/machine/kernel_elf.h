/* 32-bit ELF files as kernels. (System V ABI, 'ELF'; its supplement for the Intel386.) */
#ifndef REPRISE_KERNEL_ELF_H
#define REPRISE_KERNEL_ELF_H

#include "error.h"
#include "kernel_image.h"

/* What is not loaded as a segment, handed over beside the kernel. */
typedef struct ElfSections {
    uint32_t count; /* 0: there are none */
    uint32_t header_bytes, table, names;
} ElfSections;

/* Lays the segments out as image->kernel, and finds the entry's physical address. */
bool kernel_elf_load(KernelImage *image, const ByteBuffer *file, uint64_t ram_bytes, Error *error);

/* Appends the table of section headers to the piece, and the sections that no segment holds, the
 * symbols among them. Nothing where the file has no good ones or memory no room. */
void kernel_elf_add_sections(KernelPiece *piece, const ByteBuffer *file, uint64_t ram_bytes,
                             ElfSections *sections);

#endif
