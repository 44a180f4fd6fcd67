/* 'reprise image measure': how large the file of a new image becomes. */
#include "image_json.h"
#include "image_verbs.h"
#include <stdio.h>

static bool find_data(void *opaque, uint64_t offset, uint64_t length, uint64_t *run, bool *data,
                      Error *error) {
    BlockExtent extent;
    if (!block_map(opaque, offset, length, &extent, error))
        return false;
    *run = extent.length;
    *data = !extent.zero;
    return true;
}

static void print_answer(const ImageArguments *arguments, const BlockMeasure *measure) {
    if (!arguments->json) {
        printf("required size: %llu\nfully allocated size: %llu\n",
               (unsigned long long)measure->required, (unsigned long long)measure->full_bytes);
        return;
    }
    ImageJson json = {.output = stdout};
    image_json_begin(&json, NULL, '{');
    image_json_number(&json, "required", measure->required);
    image_json_number(&json, "fully-allocated", measure->full_bytes);
    image_json_end(&json, '}');
}

int image_measure(const ImageArguments *arguments, Error *error) {
    const char *format = arguments->output_format != NULL ? arguments->output_format : "raw";
    BlockMeasure measure = {0};
    BlockCreateRequest request = {.length = image_round_up(arguments->measured_length),
                                  .backing = arguments->backing,
                                  .values = arguments->values,
                                  .value_count = arguments->value_count};
    BlockNode *node = NULL;
    if ((arguments->file_count == 0) == !arguments->has_measured_length) {
        error_set(error, "how large is the disk? either --size=SIZE or a file");
        return IMAGE_FAILED;
    }
    if (arguments->file_count > 0) {
        node = image_open(arguments, arguments->files[0], arguments->format, false, error);
        if (node == NULL)
            return IMAGE_FAILED;
        request.length = image_length(node);
        measure.find_data = find_data;
        measure.opaque = node;
    }
    bool good = block_measure(format, &request, &measure, error);
    block_close(node);
    if (good)
        print_answer(arguments, &measure);
    return good ? IMAGE_DONE : IMAGE_FAILED;
}
