/* 'reprise image map'. */
#include "image_verbs.h"
#include <stdio.h>
#include <string.h>

typedef struct MapPrinter {
    bool json;
    bool first;
    uint64_t start; /* of 'run' */
    BlockExtent run;
} MapPrinter;

static bool print_human(const MapPrinter *printer, Error *error) {
    const BlockExtent *run = &printer->run;
    if (!run->data || run->zero)
        return true;
    if (!run->has_offset)
        return error_set(error, "some of the data are compressed or encrypted, which only "
                                "--output=json can tell");
    printf("%#-16llx%#-16llx%#-16llx%s\n", (unsigned long long)printer->start,
           (unsigned long long)run->length, (unsigned long long)run->offset, run->file_path);
    return true;
}

static void print_json(const MapPrinter *printer) {
    const BlockExtent *run = &printer->run;
    printf("%s{ \"start\": %llu, \"length\": %llu, \"depth\": %u, \"present\": %s, \"zero\": %s, "
           "\"data\": %s, \"compressed\": %s",
           printer->first ? "[" : ",\n", (unsigned long long)printer->start,
           (unsigned long long)run->length, run->depth, run->present ? "true" : "false",
           run->zero ? "true" : "false", run->data ? "true" : "false",
           run->compressed ? "true" : "false");
    if (run->has_offset)
        printf(", \"offset\": %llu", (unsigned long long)run->offset);
    printf("}");
}

static bool print_run(MapPrinter *printer, Error *error) {
    if (printer->run.length == 0)
        return true;
    if (!printer->json)
        return print_human(printer, error);
    print_json(printer);
    printer->first = false;
    return true;
}

static bool goes_on(const BlockExtent *run, const BlockExtent *next) {
    return run->depth == next->depth && run->present == next->present && run->zero == next->zero &&
           run->data == next->data && run->compressed == next->compressed &&
           run->has_offset == next->has_offset &&
           (!run->has_offset || (run->offset + run->length == next->offset &&
                                 strcmp(run->file_path, next->file_path) == 0));
}

static bool print_map(const ImageArguments *arguments, BlockNode *node, Error *error) {
    MapPrinter printer = {.json = arguments->json, .first = true};
    uint64_t end = image_length(node), offset = arguments->start_offset;
    if (offset > end)
        return error_set(error, "%s: has only %llu bytes", block_path(node),
                         (unsigned long long)end);
    if (arguments->maximum_length < end - offset)
        end = offset + arguments->maximum_length;
    if (!printer.json)
        printf("%-16s%-16s%-16s%s\n", "Offset", "Length", "Mapped to", "File");
    printer.start = offset;
    while (offset < end) {
        BlockExtent next;
        if (!block_map(node, offset, end - offset, &next, error))
            return false;
        offset += next.length;
        if (printer.run.length > 0 && goes_on(&printer.run, &next)) {
            printer.run.length += next.length;
            continue;
        }
        if (!print_run(&printer, error))
            return false;
        printer.start += printer.run.length;
        printer.run = next;
    }
    if (!print_run(&printer, error))
        return false;
    if (printer.json)
        printf("%s]\n", printer.first ? "[" : "");
    return true;
}

int image_map(const ImageArguments *arguments, Error *error) {
    BlockNode *node = image_open(arguments, arguments->files[0], arguments->format, false, error);
    if (node == NULL)
        return IMAGE_FAILED;
    bool good = print_map(arguments, node, error);
    block_close(node);
    return good ? IMAGE_DONE : IMAGE_FAILED;
}
