/* 'reprise image create'. */
#include "allocate.h"
#include "image_verbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without a size the image is as large as the one behind it. */
static bool find_length(const ImageArguments *arguments, uint64_t *length, Error *error) {
    const char *text = NULL;
    for (size_t i = 0; i < arguments->value_count; i++)
        if (strcmp(arguments->values[i].name, "size") == 0)
            text = arguments->values[i].value;
    if (arguments->file_count > 1)
        text = arguments->files[1];
    if (text != NULL && !image_options_parse_size(text, length, error))
        return false;
    if (arguments->backing == NULL)
        return text != NULL || error_set(error, "%s: how large? a new image needs a size, like 64M",
                                         arguments->files[0]);
    if (arguments->unchecked_backing)
        return text != NULL ||
               error_set(error, "%s: how large? with -u nobody asks the backing image",
                         arguments->files[0]);
    BlockNode *backing = image_open_backing(arguments, arguments->files[0], arguments->backing,
                                            arguments->second_format, error);
    if (backing == NULL)
        return false;
    if (text == NULL)
        *length = block_length(backing);
    block_close(backing);
    return true;
}

/* As the request was, before the size was rounded up to sectors. */
static void print_request(const char *format, const BlockCreateRequest *request, uint64_t length) {
    printf("Formatting '%s', fmt=%s size=%llu", request->path, format, (unsigned long long)length);
    if (request->backing != NULL)
        printf(" backing_file=%s backing_fmt=%s", request->backing, request->backing_format);
    for (size_t i = 0; i < request->value_count; i++)
        printf(" %s=%s", request->values[i].name, request->values[i].value);
    printf("\n");
}

int image_create(const ImageArguments *arguments, Error *error) {
    const char *format = arguments->format;
    uint64_t length = 0;
    if (!image_check_format(&format, error) || !image_check_backing(arguments, format, error) ||
        !find_length(arguments, &length, error))
        return IMAGE_FAILED;
    BlockCreateValue *values =
        allocate_zeroed((arguments->value_count + 1) * sizeof(*arguments->values));
    size_t count = 0;
    for (size_t i = 0; i < arguments->value_count; i++)
        if (strcmp(arguments->values[i].name, "size") != 0)
            values[count++] = arguments->values[i];
    BlockCreateRequest request = {
        .path = arguments->files[0],
        .length = image_round_up(length),
        .backing = arguments->backing,
        .backing_format = arguments->second_format,
        .values = values,
        .value_count = count,
    };
    bool created = block_create(format, &request, error);
    if (created && !arguments->quiet)
        print_request(format, &request, length);
    free(values);
    return created ? IMAGE_DONE : IMAGE_FAILED;
}
