/* reprise: what the first word means, and the one place that prints errors. */
#include "command_line.h"
#include "demo_disk.h"
#include "image_command.h"
#include "lockstep_command.h"
#include "program.h"
#include "qmp.h"
#include "test_command.h"
#include "version.h"

#include <stdio.h>
#include <string.h>

static int fail(const Error *error) {
    fprintf(stderr, "reprise: %s\n", error->message);
    return 1;
}

static const char *const verbs_to_come[] = {"replay"};

static bool check_verb(const char *word, Error *error) {
    for (size_t i = 0; i < sizeof(verbs_to_come) / sizeof(verbs_to_come[0]); i++) {
        if (strcmp(word, verbs_to_come[i]) == 0)
            return error_set(error, "'reprise %s' is not in this version", word);
    }
    return true;
}

static int run(Settings *settings, int argc, char **argv) {
    Error error = {.set = false};
    int status = 0;
    bool demo = argc > 1 && strcmp(argv[1], "demo") == 0;
    if (argc > 1 && !check_verb(argv[1], &error))
        return fail(&error);
    if (argc > 1 && strcmp(argv[1], "lockstep") == 0) {
        status = lockstep_command(settings, argc - 2, argv + 2, &error);
        return error.set ? fail(&error) : status;
    }
    if (argc > 1 && strcmp(argv[1], "image") == 0) {
        status = image_command(argc - 2, argv + 2, &error);
        if (error.set)
            fail(&error);
        return status;
    }
    if (argc > 1 && strcmp(argv[1], "test") == 0) {
        status = test_command(argv[0], argc - 2, argv + 2, &error);
        if (error.set)
            fail(&error);
        return status;
    }
    if (demo && !demo_disk_plug_in(settings, argv[0], &error))
        return fail(&error);
    if (!command_line_parse(settings, demo ? argc - 1 : argc, demo ? argv + 1 : argv, &error))
        return fail(&error);
    if (settings->listed)
        return 0;
    if (settings->show_help) {
        command_line_print_help(stdout);
    } else if (settings->show_version) {
        printf("QEMU emulator version " REPRISE_QEMU_VERSION " (Reprise " REPRISE_VERSION ")\n");
    } else if (!program_run(settings, &qmp_program_part, &status, &error)) {
        return fail(&error);
    }
    return status;
}

int main(int argc, char **argv) {
    Settings settings;
    settings_init(&settings);
    int status = run(&settings, argc, argv);
    settings_free(&settings);
    return status;
}
