/* Firmware look-up: BIOS and VGA BIOS as the distribution packages them, found at run time. */
#ifndef REPRISE_FIRMWARE_H
#define REPRISE_FIRMWARE_H

#include "byte_buffer.h"
#include "error.h"

#define FIRMWARE_BIOS "bios-256k.bin"
#define FIRMWARE_ISA_BIOS "bios.bin" /* smaller: for a board without PCI */
#define FIRMWARE_VGA_BIOS "vgabios-stdvga.bin"
#define FIRMWARE_ISA_VGA_BIOS "vgabios-isavga.bin"
#define FIRMWARE_CIRRUS_BIOS "vgabios-cirrus.bin"

/* Loads the file 'name' into 'image' (which must be empty). It is looked for in 'folder' (what -L
 * says; may be NULL), then where distributions put firmware, then in the working directory. A
 * missing file is an error that names the package that has it. */
bool firmware_load(const char *name, const char *folder, ByteBuffer *image, Error *error);

/* The same for a file that the user names: a path, or a name that is looked for in the working
 * directory first. The error for a missing file does not speak of packages. */
bool firmware_load_file(const char *name, const char *folder, ByteBuffer *image, Error *error);

/* Is there such firmware? For what can be done without. */
bool firmware_exists(const char *name, const char *folder);

/* The option ROM that starts a kernel (kernel_boot/kernel_boot.asm). Its checksum is not filled in:
 * the byte at KERNEL_BOOT_ROM_CHECKSUM is to make the sum of all bytes zero. */
#define KERNEL_BOOT_ROM_CHECKSUM 5
extern const uint8_t kernel_boot_rom[];
extern const size_t kernel_boot_rom_size;

#endif
