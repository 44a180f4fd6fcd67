/* Linux kernels: bzImage, and zImage as it was before. The boot sector's last bytes and the start
 * of the setup code after it are a header that loader and kernel fill in for each other.
 * (Documentation/arch/x86/boot.rst of Linux, 'The Linux/x86 Boot Protocol'.) */
#include "kernel_image.h"
#include "little_endian.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets in the file, and in memory from the start of the real-mode part. */
enum {
    OLD_COMMAND_LINE_MAGIC = 0x20, /* before protocol 2.02 */
    OLD_COMMAND_LINE_OFFSET = 0x22,
    HEADER_SETUP_SECTORS = 0x1F1,
    HEADER_SYSTEM_PARAGRAPHS = 0x1F4, /* 32 bits since 2.04, before: 16 */
    HEADER_VIDEO_MODE = 0x1FA,
    HEADER_BOOT_FLAG = 0x1FE,
    HEADER_MAGIC = 0x202,
    HEADER_VERSION = 0x206,
    HEADER_LOADER_TYPE = 0x210,
    HEADER_LOAD_FLAGS = 0x211,
    HEADER_INITRD_ADDRESS = 0x218,
    HEADER_INITRD_SIZE = 0x21C,
    HEADER_HEAP_END = 0x224,
    HEADER_COMMAND_LINE = 0x228,      /* since 2.02 */
    HEADER_INITRD_MAX = 0x22C,        /* since 2.03 */
    HEADER_COMMAND_LINE_MAX = 0x238,  /* since 2.06 */
    HEADER_PREFERRED_ADDRESS = 0x258, /* since 2.10 */
    HEADER_MEMORY_NEEDED = 0x260,     /* since 2.10 */
    HEADER_END = 0x268,               /* in the second of at least two sectors */
};

enum {
    SECTOR_BYTES = 512,
    SETUP_SECTORS_DEFAULT = 4, /* what 0 means */
    SETUP_BYTES_MAX = 0x8000,  /* heap and stack follow */
    BOOT_FLAG = 0xAA55,
    OLD_COMMAND_LINE = 0xA33F,
    LOADER_TYPE = 0xB0, /* assigned to QEMU, whose machine this is */
    LOAD_FLAG_HIGH = 0x01,
    LOAD_FLAG_HEAP = 0x80,
    COMMAND_LINE_MAX_DEFAULT = 255,
    COMMAND_LINE_ROOM = 4095, /* more than any kernel takes */
    STACK_BYTES = 0x200,      /* between heap and command line */
};

#define LOW_KERNEL_ADDRESS 0x10000u
#define HIGH_KERNEL_ADDRESS 0x100000u
/* The real-mode part's places, and the ends of the 64 KB or less that it shares with its heap, its
 * stack and, in old kernels, the command line. */
#define SETUP_ADDRESS 0x10000u
#define COMMAND_LINE_ADDRESS 0x20000u
#define OLD_SETUP_ADDRESS 0x90000u
#define OLD_SETUP_END 0x9A000u
#define INITRD_MAX_DEFAULT 0x37FFFFFFu

typedef struct LinuxHeader {
    unsigned version; /* 0x20F is 2.15; 0: from before the protocol had versions */
    uint32_t setup_bytes;
    bool loads_high;
    uint64_t preferred_address, memory_needed; /* 0: not told */
    uint32_t initrd_max;
    uint32_t command_line_max;
} LinuxHeader;

static uint32_t setup_bytes(const ByteBuffer *file) {
    unsigned sectors = file->data[HEADER_SETUP_SECTORS];
    return (1 + (sectors != 0 ? sectors : SETUP_SECTORS_DEFAULT)) * SECTOR_BYTES;
}

/* What the file must have. Old high kernels are larger than their field can say. */
static uint64_t file_bytes(const ByteBuffer *file, unsigned version) {
    uint64_t paragraphs = version >= 0x204 ? load_le32(file->data + HEADER_SYSTEM_PARAGRAPHS)
                                           : load_le16(file->data + HEADER_SYSTEM_PARAGRAPHS);
    return setup_bytes(file) + paragraphs * 16;
}

static bool has_version(const ByteBuffer *file) {
    return memcmp(file->data + HEADER_MAGIC, "HdrS", 4) == 0;
}

/* Before the header had its magic, a kernel was known by its boot sector alone: such a file is
 * exactly as long as its fields say. */
bool kernel_linux_probe(const ByteBuffer *file) {
    if (file->size < HEADER_END || load_le16(file->data + HEADER_BOOT_FLAG) != BOOT_FLAG)
        return false;
    return has_version(file) || (file->data[HEADER_SETUP_SECTORS] == SETUP_SECTORS_DEFAULT &&
                                 (file->size + 15) / 16 == file_bytes(file, 0) / 16);
}

static bool read_header(LinuxHeader *header, const ByteBuffer *file, Error *error) {
    const uint8_t *data = file->data;
    bool versioned = has_version(file);
    *header = (LinuxHeader){.initrd_max = INITRD_MAX_DEFAULT,
                            .command_line_max = COMMAND_LINE_MAX_DEFAULT};
    header->version = versioned ? load_le16(data + HEADER_VERSION) : 0;
    header->setup_bytes = setup_bytes(file);
    header->loads_high =
        header->version >= 0x200 && (data[HEADER_LOAD_FLAGS] & LOAD_FLAG_HIGH) != 0;
    if (header->version >= 0x203)
        header->initrd_max = load_le32(data + HEADER_INITRD_MAX);
    uint32_t command_line_max = load_le32(data + HEADER_COMMAND_LINE_MAX);
    if (header->version >= 0x206 && command_line_max != 0)
        header->command_line_max =
            command_line_max < COMMAND_LINE_ROOM ? command_line_max : COMMAND_LINE_ROOM;
    if (header->version >= 0x20A) {
        header->preferred_address = load_le64(data + HEADER_PREFERRED_ADDRESS);
        header->memory_needed = load_le32(data + HEADER_MEMORY_NEEDED);
    }
    uint64_t whole = file_bytes(file, header->version);
    if (header->setup_bytes > SETUP_BYTES_MAX || header->preferred_address > UINT32_MAX)
        return error_set(error, "has a damaged header");
    /* The last paragraph may be a part of one. */
    if (file->size <= header->setup_bytes || file->size + 15 < whole)
        return error_set(
            error, "is cut off: it should have %llu bytes, not %zu",
            (unsigned long long)(whole > header->setup_bytes ? whole : header->setup_bytes + 16),
            file->size);
    return true;
}

static bool place_command_line(KernelImage *image, const LinuxHeader *header, const char *text,
                               Error *error) {
    size_t length = strlen(text);
    if (length > header->command_line_max)
        return error_set(error, "takes a command line of at most %u characters, not %zu",
                         header->command_line_max, length);
    byte_buffer_append(&image->command_line.bytes, text, length + 1);
    bool old = !header->loads_high || header->version < 0x202;
    image->setup.address = old ? OLD_SETUP_ADDRESS : SETUP_ADDRESS;
    image->command_line.address =
        old ? (OLD_SETUP_END - (uint32_t)(length + 1)) & ~15u : COMMAND_LINE_ADDRESS;
    return true;
}

/* "vga=ask", "vga=0x317": asked of the loader, which passes it on in the header. */
static void fill_video_mode(uint8_t *setup, const char *command_line) {
    static const struct {
        const char *name;
        uint16_t mode;
    } names[] = {{"normal", 0xFFFF}, {"ext", 0xFFFE}, {"ask", 0xFFFD}};
    const char *value = NULL;
    for (const char *word = command_line; *word != '\0';
         word += strcspn(word, " "), word += strspn(word, " ")) {
        if (strncmp(word, "vga=", 4) == 0)
            value = word + 4;
    }
    if (value == NULL)
        return;
    size_t length = strcspn(value, " ");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i].name) == length && strncmp(names[i].name, value, length) == 0) {
            store_le16(setup + HEADER_VIDEO_MODE, names[i].mode);
            return;
        }
    }
    char *end;
    unsigned long mode = strtoul(value, &end, 0);
    if (end == value + length && length != 0 && mode <= UINT16_MAX)
        store_le16(setup + HEADER_VIDEO_MODE, (uint16_t)mode);
}

/* Where the running kernel ends that unpacks itself over what was loaded. */
static uint64_t kernel_end(const LinuxHeader *header, const KernelPiece *kernel) {
    uint64_t loaded = kernel->address + kernel->bytes.size;
    uint64_t start =
        header->preferred_address > kernel->address ? header->preferred_address : kernel->address;
    uint64_t unpacked = header->memory_needed != 0 ? start + header->memory_needed : 0;
    return unpacked > loaded ? unpacked : loaded;
}

static bool check_memory(const KernelImage *image, const LinuxHeader *header, uint64_t ram_bytes,
                         Error *error) {
    uint64_t end = kernel_end(header, &image->kernel) + KERNEL_FIRMWARE_BYTES;
    return !header->loads_high || end <= ram_bytes ||
           error_set(error, "needs a machine with at least %llu MB of memory (-m)",
                     (unsigned long long)(end + 0xFFFFF) >> 20);
}

/* As high as kernel and firmware allow, since the kernel unpacks itself from below. */
static bool place_initrd(KernelImage *image, const LinuxHeader *header,
                         const KernelRequest *request, Error *error) {
    ByteBuffer *bytes = &image->initrd.bytes;
    if (request->initrd == NULL)
        return true;
    if (header->version < 0x200)
        return error_set(error, "kernel '%s' is too old for an initrd", request->kernel);
    if (!kernel_file_read(request->initrd, "initrd", request->ram_bytes, bytes, error))
        return false;
    uint64_t top = request->ram_bytes - KERNEL_FIRMWARE_BYTES;
    if (top > (uint64_t)header->initrd_max + 1)
        top = (uint64_t)header->initrd_max + 1;
    uint64_t lowest = kernel_end(header, &image->kernel);
    if (lowest < HIGH_KERNEL_ADDRESS)
        lowest = HIGH_KERNEL_ADDRESS;
    if (bytes->size > top || ((top - bytes->size) & ~0xFFFull) < lowest)
        return error_set(error, "initrd '%s' does not fit beside the kernel into %llu MB of memory",
                         request->initrd, (unsigned long long)request->ram_bytes >> 20);
    image->initrd.address = (uint32_t)((top - bytes->size) & ~0xFFFull);
    return true;
}

static void fill_header(KernelImage *image, const LinuxHeader *header, const char *command_line) {
    uint8_t *setup = image->setup.bytes.data;
    uint32_t command_address = image->command_line.address;
    uint32_t command_offset = command_address - image->setup.address;
    fill_video_mode(setup, command_line);
    if (header->version >= 0x202) {
        store_le32(setup + HEADER_COMMAND_LINE, command_address);
    } else {
        store_le16(setup + OLD_COMMAND_LINE_MAGIC, OLD_COMMAND_LINE);
        store_le16(setup + OLD_COMMAND_LINE_OFFSET, (uint16_t)command_offset);
    }
    if (header->version >= 0x200) {
        setup[HEADER_LOADER_TYPE] = LOADER_TYPE;
        store_le32(setup + HEADER_INITRD_ADDRESS, image->initrd.address);
        store_le32(setup + HEADER_INITRD_SIZE, (uint32_t)image->initrd.bytes.size);
    }
    if (header->version >= 0x201) {
        setup[HEADER_LOAD_FLAGS] |= LOAD_FLAG_HEAP;
        store_le16(setup + HEADER_HEAP_END, (uint16_t)(command_offset - STACK_BYTES));
    }
}

static bool load_kernel(KernelImage *image, LinuxHeader *header, const ByteBuffer *file,
                        const KernelRequest *request, Error *error) {
    if (!read_header(header, file, error) ||
        !place_command_line(image, header, request->command_line, error))
        return false;
    image->kernel.address = header->loads_high ? HIGH_KERNEL_ADDRESS : LOW_KERNEL_ADDRESS;
    byte_buffer_append(&image->kernel.bytes, file->data + header->setup_bytes,
                       file->size - header->setup_bytes);
    if (!header->loads_high && image->kernel.bytes.size > OLD_SETUP_ADDRESS - LOW_KERNEL_ADDRESS)
        return error_set(error, "is too large for a kernel that is loaded below 640 KB");
    byte_buffer_append(&image->setup.bytes, file->data, header->setup_bytes);
    return check_memory(image, header, request->ram_bytes, error);
}

bool kernel_linux_load(KernelImage *image, const ByteBuffer *file, const KernelRequest *request,
                       Error *error) {
    LinuxHeader header;
    if (!load_kernel(image, &header, file, request, error))
        return error_prefix(error, "kernel '%s' ", request->kernel);
    if (!place_initrd(image, &header, request, error))
        return false;
    fill_header(image, &header, request->command_line);
    return true;
}
