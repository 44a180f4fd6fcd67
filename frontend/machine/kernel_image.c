#include "kernel_image.h"
#include "host_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool check_file(FILE *file, uint64_t ram_bytes, Error *error) {
    struct stat info;
    if (fstat(fileno(file), &info) != 0)
        return error_set(error, "cannot be read: %s", strerror(errno));
    if (S_ISDIR(info.st_mode))
        return error_set(error, "is a folder");
    if (S_ISREG(info.st_mode) && info.st_size == 0)
        return error_set(error, "is empty");
    return (uint64_t)info.st_size < ram_bytes ||
           error_set(error, "does not fit into the machine's %llu MB of memory",
                     (unsigned long long)ram_bytes >> 20);
}

static bool read_bytes(FILE *file, uint64_t ram_bytes, ByteBuffer *bytes, Error *error) {
    uint8_t block[65536];
    size_t count;
    while (bytes->size < ram_bytes && (count = fread(block, 1, sizeof(block), file)) > 0)
        byte_buffer_append(bytes, block, count);
    if (ferror(file))
        return error_set(error, "cannot be read: %s", strerror(errno));
    return bytes->size != 0 || error_set(error, "is empty");
}

bool kernel_file_read(const char *path, const char *what, uint64_t ram_bytes, ByteBuffer *bytes,
                      Error *error) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(error, "%s '%s' cannot be opened: %s", what, path, strerror(errno));
    bool good = check_file(file, ram_bytes, error) && read_bytes(file, ram_bytes, bytes, error);
    fclose(file);
    return good || error_prefix(error, "%s '%s' ", what, path);
}

bool kernel_image_load(KernelImage *image, const KernelRequest *request, Error *error) {
    ByteBuffer file = {.data = NULL};
    bool good = kernel_file_read(request->kernel, "kernel", request->ram_bytes, &file, error);
    if (good && kernel_linux_probe(&file))
        good = kernel_linux_load(image, &file, request, error);
    else if (good && kernel_multiboot_probe(&file))
        good = kernel_multiboot_load(image, &file, request, error);
    else if (good)
        good = error_set(error, "'%s' is no kernel: neither Linux (bzImage) nor Multiboot",
                         request->kernel);
    byte_buffer_free(&file);
    if (!good)
        kernel_image_free(image);
    return good;
}

void kernel_image_free(KernelImage *image) {
    byte_buffer_free(&image->kernel.bytes);
    byte_buffer_free(&image->initrd.bytes);
    byte_buffer_free(&image->command_line.bytes);
    byte_buffer_free(&image->setup.bytes);
}
