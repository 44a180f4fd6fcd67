/* reprise: what the first word means, and the one place that prints errors. */
#include "command_line.h"
#include "demo_disk.h"
#include "display.h"
#include "image_command.h"
#include "lockstep_command.h"
#include "program.h"
#include "qmp.h"
#include "replay_command.h"
#include "start_page.h"
#include "test_command.h"
#include "version.h"

#include <stdio.h>
#include <string.h>

static int fail(const Error *error) {
    fprintf(stderr, "reprise: %s\n", error->message);
    return 1;
}

static void print_warnings(const Settings *settings) {
    bool wanted = !settings->no_machine && !settings->show_help && !settings->show_version;
    for (unsigned i = 0; wanted && i < settings->warning_count; i++)
        fprintf(stderr, "reprise: warning: %s\n", settings->warning[i]);
}

/* 'words' are those of a command line; with 'demo' the demo disk is in drive A besides. */
static int run_machine(RepriseMachine *machine, int count, char **words, bool demo) {
    Error error = {.set = false};
    Settings *settings = library_settings(machine);
    int status = 0;
    if ((demo && !demo_disk_plug_in(settings, words[0], &error)) ||
        !command_line_parse(settings, count, words, &error))
        return fail(&error);
    if (settings->listed)
        return 0;
    print_warnings(settings);
    if (settings->show_help) {
        command_line_print_help(stdout);
    } else if (settings->show_version) {
        printf("QEMU emulator version " REPRISE_QEMU_VERSION " (Reprise " REPRISE_VERSION ")\n");
    } else if (!program_run(machine, &qmp_program_part, &status, &error)) {
        return fail(&error);
    }
    return status;
}

/* Nothing was said: a window asks, where there can be one. */
static int run_start_page(RepriseMachine *machine, char *program) {
    char path[START_PATH_BYTES];
    char *words[] = {program, path, NULL};
    Error ignored = {.set = false};
    bool has_window = display_check(library_settings(machine), &ignored);
    StartChoice choice = has_window ? start_page_run(path) : START_NOTHING;
    if (choice == START_QUIT)
        return 0;
    return run_machine(machine, choice == START_IMAGE ? 2 : 1, words, choice == START_DEMO);
}

static int run_lockstep(RepriseMachine *machine, const char *program, int count, char **words,
                        Error *error) {
    (void)program;
    return lockstep_command(library_settings(machine), count, words, error);
}

static int run_image(RepriseMachine *machine, const char *program, int count, char **words,
                     Error *error) {
    (void)machine;
    (void)program;
    return image_command(count, words, error);
}

static int run_replay(RepriseMachine *machine, const char *program, int count, char **words,
                      Error *error) {
    (void)program;
    return replay_command(machine, &qmp_program_part, count, words, error);
}

static int run_test(RepriseMachine *machine, const char *program, int count, char **words,
                    Error *error) {
    (void)machine;
    return test_command(program, count, words, error);
}

/* Each gets the words behind its own; where 'error' is set it is printed, and the status is theirs.
 */
static const struct {
    const char *name;
    int (*run)(RepriseMachine *machine, const char *program, int count, char **words, Error *error);
} verbs[] = {
    {"lockstep", run_lockstep}, {"image", run_image}, {"replay", run_replay}, {"test", run_test}};

static int run(RepriseMachine *machine, int argc, char **argv) {
    Error error = {.set = false};
    if (argc < 2)
        return run_start_page(machine, argv[0]);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        int status = verbs[i].run(machine, argv[0], argc - 2, argv + 2, &error);
        if (error.set)
            fail(&error);
        return status;
    }
    bool demo = strcmp(argv[1], "demo") == 0;
    if (demo)
        argv[1] = argv[0];
    return run_machine(machine, demo ? argc - 1 : argc, demo ? argv + 1 : argv, demo);
}

int main(int argc, char **argv) {
    RepriseMachine *machine = reprise_create();
    int status = run(machine, argc, argv);
    reprise_destroy(machine);
    return status;
}
