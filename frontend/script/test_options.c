/* See test_options.h. */
#include "test_options.h"
#include "command_line.h"
#include "hash_log.h"
#include "host_string.h"
#include "machine_time.h"
#include "nearest_name.h"
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct TestOption {
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;
    bool (*handle)(TestOptions *options, const char *argument, Error *error);
} TestOption;

static bool read_jobs(TestOptions *options, const char *argument, Error *error) {
    char *end;
    long jobs = strtol(argument, &end, 10);
    if (*end != '\0' || end == argument || jobs < 1 || jobs > 256)
        return error_set(error, "'%s' is not a number from 1 to 256", argument);
    options->jobs = (int)jobs;
    return true;
}

static bool read_repeat(TestOptions *options, const char *argument, Error *error) {
    char *end;
    long repeat = strtol(argument, &end, 10);
    if (*end != '\0' || end == argument || repeat < 1 || repeat > 1000000)
        return error_set(error, "'%s' is not a number from 1 to 1000000", argument);
    options->repeat = (int)repeat;
    return true;
}

static bool read_time_limit(TestOptions *options, const char *argument, Error *error) {
    char *end;
    double seconds = strtod(argument, &end);
    if (*end != '\0' || end == argument || !(seconds > 0 && seconds < 1e9))
        return error_set(error, "'%s' is not a number of seconds", argument);
    options->time_limit_ns = (int64_t)(seconds * 1e9);
    return true;
}

static bool read_variable(TestOptions *options, const char *argument, Error *error) {
    const char *equals = strchr(argument, '=');
    if (equals == NULL || equals == argument)
        return error_set(error, "'%s' is not NAME=VALUE", argument);
    char *name = strndup(argument, (size_t)(equals - argument));
    options->strings[options->string_count++] = name;
    options->variables[options->variable_count++] = (TestVariable){name, equals + 1};
    return true;
}

static bool read_tap(TestOptions *options, const char *argument, Error *error) {
    (void)argument, (void)error;
    options->tap = true;
    return true;
}

static bool read_list(TestOptions *options, const char *argument, Error *error) {
    (void)argument, (void)error;
    options->list = true;
    return true;
}

static bool read_fail_fast(TestOptions *options, const char *argument, Error *error) {
    (void)argument, (void)error;
    options->fail_fast = true;
    return true;
}

static bool read_symbols(TestOptions *options, const char *argument, Error *error) {
    GuestCoverageOptions *coverage = &options->coverage;
    if (coverage->symbols_count == GUEST_COVERAGE_FILES)
        return error_set(error, "%d files are the most", GUEST_COVERAGE_FILES);
    coverage->symbols[coverage->symbols_count++] = argument;
    return true;
}

static bool read_coverage(TestOptions *options, const char *argument, Error *error) {
    (void)error;
    options->coverage.coverage_path = argument;
    return true;
}

static bool read_profile(TestOptions *options, const char *argument, Error *error) {
    (void)error;
    options->coverage.profile_path = argument;
    return true;
}

static bool read_perturb(TestOptions *options, const char *argument, Error *error) {
    return perturbation_read(&options->perturbation, argument, error);
}

static bool read_help(TestOptions *options, const char *argument, Error *error) {
    (void)argument, (void)error;
    options->show_help = true;
    return true;
}

static bool read_junit(TestOptions *options, const char *argument, Error *error) {
    (void)error;
    options->junit = argument;
    return true;
}

static bool read_out(TestOptions *options, const char *argument, Error *error) {
    (void)error;
    options->out = argument;
    return true;
}

static bool read_filter(TestOptions *options, const char *argument, Error *error) {
    (void)error;
    options->filter = argument;
    return true;
}

static bool read_hash_check(TestOptions *options, const char *argument, Error *error) {
    (void)error;
    options->hash_check = argument;
    return true;
}

static bool read_hash_log(TestOptions *options, const char *argument, Error *error) {
    (void)error;
    options->hash_log = argument;
    return true;
}

// clang-format off
static const TestOption test_option_table[] = {
    {"coverage",   "FILE",       "which code of the guests was executed, for lcov; needs --symbols", read_coverage},
    {"fail-fast",  NULL,         "end after the first failure",                             read_fail_fast},
    {"filter",     "PATTERN",    "only tests whose name holds this Lua pattern; \"TEST / CASE\"", read_filter},
    {"hash-check", "FILE",       "end with status 6 where the run differs from that of a --hash-log", read_hash_check},
    {"hash-log",   "FILE",       "every machine's state hash after each million instructions", read_hash_log},
    {"help",       NULL,         "this text",                                               read_help},
    {"jobs",       "N",          "so many at a time; as many as there are processors",      read_jobs},
    {"junit",      "FILE",       "a report in JUnit's XML",                                 read_junit},
    {"list",       NULL,         "names the tests, and runs only what stands outside them", read_list},
    {"out",        "FOLDER",     "where a failing test leaves its folder",                  read_out},
    {"perturb",    "SEED",       "move timings that hardware leaves free; --repeat counts on",  read_perturb},
    {"profile",    "FILE",       "where the guests' instructions go, by function",          read_profile},
    {"repeat",     "N",          "everything so many times",                                read_repeat},
    {"symbols",    "FILE",       "an ELF file or a map of the guest's code, for back traces, coverage, profile", read_symbols},
    {"tap",        NULL,         "report in the Test Anything Protocol",                    read_tap},
    {"time-limit", "SECONDS",    "of the host, for everything; exit status 124",            read_time_limit},
    {"var",        "NAME=VALUE", "scripts see args.NAME",                                   read_variable},
};
// clang-format on
enum { TEST_OPTIONS = sizeof(test_option_table) / sizeof(test_option_table[0]) };

static const TestOption *find_option(const char *word) {
    for (int i = 0; i < TEST_OPTIONS; i++) {
        if (strncmp(word, "--", 2) == 0 && strcmp(test_option_table[i].name, word + 2) == 0)
            return &test_option_table[i];
    }
    return NULL;
}

/* One that only looks like ours is told from those of machines by its two dashes. */
static bool fail_unknown(const char *word, Error *error) {
    NearestName nearest = {.wanted = word + 2};
    for (int i = 0; i < TEST_OPTIONS; i++)
        nearest_name_consider(&nearest, test_option_table[i].name);
    const char *best = nearest_name_get(&nearest);
    if (best == NULL)
        return error_set(error, "unknown option '%s'; 'reprise test --help' lists the options",
                         word);
    return error_set(error, "unknown option '%s'; did you mean '--%s'?", word, best);
}

static bool take_machine_option(TestOptions *options, int argc, char **argv, int *index,
                                Error *error) {
    int words = command_line_count_words(argv[*index], error);
    if (words == 0)
        return strncmp(argv[*index], "--", 2) != 0 ||
               (error->set = false, fail_unknown(argv[*index], error));
    if (*index + words > argc)
        return error_set(error, "%s: its argument is missing", argv[*index]);
    for (int i = 0; i < words; i++)
        options->machine_words[options->machine_word_count++] = argv[*index + i];
    *index += words - 1;
    return true;
}

static bool take_word(TestOptions *options, int argc, char **argv, int *index, Error *error) {
    const char *word = argv[*index];
    const TestOption *option = find_option(word);
    if (option != NULL) {
        const char *argument = NULL;
        if (option->argument != NULL) {
            if (*index + 1 >= argc)
                return error_set(error, "%s: %s is missing", word, option->argument);
            argument = argv[++*index];
        }
        return option->handle(options, argument, error) || error_prefix(error, "%s: ", word);
    }
    if (word[0] == '-' && word[1] != '\0')
        return take_machine_option(options, argc, argv, index, error);
    options->files[options->file_count++] = word;
    return true;
}

bool test_options_parse(TestOptions *options, const char *program, int argc, char **argv,
                        Error *error) {
    size_t room = (size_t)argc + 1;
    *options = (TestOptions){.program = program, .deadline_ns = INT64_MAX};
    options->files = calloc(room, sizeof(*options->files));
    options->machine_words = calloc(room, sizeof(*options->machine_words));
    options->variables = calloc(room, sizeof(*options->variables));
    options->strings = calloc(room, sizeof(*options->strings));
    for (int i = 0; i < argc; i++) {
        if (!take_word(options, argc, argv, &i, error) || error->set)
            return false;
    }
    if (options->file_count == 0 && !options->show_help)
        return error_set(error, "which script? usage: reprise test [options] FILE.lua...");
    if (options->hash_log != NULL || options->hash_check != NULL) {
        options->hashes = hash_log_open(options->hash_log, options->hash_check, error);
        if (options->hashes == NULL)
            return false;
    }
    if (options->time_limit_ns > 0)
        options->deadline_ns = host_clock_ns() + options->time_limit_ns;
    return true;
}

void test_options_free(TestOptions *options) {
    for (int i = 0; i < options->string_count; i++)
        free(options->strings[i]);
    free(options->strings);
    hash_log_close(options->hashes);
    free(options->files);
    free(options->machine_words);
    free(options->variables);
    *options = (TestOptions){0};
}

void test_options_print_help(FILE *output) {
    fprintf(output, "usage: reprise test [test options] [machine options] FILE.lua...\n"
                    "\n"
                    "Runs test scripts. Machine options, those of 'reprise -help', are for every "
                    "machine.\n"
                    "\n");
    for (int i = 0; i < TEST_OPTIONS; i++) {
        const TestOption *option = &test_option_table[i];
        const char *argument = option->argument != NULL ? option->argument : "";
        fprintf(output, "  --%-10s %-12s %s\n", option->name, argument, option->help);
    }
    fprintf(output, "\nExit status: 0 passed, 1 failed, 2 usage, 3 the guest crashed, 4 guest "
                    "time-out,\n5 our own error, 6 divergence, 124 host time limit.\n");
}
