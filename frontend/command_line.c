#include "command_line.h"
#include "image_guess.h"
#include "machine_file.h"
#include "nearest_name.h"
#include "settings_finish.h"

#include <string.h>

static const OptionInfo *find_option(const char *name) {
    for (const OptionInfo *option = option_table; option->name || option->help; option++) {
        if (option->name != NULL && strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

static bool fail_unknown(const char *given, const char *name, Error *error) {
    NearestName nearest = {.wanted = name};
    for (const OptionInfo *option = option_table; option->name || option->help; option++) {
        if (option->name != NULL)
            nearest_name_consider(&nearest, option->name);
    }
    const char *best = nearest_name_get(&nearest);
    if (best == NULL)
        return error_set(error, "unknown option '%s'; -help lists the options", given);
    return error_set(error, "unknown option '%s'; did you mean '-%s'?", given, best);
}

static bool handle_option(Settings *settings, const OptionInfo *option, const char *argument,
                          Error *error) {
    const char *outer = settings->option;
    settings->option = option->name;
    bool good = option->handle(settings, argument, error);
    settings->option = outer;
    return good;
}

int command_line_count_words(const char *word, Error *error) {
    const char *name = word[1] == '-' ? word + 2 : word + 1;
    const OptionInfo *option = find_option(name);
    if (option == NULL) {
        fail_unknown(word, name, error);
        return 0;
    }
    return option->argument != NULL ? 2 : 1;
}

bool command_line_apply(Settings *settings, const char *name, const char *argument, Error *error) {
    const OptionInfo *option = find_option(name);
    if (option == NULL)
        return fail_unknown(name, name, error);
    if (option->argument != NULL && argument == NULL)
        return error_set(error, "%s: %s is missing", name, option->argument);
    if (option->argument == NULL && argument != NULL)
        return error_set(error, "%s: takes no value", name);
    return handle_option(settings, option, argument, error) || error_prefix(error, "%s: ", name);
}

/* Handles argv[*index], and moves *index to the last word that was used. */
static bool handle_word(Settings *settings, int argc, char **argv, int *index, Error *error) {
    const char *given = argv[*index];
    if (given[0] != '-' && settings->main_image == NULL)
        settings->main_image = given;
    if (given[0] != '-' || given[1] == '\0')
        return machine_file_is_named(given) ? machine_file_read(settings, given, error)
                                            : image_guess_plug_in(settings, given, error);
    const char *name = given[1] == '-' ? given + 2 : given + 1;
    const OptionInfo *option = find_option(name);
    if (option == NULL)
        return fail_unknown(given, name, error);
    const char *argument = NULL;
    if (option->argument != NULL) {
        if (*index + 1 >= argc)
            return error_set(error, "-%s: %s is missing", name, option->argument);
        argument = argv[++*index];
    }
    return handle_option(settings, option, argument, error) || error_prefix(error, "-%s: ", name);
}

bool command_line_parse_more(Settings *settings, int argc, char **argv, Error *error) {
    for (int i = 0; i < argc; i++) {
        if (!handle_word(settings, argc, argv, &i, error))
            return false;
    }
    settings->finished = false;
    return true;
}

bool command_line_parse(Settings *settings, int argc, char **argv, Error *error) {
    settings->words = argv + 1;
    settings->word_count = argc - 1;
    if (!command_line_parse_more(settings, argc - 1, argv + 1, error))
        return false;
    return settings->show_help || settings->show_version || settings_finish(settings, error);
}

void command_line_print_help(FILE *output) {
    fprintf(output, "usage: reprise [options] [image]\n"
                    "       reprise demo [options]\n"
                    "       reprise MACHINE.reprise [options]\n"
                    "       reprise replay FILE [--until INSTRUCTION] [options]\n"
                    "       reprise test [test options] [options] FILE.lua...\n"
                    "\n"
                    "Runs the PC system on a floppy, disk or CD image.\n");
    for (const OptionInfo *option = option_table; option->name || option->help; option++) {
        if (option->name == NULL) {
            fprintf(output, "\n%s\n", option->help);
        } else if (option->help != NULL) {
            int width = fprintf(output, "  -%s%s%s", option->name, option->argument ? " " : "",
                                option->argument ? option->argument : "");
            if (width > 29)
                fprintf(output, "\n%30s%s\n", "", option->help);
            else
                fprintf(output, "%*s%s\n", 30 - width, "", option->help);
        }
    }
}
