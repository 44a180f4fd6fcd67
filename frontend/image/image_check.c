/* 'reprise image check'. */
#include "image_json.h"
#include "image_verbs.h"
#include <stdio.h>

static void print_json(const BlockNode *node, const BlockCheck *check) {
    ImageJson json = {.output = stdout};
    const struct {
        const char *name;
        uint64_t number;
    } counts[] = {
        {"image-end-offset", check->image_end_offset},
        {"corruptions", check->corruptions},
        {"leaks", check->leaks},
        {"corruptions-fixed", check->corruptions_fixed},
        {"leaks-fixed", check->leaks_fixed},
        {"total-clusters", check->total_clusters},
        {"allocated-clusters", check->allocated_clusters},
        {"fragmented-clusters", check->fragmented_clusters},
        {"compressed-clusters", check->compressed_clusters},
    };
    image_json_begin(&json, NULL, '{');
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (counts[i].number != 0)
            image_json_number(&json, counts[i].name, counts[i].number);
    image_json_number(&json, "check-errors", check->check_errors);
    image_json_string(&json, "filename", block_path(node));
    image_json_string(&json, "format", block_format(node));
    image_json_end(&json, '}');
}

static void print_repairs(const BlockCheck *check) {
    if (check->corruptions_fixed + check->leaks_fixed > 0)
        printf("The following inconsistencies were found and repaired:\n\n"
               "    %llu leaked clusters\n    %llu corruptions\n\n",
               (unsigned long long)check->leaks_fixed,
               (unsigned long long)check->corruptions_fixed);
}

static void print_human(const BlockCheck *check) {
    print_repairs(check);
    if (check->corruptions + check->leaks + check->check_errors == 0)
        printf("No errors were found on the image.\n");
    if (check->corruptions > 0)
        printf("\n%llu errors were found on the image.\nData may be corrupted, or further writes "
               "to the image may corrupt it.\n",
               (unsigned long long)check->corruptions);
    if (check->leaks > 0)
        printf("\n%llu leaked clusters were found on the image.\nThis means waste of disk space, "
               "but no harm to data.\n",
               (unsigned long long)check->leaks);
    if (check->check_errors > 0)
        printf("\n%llu internal errors have occurred during the check.\n",
               (unsigned long long)check->check_errors);
    if (check->total_clusters > 0 && check->allocated_clusters > 0)
        printf("%llu/%llu = %0.2f%% allocated, %0.2f%% fragmented, %0.2f%% compressed clusters\n",
               (unsigned long long)check->allocated_clusters,
               (unsigned long long)check->total_clusters,
               (double)check->allocated_clusters * 100 / (double)check->total_clusters,
               (double)check->fragmented_clusters * 100 / (double)check->allocated_clusters,
               (double)check->compressed_clusters * 100 / (double)check->allocated_clusters);
    if (check->image_end_offset > 0)
        printf("Image end offset: %llu\n", (unsigned long long)check->image_end_offset);
}

int image_check(const ImageArguments *arguments, Error *error) {
    BlockCheck check = {.repair_leaks = arguments->repair_leaks,
                        .repair_all = arguments->repair_all};
    BlockNode *node = image_open(arguments, arguments->files[0], arguments->format,
                                 arguments->repair_leaks, error);
    if (node == NULL)
        return IMAGE_FAILED;
    bool supported = block_can_check(node);
    bool checked = block_check(node, &check, error);
    if (checked && arguments->json)
        print_json(node, &check);
    else if (checked && !arguments->quiet)
        print_human(&check);
    block_close(node);
    if (!supported)
        return IMAGE_CHECK_UNSUPPORTED;
    if (!checked || check.check_errors > 0)
        return IMAGE_FAILED;
    return check.corruptions > 0 ? IMAGE_CORRUPT : check.leaks > 0 ? IMAGE_LEAKS : IMAGE_DONE;
}
