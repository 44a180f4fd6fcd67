/* What several verbs of 'reprise image' need. */
#include "image_verbs.h"
#include "allocate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static BlockNode *open_image(const ImageArguments *arguments, const char *path, const char *format,
                             bool writable, bool alone, Error *error) {
    bool from_snapshot = arguments->verb == IMAGE_CONVERT || arguments->verb == IMAGE_MEASURE;
    BlockOptions options = {
        .path = path,
        .format = format,
        .read_only = !writable,
        .any_content = true,
        .internal_snapshot = from_snapshot && !writable ? arguments->snapshot : NULL,
        .no_backing = alone,
        .unlocked = arguments->force_share,
        .repair = arguments->repair_leaks,
    };
    return block_open(&options, error);
}

BlockNode *image_open(const ImageArguments *arguments, const char *path, const char *format,
                      bool writable, Error *error) {
    bool alone = arguments->verb == IMAGE_INFO || arguments->verb == IMAGE_SNAPSHOT;
    return open_image(arguments, path, format, writable, alone, error);
}

BlockNode *image_open_alone(const ImageArguments *arguments, const char *path, const char *format,
                            bool writable, Error *error) {
    return open_image(arguments, path, format, writable, true, error);
}

uint64_t image_round_up(uint64_t length) {
    return (length + BLOCK_SECTOR_BYTES - 1) / BLOCK_SECTOR_BYTES * BLOCK_SECTOR_BYTES;
}

uint64_t image_length(const BlockNode *node) {
    return image_round_up(block_length(node));
}

bool image_is_zero(const uint8_t *data, size_t size) {
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

bool image_check_format(const char **format, Error *error) {
    if (*format == NULL)
        *format = "raw";
    if (!block_format_exists(*format))
        return error_set(error, "unknown format '%s'; 'reprise image --help' lists them", *format);
    return block_format_creates(*format) ||
           error_set(error, "images of the format %s cannot be made", *format);
}

bool image_check_backing(const ImageArguments *arguments, const char *format, Error *error) {
    if (arguments->backing == NULL)
        return arguments->second_format == NULL ||
               error_set(error, "-F is the format of a backing image, and there is none");
    if (!block_format_backs(format))
        return error_set(error, "the format %s has no backing images", format);
    if (arguments->second_format == NULL)
        return error_set(error, "a backing image needs its format: -F FORMAT");
    return block_format_exists(arguments->second_format) ||
           error_set(error, "unknown format '%s'; 'reprise image --help' lists them",
                     arguments->second_format);
}

char *image_backing_path(const char *path, const char *backing) {
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL && backing[0] != '/' ? (int)(slash - path) + 1 : 0;
    size_t room = (size_t)folder + strlen(backing) + 1;
    char *name = allocate_zeroed(room);
    snprintf(name, room, "%.*s%s", folder, path, backing);
    return name;
}

BlockNode *image_open_backing(const ImageArguments *arguments, const char *path,
                              const char *backing, const char *format, Error *error) {
    char *name = image_backing_path(path, backing);
    BlockNode *node = image_open(arguments, name, format, false, error);
    free(name);
    return node;
}

/* Three digits, and the next unit from 1000 on rather than from 1024: as qemu-img. */
void image_format_size(uint64_t bytes, char *text) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    for (; value >= 1000; unit++)
        value /= 1024;
    snprintf(text, 32, "%0.3g %s", value, units[unit]);
}

void image_print_create_options(const char *format) {
    printf("Supported %s options:\n", format);
    for (const BlockCreateOption *option = block_format_create_options(format);
         option->name != NULL; option++) {
        char left[64];
        snprintf(left, sizeof(left), "%s=%s", option->name, option->argument);
        printf("  %-22s - %s\n", left, option->help);
    }
}
