/* 'reprise image amend': settings of an image that is there. */
#include "allocate.h"
#include "image_verbs.h"
#include <stdlib.h>
#include <string.h>

static bool set_length(BlockNode *node, const char *text, Error *error) {
    uint64_t length;
    if (!image_options_parse_size(text, &length, error))
        return false;
    if (image_round_up(length) < image_length(node))
        return error_set(error, "%s: is made smaller by 'resize --shrink'", block_path(node));
    return block_set_length(node, image_round_up(length), error);
}

static bool amend(const ImageArguments *arguments, BlockNode *node, Error *error) {
    BlockCreateRequest request = {.values = arguments->values,
                                  .value_count = arguments->value_count};
    const char *size = block_create_value(&request, "size");
    if (!block_amend(node, &request, error) || (size != NULL && !set_length(node, size, error)))
        return false;
    if (arguments->backing != NULL &&
        !block_set_backing(node, arguments->backing, arguments->second_format, error))
        return false;
    return block_flush(node, error);
}

int image_amend(const ImageArguments *arguments, Error *error) {
    if (arguments->value_count == 0 && arguments->backing == NULL) {
        error_set(error, "what is to be changed? -o KEY=V,...");
        return IMAGE_FAILED;
    }
    if (arguments->backing != NULL && arguments->second_format == NULL) {
        error_set(error, "a backing image needs its format: -o backing_fmt=FORMAT");
        return IMAGE_FAILED;
    }
    BlockNode *node = image_open(arguments, arguments->files[0], arguments->format, true, error);
    bool good = node != NULL && amend(arguments, node, error);
    block_close(node);
    return good ? IMAGE_DONE : IMAGE_FAILED;
}
