/* 'reprise image': from the verb to its function. */
#include "image_command.h"
#include "image_verbs.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    ImageVerb verb;
    int (*run)(const ImageArguments *arguments, Error *error);
} runners[] = {
    {IMAGE_CREATE, image_create},   {IMAGE_INFO, image_info},
    {IMAGE_MAP, image_map},         {IMAGE_CHECK, image_check},
    {IMAGE_RESIZE, image_resize},   {IMAGE_COMPARE, image_compare},
    {IMAGE_CONVERT, image_convert}, {IMAGE_SNAPSHOT, image_snapshot},
    {IMAGE_COMMIT, image_commit},   {IMAGE_REBASE, image_rebase},
    {IMAGE_AMEND, image_amend},     {IMAGE_MEASURE, image_measure},
    {IMAGE_DD, image_dd},
};

static int run_verb(const ImageArguments *arguments, Error *error) {
    if (arguments->show_help) {
        image_options_print_help(arguments->verb, stdout);
        return IMAGE_DONE;
    }
    if (arguments->list_options) {
        const char *format = arguments->verb == IMAGE_CONVERT || arguments->verb == IMAGE_MEASURE
                                 ? arguments->output_format
                                 : arguments->format;
        if (!image_check_format(&format, error))
            return IMAGE_FAILED;
        image_print_create_options(format);
        return IMAGE_DONE;
    }
    for (size_t i = 0; i < sizeof(runners) / sizeof(runners[0]); i++)
        if (runners[i].verb == arguments->verb)
            return runners[i].run(arguments, error);
    return IMAGE_FAILED;
}

int image_command(int argc, char **argv, Error *error) {
    ImageArguments arguments;
    /* A comparison that did not take place must not look like a difference. */
    bool compares = argc > 0 && strcmp(argv[0], "compare") == 0;
    int status = compares ? IMAGE_COMPARE_FAILED : IMAGE_FAILED;
    if (image_options_parse(&arguments, argc, argv, error))
        status = run_verb(&arguments, error);
    image_options_free(&arguments);
    if (fflush(stdout) != 0 && !error->set) {
        error_set(error, "cannot write the answer: %s", strerror(errno));
        status = compares ? IMAGE_COMPARE_FAILED : IMAGE_FAILED;
    }
    if (error->set)
        error_prefix(error, "image: ");
    return status;
}
