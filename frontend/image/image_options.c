/* The command line of 'reprise image'. One table has all options with the verbs that take them;
 * parsing and help go by it. */
#include "image_options.h"
#include "allocate.h"
#include "key_values.h"
#include "nearest_name.h"
#include <stdlib.h>
#include <string.h>

#define SPARSE_DEFAULT 4096
#define SPARSE_MAXIMUM (16u << 20)

typedef struct VerbRow {
    ImageVerb verb;
    const char *name;
    const char *words;
    int files_minimum, files_maximum;
    const char *help;
} VerbRow;

// clang-format off
static const VerbRow verb_table[] = {
    {IMAGE_AMEND,    "amend",    "FILE",                  1, 1,     "changes settings of an image that is there"},
    {IMAGE_CHECK,    "check",    "FILE",                  1, 1,     "looks for contradictions in what the format keeps"},
    {IMAGE_COMMIT,   "commit",   "FILE",                  1, 1,     "writes what an image keeps as differences to the one behind it"},
    {IMAGE_COMPARE,  "compare",  "FILE1 FILE2",           2, 2,     "tells whether two images hold the same"},
    {IMAGE_CONVERT,  "convert",  "SOURCE... TARGET",      2, 65536, "copies an image, or several one after the other, into a new one of any format"},
    {IMAGE_CREATE,   "create",   "FILE [SIZE]",           1, 2,     "makes an empty image"},
    {IMAGE_DD,       "dd",       "if=FILE of=FILE ...",   1, 5,     "copies a part of an image into a new one: bs=SIZE count=BLOCKS skip=BLOCKS"},
    {IMAGE_INFO,     "info",     "FILE",                  1, 1,     "tells format, sizes, backing image, snapshots"},
    {IMAGE_MAP,      "map",      "FILE",                  1, 1,     "tells where in which file the data lie"},
    {IMAGE_MEASURE,  "measure",  "[FILE]",                0, 1,     "tells how large the file of a new image becomes"},
    {IMAGE_REBASE,   "rebase",   "FILE",                  1, 1,     "puts an image over another one, keeping what it holds"},
    {IMAGE_RESIZE,   "resize",   "FILE [+|-]SIZE",        2, 2,     "makes an image larger or smaller"},
    {IMAGE_SNAPSHOT, "snapshot", "FILE",                  1, 1,     "lists, makes, applies or deletes the snapshots within an image"},
};
// clang-format on
enum { VERBS = sizeof(verb_table) / sizeof(verb_table[0]) };

static const VerbRow *find_verb(const char *name) {
    for (int i = 0; i < VERBS; i++)
        if (strcmp(verb_table[i].name, name) == 0)
            return &verb_table[i];
    return NULL;
}

bool image_options_parse_size(const char *text, uint64_t *bytes, Error *error) {
    bool digits = text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
    /* Plain numbers are read exactly; others may have a fraction, as in 1.5G. */
    bool good = digits ? text[0] != '\0' && parse_number(text + strspn(text, "0"), bytes)
                       : parse_size(text, 1, bytes);
    if (digits && text[strspn(text, "0")] == '\0') {
        *bytes = 0;
        good = true;
    }
    if (!good)
        return error_set(error, "'%s' is no size; sizes are like 1474560, 720K, 64M, 1.5G, 2T",
                         text);
    return *bytes <= BLOCK_LENGTH_MAXIMUM ||
           error_set(error, "%s is larger than the largest image, %llu bytes", text,
                     (unsigned long long)BLOCK_LENGTH_MAXIMUM);
}

static bool read_format(ImageArguments *arguments, const char *text, Error *error) {
    (void)error;
    arguments->format = text;
    return true;
}

static bool read_second_format(ImageArguments *arguments, const char *text, Error *error) {
    (void)error;
    arguments->second_format = text;
    return true;
}

static bool read_output_format(ImageArguments *arguments, const char *text, Error *error) {
    (void)error;
    arguments->output_format = text;
    return true;
}

static bool read_backing(ImageArguments *arguments, const char *text, Error *error) {
    if (text[0] == '\0')
        return error_set(error, "an image needs a file name");
    arguments->backing = text;
    return true;
}

static bool read_output(ImageArguments *arguments, const char *text, Error *error) {
    arguments->json = strcmp(text, "json") == 0;
    return arguments->json || strcmp(text, "human") == 0 ||
           error_set(error, "human or json, not '%s'", text);
}

static bool read_repair(ImageArguments *arguments, const char *text, Error *error) {
    arguments->repair_all = strcmp(text, "all") == 0;
    arguments->repair_leaks = arguments->repair_all || strcmp(text, "leaks") == 0;
    return arguments->repair_leaks || error_set(error, "leaks or all, not '%s'", text);
}

static bool read_snapshot(ImageArguments *arguments, const char *text, Error *error) {
    static const char *const keys[] = {"snapshot.name=", "snapshot.id="};
    (void)error;
    arguments->snapshot = text;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strncmp(text, keys[i], strlen(keys[i])) == 0)
            arguments->snapshot = text + strlen(keys[i]);
    return true;
}

/* One at a time, as qemu-img has it. */
static bool take_action(const ImageArguments *arguments, const char **place, const char *text,
                        Error *error) {
    if (arguments->list_snapshots || arguments->snapshot_create != NULL ||
        arguments->snapshot_apply != NULL || arguments->snapshot_delete != NULL)
        return error_set(error, "only one of -l, -a, -c and -d");
    *place = text;
    return true;
}

static bool read_snapshot_create(ImageArguments *arguments, const char *text, Error *error) {
    return take_action(arguments, &arguments->snapshot_create, text, error);
}

static bool read_snapshot_apply(ImageArguments *arguments, const char *text, Error *error) {
    return take_action(arguments, &arguments->snapshot_apply, text, error);
}

static bool read_snapshot_delete(ImageArguments *arguments, const char *text, Error *error) {
    return take_action(arguments, &arguments->snapshot_delete, text, error);
}

static bool read_new_backing(ImageArguments *arguments, const char *text, Error *error) {
    (void)error;
    arguments->backing = text;
    return true;
}

static bool read_measured_length(ImageArguments *arguments, const char *text, Error *error) {
    arguments->has_measured_length = true;
    return image_options_parse_size(text, &arguments->measured_length, error);
}

static bool read_rate(ImageArguments *arguments, const char *text, Error *error) {
    uint64_t rate;
    (void)arguments;
    return image_options_parse_size(text, &rate, error);
}

static bool read_sparse(ImageArguments *arguments, const char *text, Error *error) {
    if (!image_options_parse_size(text, &arguments->sparse_bytes, error))
        return false;
    return (arguments->sparse_bytes % BLOCK_SECTOR_BYTES == 0 &&
            arguments->sparse_bytes <= SPARSE_MAXIMUM) ||
           error_set(error, "a multiple of 512 up to %u, or 0, not '%s'", SPARSE_MAXIMUM, text);
}

static bool read_start(ImageArguments *arguments, const char *text, Error *error) {
    return image_options_parse_size(text, &arguments->start_offset, error);
}

static bool read_maximum(ImageArguments *arguments, const char *text, Error *error) {
    return image_options_parse_size(text, &arguments->maximum_length, error);
}

static bool read_preallocation(ImageArguments *arguments, const char *text, Error *error) {
    arguments->resize_options = text;
    return strcmp(text, "off") == 0 || error_set(error, "only off, not '%s'", text);
}

static bool read_cache(ImageArguments *arguments, const char *text, Error *error) {
    static const char *const modes[] = {"none", "writeback", "writethrough", "directsync",
                                        "unsafe"};
    (void)arguments;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(text, modes[i]) == 0)
            return true;
    return error_set(error, "there is no cache mode '%s'", text);
}

static bool read_coroutines(ImageArguments *arguments, const char *text, Error *error) {
    uint64_t number;
    (void)arguments;
    return (parse_number(text, &number) && number >= 1 && number <= 16) ||
           error_set(error, "1 to 16, not '%s'", text);
}

static char *keep_string(ImageArguments *arguments, const char *text) {
    char *copy = strdup(text);
    arguments->strings =
        realloc(arguments->strings, (arguments->string_count + 1) * sizeof(*arguments->strings));
    arguments->strings[arguments->string_count++] = copy;
    return copy;
}

/* Of two names for the backing image the option wins that stands last, as with the rest. */
static bool take_value(ImageArguments *arguments, const KeyValue *item, Error *error) {
    if (strcmp(item->key, "backing_file") == 0)
        return read_backing(arguments, keep_string(arguments, item->value), error);
    if (strcmp(item->key, "backing_fmt") == 0)
        return read_second_format(arguments, keep_string(arguments, item->value), error);
    arguments->values =
        realloc(arguments->values, (arguments->value_count + 1) * sizeof(*arguments->values));
    arguments->values[arguments->value_count++] =
        (BlockCreateValue){keep_string(arguments, item->key), keep_string(arguments, item->value)};
    return true;
}

static bool read_values(ImageArguments *arguments, const char *text, Error *error) {
    if (strcmp(text, "help") == 0 || strcmp(text, "?") == 0) {
        arguments->list_options = true;
        return true;
    }
    KeyValues values = {0};
    bool good = key_values_parse(&values, text, NULL, error);
    for (int i = 0; good && i < values.count; i++)
        good = take_value(arguments, &values.items[i], error);
    key_values_free(&values);
    return good;
}

typedef struct OptionRow {
    unsigned verbs;
    char letter;      /* 0: none */
    const char *name; /* NULL: none */
    const char *argument;
    const char *help;
    bool (*read)(ImageArguments *arguments, const char *text, Error *error);
    size_t flag; /* without read(): which bool becomes true */
} OptionRow;

enum {
    ALL_VERBS = (1 << 13) - 1,
    QUIET_VERBS = IMAGE_CREATE | IMAGE_CONVERT | IMAGE_COMPARE | IMAGE_CHECK | IMAGE_RESIZE |
                  IMAGE_SNAPSHOT | IMAGE_COMMIT | IMAGE_REBASE | IMAGE_AMEND,
    SHARING_VERBS = IMAGE_INFO | IMAGE_CONVERT | IMAGE_COMPARE | IMAGE_CHECK | IMAGE_MAP |
                    IMAGE_SNAPSHOT | IMAGE_REBASE | IMAGE_MEASURE | IMAGE_DD,
};

#define FLAG(member) NULL, offsetof(ImageArguments, member)
#define READ(function) function, 0

// clang-format off
static const OptionRow option_table[] = {
    {ALL_VERBS,                      'h', "help",           NULL,       "this text", FLAG(show_help)},
    {ALL_VERBS,                      'f', "format",         "FORMAT",   "format of the image, or of the first; guessed without", READ(read_format)},
    {IMAGE_COMPARE,                  'F', NULL,             "FORMAT",   "format of the second image", READ(read_second_format)},
    {IMAGE_CREATE | IMAGE_CONVERT | IMAGE_REBASE, 'F', NULL,             "FORMAT",   "format of the backing image", READ(read_second_format)},
    {IMAGE_CONVERT | IMAGE_MEASURE | IMAGE_DD, 'O', NULL,   "FORMAT",   "format of the target; raw without", READ(read_output_format)},
    {IMAGE_CREATE,                   'b', NULL,             "FILE",     "the image keeps only its differences to this one", READ(read_backing)},
    {IMAGE_CONVERT,                  'B', NULL,             "FILE",     "the target keeps only its differences to this image", READ(read_backing)},
    {IMAGE_COMMIT,                   'b', NULL,             "FILE",     "commit to this one behind it, and keep the image as it is", READ(read_backing)},
    {IMAGE_COMMIT,                   'd', NULL,             NULL,       "do not empty the image after it", FLAG(keep_overlay)},
    {IMAGE_COMMIT,                   'r', NULL,             "RATE",     "accepted for qemu-img's scripts; changes nothing", READ(read_rate)},
    {IMAGE_REBASE,                   'b', NULL,             "FILE",     "the image to lie over; an empty name: none", READ(read_new_backing)},
    {IMAGE_REBASE,                   'u', NULL,             NULL,       "only say so in the image, whatever that makes of what it holds", FLAG(unchecked_backing)},
    {IMAGE_MEASURE,                  0,   "size",           "SIZE",     "of a disk so large", READ(read_measured_length)},
    {IMAGE_AMEND,                    0,   "force",          NULL,       "accepted for qemu-img's scripts; changes nothing", NULL, 0},
    {IMAGE_CREATE,                   'u', NULL,             NULL,       "do not look at the backing image", FLAG(unchecked_backing)},
    {IMAGE_CREATE | IMAGE_CONVERT | IMAGE_AMEND | IMAGE_MEASURE, 'o', NULL,             "KEY=V,...", "options of the format; '-o help' lists them", READ(read_values)},
    {IMAGE_CONVERT,                  'c', NULL,             NULL,       "compress the target", FLAG(compress)},
    {IMAGE_CONVERT | IMAGE_MEASURE,  'l', NULL,             "SNAPSHOT", "of the snapshot within the source: NAME, snapshot.name=NAME or snapshot.id=NUMBER", READ(read_snapshot)},
    {IMAGE_SNAPSHOT,                 'l', NULL,             NULL,       "list the snapshots (what is done without another letter)", FLAG(list_snapshots)},
    {IMAGE_SNAPSHOT,                 'c', NULL,             "NAME",     "make one of what the image holds now", READ(read_snapshot_create)},
    {IMAGE_SNAPSHOT,                 'a', NULL,             "NAME",     "make the image hold what the snapshot does", READ(read_snapshot_apply)},
    {IMAGE_SNAPSHOT,                 'd', NULL,             "NAME",     "delete the snapshot", READ(read_snapshot_delete)},
    {IMAGE_CONVERT,                  'S', NULL,             "SIZE",     "so many zeros in a row are left out of the target; 4K without, 0: write all", READ(read_sparse)},
    {IMAGE_CONVERT,                  'n', NULL,             NULL,       "the target is there already", FLAG(keep_target)},
    {IMAGE_CONVERT,                  0,   "target-is-zero", NULL,       "and reads as zeros everywhere", FLAG(target_is_zero)},
    {IMAGE_CONVERT,                  0,   "salvage",        NULL,       "go on where the source cannot be read; zeros take the place", FLAG(salvage)},
    {IMAGE_COMPARE,                  's', NULL,             NULL,       "strict: sizes and allocated parts must be the same, too", FLAG(strict)},
    {IMAGE_CHECK,                    'r', "repair",         "leaks|all", "repair what is found", READ(read_repair)},
    {IMAGE_RESIZE,                   0,   "shrink",         NULL,       "make smaller, which loses what is beyond the new end", FLAG(shrink)},
    {IMAGE_RESIZE,                   0,   "preallocation",  "off",      "new parts get no room on the disk yet", READ(read_preallocation)},
    {IMAGE_INFO,                     0,   "backing-chain",  NULL,       "the images behind it, too", FLAG(backing_chain)},
    {IMAGE_MAP,                      's', "start-offset",   "SIZE",     "begin here", READ(read_start)},
    {IMAGE_MAP,                      'l', "max-length",     "SIZE",     "so much at the most", READ(read_maximum)},
    {IMAGE_INFO | IMAGE_CHECK | IMAGE_MAP | IMAGE_MEASURE, 0, "output", "human|json", "how the answer is printed", READ(read_output)},
    {IMAGE_CONVERT | IMAGE_COMPARE | IMAGE_COMMIT | IMAGE_REBASE | IMAGE_AMEND, 'p', NULL,             NULL,       "show progress", FLAG(progress)},
    {QUIET_VERBS,                    'q', "quiet",          NULL,       "print errors only", FLAG(quiet)},
    {SHARING_VERBS,                  'U', "force-share",    NULL,       "read it even while somebody writes to it", FLAG(force_share)},
    {IMAGE_CONVERT | IMAGE_COMMIT | IMAGE_REBASE | IMAGE_AMEND, 't', NULL,             "CACHE",    "accepted for qemu-img's scripts; changes nothing", READ(read_cache)},
    {IMAGE_CONVERT | IMAGE_COMPARE | IMAGE_CHECK | IMAGE_REBASE, 'T', NULL,   "CACHE",    "accepted for qemu-img's scripts; changes nothing", READ(read_cache)},
    {IMAGE_CONVERT,                  'm', NULL,             "NUMBER",   "accepted for qemu-img's scripts; changes nothing", READ(read_coroutines)},
    {IMAGE_CONVERT,                  'W', NULL,             NULL,       "accepted for qemu-img's scripts; changes nothing", NULL, 0},
};
// clang-format on
enum { OPTIONS = sizeof(option_table) / sizeof(option_table[0]) };

static const OptionRow *find_letter(ImageVerb verb, char letter) {
    for (int i = 0; i < OPTIONS; i++)
        if ((option_table[i].verbs & verb) != 0 && option_table[i].letter == letter)
            return &option_table[i];
    return NULL;
}

static const OptionRow *find_name(ImageVerb verb, const char *name, size_t length) {
    for (int i = 0; i < OPTIONS; i++) {
        const OptionRow *row = &option_table[i];
        if ((row->verbs & verb) != 0 && row->name != NULL && strlen(row->name) == length &&
            strncmp(row->name, name, length) == 0)
            return row;
    }
    return NULL;
}

static bool fail_unknown(const VerbRow *verb, const char *word, Error *error) {
    char name[64] = "";
    if (word[1] == '-')
        strncpy(name, word + 2, sizeof(name) - 1);
    name[strcspn(name, "=")] = '\0';
    NearestName nearest = {.wanted = name};
    for (int i = 0; i < OPTIONS; i++)
        if ((option_table[i].verbs & verb->verb) != 0 && option_table[i].name != NULL)
            nearest_name_consider(&nearest, option_table[i].name);
    const char *best = nearest_name_get(&nearest);
    if (best != NULL)
        return error_set(error, "unknown option '--%s'; did you mean '--%s'?", name, best);
    return error_set(error, "unknown option '%s'; 'reprise image %s --help' lists the options",
                     word, verb->name);
}

static bool apply(ImageArguments *arguments, const OptionRow *row, const char *text, Error *error) {
    if (row->read != NULL)
        return row->read(arguments, text, error) ||
               (row->name != NULL ? error_prefix(error, "--%s: ", row->name)
                                  : error_prefix(error, "-%c: ", row->letter));
    if (row->flag != 0)
        *(bool *)((char *)arguments + row->flag) = true;
    return true;
}

/* "--name", "--name=text" or "--name text". */
static bool take_long(ImageArguments *arguments, const VerbRow *verb, int argc, char **argv,
                      int *index, Error *error) {
    const char *name = argv[*index] + 2, *equals = strchr(name, '=');
    const OptionRow *row =
        find_name(verb->verb, name, equals != NULL ? (size_t)(equals - name) : strlen(name));
    if (row == NULL)
        return fail_unknown(verb, argv[*index], error);
    if (row->argument == NULL)
        return equals == NULL ? apply(arguments, row, NULL, error)
                              : error_set(error, "--%s takes nothing", row->name);
    if (equals != NULL)
        return apply(arguments, row, equals + 1, error);
    if (*index + 1 >= argc)
        return error_set(error, "--%s: %s is missing", row->name, row->argument);
    return apply(arguments, row, argv[++*index], error);
}

/* "-x", "-xy", "-xTEXT" or "-x TEXT". */
static bool take_letters(ImageArguments *arguments, const VerbRow *verb, int argc, char **argv,
                         int *index, Error *error) {
    for (const char *letter = argv[*index] + 1; *letter != '\0'; letter++) {
        const OptionRow *row = find_letter(verb->verb, *letter);
        if (row == NULL)
            return fail_unknown(verb, argv[*index], error);
        if (row->argument == NULL) {
            if (!apply(arguments, row, NULL, error))
                return false;
            continue;
        }
        if (letter[1] != '\0')
            return apply(arguments, row, letter + 1, error);
        if (*index + 1 >= argc)
            return error_set(error, "-%c: %s is missing", *letter, row->argument);
        return apply(arguments, row, argv[++*index], error);
    }
    return true;
}

static bool take_words(ImageArguments *arguments, const VerbRow *verb, int argc, char **argv,
                       Error *error) {
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        /* The size is always last, so that it may begin with a minus sign. */
        bool is_size = verb->verb == IMAGE_RESIZE && i == argc - 1 && word[0] == '-' &&
                       word[1] >= '0' && word[1] <= '9';
        bool good = true;
        if (options_end || is_size || word[0] != '-' || word[1] == '\0')
            arguments->files[arguments->file_count++] = word;
        else if (strcmp(word, "--") == 0)
            options_end = true;
        else if (word[1] == '-')
            good = take_long(arguments, verb, argc, argv, &i, error);
        else
            good = take_letters(arguments, verb, argc, argv, &i, error);
        if (!good)
            return false;
    }
    return true;
}

static bool check_words(const ImageArguments *arguments, const VerbRow *verb, Error *error) {
    if (arguments->show_help || arguments->list_options)
        return true;
    if (arguments->file_count < verb->files_minimum)
        return error_set(error, "too few words; usage: reprise image %s [options] %s", verb->name,
                         verb->words);
    return arguments->file_count <= verb->files_maximum ||
           error_set(error, "too many words; usage: reprise image %s [options] %s", verb->name,
                     verb->words);
}

/* What qemu-img has besides, so that the answer is no riddle. */
static bool fail_verb(const char *name, Error *error) {
    static const char *const others[] = {"bench", "bitmap"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(others[i], name) == 0)
            return error_set(error, "'%s' is not in this version", name);
    NearestName nearest = {.wanted = name};
    for (int i = 0; i < VERBS; i++)
        nearest_name_consider(&nearest, verb_table[i].name);
    const char *best = nearest_name_get(&nearest);
    if (best != NULL)
        return error_set(error, "there is no '%s'; did you mean '%s'?", name, best);
    return error_set(error, "there is no '%s'; 'reprise image --help' lists what there is", name);
}

bool image_options_parse(ImageArguments *arguments, int argc, char **argv, Error *error) {
    *arguments = (ImageArguments){.sparse_bytes = SPARSE_DEFAULT, .maximum_length = UINT64_MAX};
    arguments->files = allocate_zeroed(((size_t)argc + 1) * sizeof(*arguments->files));
    if (argc == 0)
        return error_set(error, "what with an image? 'reprise image --help' lists what there is");
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
        strcmp(argv[0], "help") == 0) {
        arguments->show_help = true;
        return true;
    }
    const VerbRow *verb = find_verb(argv[0]);
    if (verb == NULL)
        return fail_verb(argv[0], error);
    arguments->verb = verb->verb;
    return (take_words(arguments, verb, argc - 1, argv + 1, error) &&
            check_words(arguments, verb, error)) ||
           error_prefix(error, "%s: ", verb->name);
}

void image_options_free(ImageArguments *arguments) {
    for (size_t i = 0; i < arguments->string_count; i++)
        free(arguments->strings[i]);
    free(arguments->strings);
    free(arguments->values);
    free(arguments->files);
    *arguments = (ImageArguments){0};
}

static void print_option(const OptionRow *row, FILE *output) {
    char left[64];
    int length = 0;
    if (row->letter != 0)
        length = snprintf(left, sizeof(left), "-%c%s", row->letter, row->name != NULL ? ", " : "");
    if (row->name != NULL)
        length += snprintf(left + length, sizeof(left) - (size_t)length, "--%s", row->name);
    if (row->argument != NULL)
        snprintf(left + length, sizeof(left) - (size_t)length, "%c%s",
                 row->name != NULL ? '=' : ' ', row->argument);
    fprintf(output, "  %-24s %s\n", left, row->help);
}

static void print_formats(FILE *output) {
    fprintf(output, "\nFormats:");
    const char *format;
    for (size_t i = 0; (format = block_format_name(i)) != NULL; i++)
        fprintf(output, " %s%s", format, block_format_creates(format) ? "" : " (read)");
    fprintf(output, "\n");
}

void image_options_print_help(ImageVerb wanted, FILE *output) {
    for (int i = 0; i < VERBS; i++) {
        const VerbRow *verb = &verb_table[i];
        if (verb->verb != wanted)
            continue;
        fprintf(output, "usage: reprise image %s [options] %s\n\n%c%s.\n\n", verb->name,
                verb->words, verb->help[0] - 'a' + 'A', verb->help + 1);
        for (int j = 0; j < OPTIONS; j++)
            if ((option_table[j].verbs & wanted) != 0)
                print_option(&option_table[j], output);
        print_formats(output);
        return;
    }
    fprintf(output, "usage: reprise image VERB [options] FILE...\n\n"
                    "Verbs and options are spelled as qemu-img's. 'reprise image VERB --help' "
                    "lists the options.\n\n");
    for (int i = 0; i < VERBS; i++)
        fprintf(output, "  %-9s %-20s %s\n", verb_table[i].name, verb_table[i].words,
                verb_table[i].help);
    print_formats(output);
    fprintf(output,
            "\nExit status: 0 done, 1 failed. compare: 0 same, 1 different, 2 and more failed.\n"
            "check: 0 good, 1 failed, 2 corrupt, 3 leaked clusters, 63 nothing to check.\n");
}
