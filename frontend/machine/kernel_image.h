/* Kernels that a machine starts by itself: what a file for -kernel becomes in guest memory. */
#ifndef REPRISE_KERNEL_IMAGE_H
#define REPRISE_KERNEL_IMAGE_H

#include "byte_buffer.h"
#include "error.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct KernelRequest {
    const char *kernel; /* file */
    const char *initrd; /* file, or list of modules; NULL: none */
    const char *command_line;
    uint64_t ram_bytes;
} KernelRequest;

/* A run of bytes and its physical address. */
typedef struct KernelPiece {
    uint32_t address;
    ByteBuffer bytes;
} KernelPiece;

/* What the option ROM (roms/kernel_boot) puts into memory. */
typedef struct KernelImage {
    KernelPiece kernel;
    KernelPiece initrd;       /* of a Multiboot kernel: all modules */
    KernelPiece command_line; /* of a Linux kernel; it also bounds the stack of the setup code */
    KernelPiece setup;        /* Linux: the real-mode part; Multiboot: the information */
    uint32_t entry;           /* Multiboot: where to start in protected mode; Linux: 0 */
} KernelImage;

/* Reads and places the kernel; 'image' must be zeroed. An error is one line that names the file. */
bool kernel_image_load(KernelImage *image, const KernelRequest *request, Error *error);
void kernel_image_free(KernelImage *image);

/* For the files of the formats. */

/* The firmware's own tables lie at the top of RAM. */
#define KERNEL_FIRMWARE_BYTES (1u << 20)

/* Reads a whole file that must fit into RAM; 'what' names its role in errors ("kernel"). */
bool kernel_file_read(const char *path, const char *what, uint64_t ram_bytes, ByteBuffer *bytes,
                      Error *error);

/* kernel_linux.c: is it a Linux kernel ('file' has its bytes), and its pieces. */
bool kernel_linux_probe(const ByteBuffer *file);
bool kernel_linux_load(KernelImage *image, const ByteBuffer *file, const KernelRequest *request,
                       Error *error);

/* kernel_multiboot.c */
bool kernel_multiboot_probe(const ByteBuffer *file);
bool kernel_multiboot_load(KernelImage *image, const ByteBuffer *file, const KernelRequest *request,
                           Error *error);

#endif
