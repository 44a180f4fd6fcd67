/* machine(...): makes a machine of options as the command line has them; and what every machine can
 * be asked. */
#include "allocate.h"
#include "board.h"
#include "command_line.h"
#include "host_string.h"
#include "machine_parts.h"
#include "script.h"
#include "script_recording.h"
#include "snapshot_of_machine.h"

#include <stdlib.h>
#include <string.h>

/* Words of options: of a string as a shell splits it, or of a table, or one given alone. */
typedef struct WordList {
    char **words;
    size_t count, capacity;
} WordList;

static void add_word(WordList *list, const char *word, size_t length) {
    list->words = allocate_grow(list->words, &list->capacity, list->count + 1, sizeof(char *));
    list->words[list->count++] = strndup(word, length);
}

static void free_words(WordList *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->words[i]);
    free(list->words);
}

/* POSIX shell quoting (Shell Command Language 2.2) without expansions: '...', "...", \x. False: a
 * quote is not closed. */
static bool split_words(WordList *list, const char *text) {
    char *word = allocate_zeroed(strlen(text) + 1);
    size_t length = 0;
    char quote = '\0';
    bool inside = false;
    for (const char *at = text; *at != '\0'; at++) {
        if (quote != '\0' && *at == quote) {
            quote = '\0';
        } else if (quote == '\0' && (*at == '\'' || *at == '"')) {
            quote = *at;
            inside = true;
        } else if (*at == '\\' && quote != '\'' && at[1] != '\0') {
            word[length++] = *++at;
            inside = true;
        } else if (quote == '\0' && strchr(" \t\r\n", *at) != NULL) {
            if (inside)
                add_word(list, word, length);
            inside = false;
            length = 0;
        } else {
            word[length++] = *at;
            inside = true;
        }
    }
    if (inside)
        add_word(list, word, length);
    free(word);
    return quote == '\0';
}

/* 125 million instructions a second, about what a Pentium did. A guest that waits in a loop for
 * time to pass then does so in no more of the host's time. */
enum { SCRIPT_ICOUNT_SHIFT = 3 };

/* A single string is a line of options; of several, and in a table, each is one word. */
static bool read_words(lua_State *L, WordList *list) {
    int count = lua_gettop(L);
    add_word(list, "reprise", strlen("reprise"));
    if (count == 1 && lua_type(L, 1) == LUA_TSTRING)
        return split_words(list, lua_tostring(L, 1));
    for (int i = 1; i <= count; i++) {
        for (lua_Integer j = 1; lua_istable(L, i) && lua_geti(L, i, j) != LUA_TNIL; j++) {
            const char *word = lua_tostring(L, -1);
            add_word(list, word != NULL ? word : "", word != NULL ? strlen(word) : 0);
            lua_pop(L, 1);
        }
        lua_settop(L, count);
        if (lua_isstring(L, i))
            add_word(list, lua_tostring(L, i), strlen(lua_tostring(L, i)));
    }
    return true;
}

static bool refuse_device(const CharacterSpec *spec, const char *what, Error *error) {
    return spec->kind == CHARACTER_NONE || spec->kind == CHARACTER_NULL ||
           error_set(error, "%s of a script's machine leads to the script alone: say 'null'", what);
}

/* What makes no sense without a window, a terminal and somebody before it. */
static bool check_settings(const Settings *settings, Error *error) {
    if (settings->show_help || settings->show_version || settings->listed)
        return error_set(error, "that option prints something and makes no machine");
    if (settings->display == DISPLAY_SDL || settings->full_screen)
        return error_set(error, "a script's machine has no window");
    if (guest_coverage_is_wanted(&settings->coverage))
        return error_set(error, "coverage is of all machines: --coverage, --profile, --symbols of "
                                "'reprise test'");
    if (settings->machine.start_paused)
        return error_set(error, "-S: a script's machine runs within waits only");
    for (int i = 0; i < settings->serial_count; i++) {
        if (!refuse_device(&settings->serial[i], "a serial port", error))
            return false;
    }
    for (int i = 0; i < settings->parallel_count; i++) {
        if (!refuse_device(&settings->parallel[i], "a parallel port", error))
            return false;
    }
    for (int i = 0; i < settings->monitor_count; i++) {
        if (!refuse_device(&settings->monitor[i], "the monitor", error))
            return false;
    }
    return refuse_device(&settings->debug_console, "the debug console", error) &&
           refuse_device(&settings->firmware_log, "the firmware's log", error);
}

static bool configure(ScriptMachine *machine, const WordList *words, Error *error) {
    Settings *settings = &machine->settings->settings;
    MachineConfig *config = &settings->machine;
    settings->snapshot_by_default = true;
    config->icount = true;
    config->icount_shift = SCRIPT_ICOUNT_SHIFT;
    config->perturbation = machine->script->perturbation;
    /* The settings keep pointers to the words. */
    char **kept = allocate_zeroed((words->count + 1) * sizeof(*kept));
    for (size_t i = 0; i < words->count; i++)
        kept[i] = (char *)settings_keep_string(settings, words->words[i]);
    bool good = command_line_parse(settings, (int)words->count, kept, error) &&
                check_settings(settings, error);
    machine->settings->words = kept;
    for (int i = 0; good && i < settings->serial_count; i++)
        config->has_serial[i] = settings->serial[i].kind != CHARACTER_NONE;
    for (int i = 0; good && i < settings->parallel_count; i++)
        config->has_parallel[i] = settings->parallel[i].kind != CHARACTER_NONE;
    if (config->name != NULL)
        snprintf(machine->name, sizeof(machine->name), "%s", config->name);
    if (machine->script->options->guest_coverage != NULL)
        guest_coverage_attach(machine->script->options->guest_coverage, &config->translator);
    bool has_firmware_log = settings->firmware_log.kind != CHARACTER_NONE;
    script_output_wire(&machine->output, config, has_firmware_log);
    return good;
}

/* machine(options...) -> machine */
static int make_machine(lua_State *L) {
    const TestOptions *options = script_get(L)->options;
    WordList words = {.words = NULL};
    Error error = {.set = false};
    bool good = read_words(L, &words) || error_set(&error, "a quote is not closed");
    for (int i = 0; i < options->machine_word_count; i++)
        add_word(&words, options->machine_words[i], strlen(options->machine_words[i]));
    ScriptMachine *machine = script_machine_new(L, NULL);
    good = good && configure(machine, &words, &error);
    free_words(&words);
    good = good && audio_outputs_open(&machine->audio, &machine->settings->settings, false, NULL,
                                      NULL, &error);
    if (good)
        machine->machine = machine_create(&machine->settings->settings.machine, &error);
    const char *snapshot = machine->settings->settings.load_snapshot;
    if (machine->machine == NULL ||
        (snapshot != NULL && !machine_load_snapshot(machine->machine, snapshot, &error)))
        return script_fail(L, KIND_USAGE, "machine: %s", error.message);
    machine->recording = script_recording_begin(machine->machine, &machine->settings->settings);
    script_machine_made(machine);
    return 1;
}

/* m:close(): gives its memory back now. */
static int close_machine(lua_State *L) {
    ScriptMachine **holder = lua_touserdata(L, 1);
    script_machine_check(L, 1);
    script_machine_free(*holder);
    return 0;
}

int script_push_screen_text(lua_State *L, ScriptMachine *machine) {
    ByteBuffer text = {.data = NULL};
    if (script_screen_text(machine, &text) && text.size > 0)
        lua_pushlstring(L, (const char *)text.data, text.size);
    else
        lua_pushliteral(L, "");
    byte_buffer_free(&text);
    return 1;
}

/* m:text() -> the text screen, lines without the spaces at their ends */
static int get_text(lua_State *L) {
    return script_push_screen_text(L, script_machine_check(L, 1));
}

static const luaL_Reg machine_methods[] = {
    {"close", close_machine},
    {"text", get_text},
    {NULL, NULL},
};
static const luaL_Reg machine_globals[] = {
    {"machine", make_machine},
    {NULL, NULL},
};
const ScriptPart script_machine_part = {.methods = machine_methods, .globals = machine_globals};
