/* See script.h. */
#include "script.h"
#include "allocate.h"
#include "host_file.h"
#include "host_string.h"
#include "lua_transfer.h"
#include "machine_time.h"
#include "script_events.h"
#include "script_recording.h"
#include "script_screen.h"

#include <errno.h>
#include <lualib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Every file of Lua functions. */
// clang-format off
static const ScriptPart *const script_parts[] = {
    &script_condition_part,
    &script_fat_part,
    &script_font_part,
    &script_input_part,
    &script_inspect_part,
    &script_machine_part,
    &script_media_part,
    &script_post_part,
    &script_screen_part,
    &script_state_part,
    &script_video_part,
    &script_wait_part,
    &script_test_part,
    &script_cases_part,
};
// clang-format on
enum { SCRIPT_PARTS = sizeof(script_parts) / sizeof(script_parts[0]) };

/* How often a script that runs no machine looks at the host's clock, in Lua's instructions. */
enum { HOOK_INSTRUCTIONS = 1000000 };

#define FAILURE_TYPE "reprise.failure"

/* Where the Script is kept in Lua's registry: by this address. */
static const char script_key = 0;

/* --- what went wrong --- */

static const struct {
    const char *kind;
    ScriptStatus status;
} script_kinds[] = {
    {KIND_FAIL, SCRIPT_FAILED},       {KIND_USAGE, SCRIPT_USAGE},
    {KIND_CRASH, SCRIPT_CRASHED},     {KIND_TIMEOUT, SCRIPT_TIMED_OUT},
    {KIND_HANG, SCRIPT_TIMED_OUT},    {KIND_ERROR, SCRIPT_ERROR},
    {KIND_DIVERGED, SCRIPT_DIVERGED}, {KIND_HOST_LIMIT, SCRIPT_HOST_LIMIT},
    {KIND_SKIP, SCRIPT_PASSED},       {KIND_STOP, SCRIPT_PASSED},
};

ScriptStatus script_kind_status(const char *kind) {
    for (size_t i = 0; i < sizeof(script_kinds) / sizeof(script_kinds[0]); i++) {
        if (strcmp(script_kinds[i].kind, kind) == 0)
            return script_kinds[i].status;
    }
    return SCRIPT_FAILED;
}

static int rank_status(ScriptStatus status) {
    static const ScriptStatus order[] = {SCRIPT_PASSED,    SCRIPT_FAILED,  SCRIPT_DIVERGED,
                                         SCRIPT_TIMED_OUT, SCRIPT_CRASHED, SCRIPT_HOST_LIMIT,
                                         SCRIPT_USAGE,     SCRIPT_ERROR};
    int rank = 0;
    while (order[rank] != status)
        rank++;
    return rank;
}

ScriptStatus script_worse_status(ScriptStatus a, ScriptStatus b) {
    return rank_status(a) > rank_status(b) ? a : b;
}

void script_push_failure(lua_State *L, const char *kind, const char *message) {
    lua_createtable(L, 0, 4);
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, message);
    lua_setfield(L, -2, "message");
    luaL_where(L, 1);
    lua_setfield(L, -2, "where");
    luaL_setmetatable(L, FAILURE_TYPE);
}

int script_fail(lua_State *L, const char *kind, const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    script_push_failure(L, kind, message);
    lua_error(L);
    abort(); /* lua_error() does not return */
}

/* __tostring of a failure: "FILE:LINE: message". */
static int failure_to_string(lua_State *L) {
    lua_getfield(L, 1, "where");
    lua_getfield(L, 1, "message");
    lua_pushfstring(L, "%s%s", luaL_optstring(L, -2, ""), luaL_optstring(L, -1, "?"));
    return 1;
}

/* A script may raise tables of its own with these fields. */
static ScriptStatus read_failure(lua_State *L, int index, ByteBuffer *message) {
    ScriptStatus status = SCRIPT_FAILED;
    int top = lua_gettop(L);
    bool has_text = false;
    if (lua_istable(L, index)) {
        if (lua_getfield(L, index, "kind") == LUA_TSTRING)
            status = script_kind_status(lua_tostring(L, -1));
        has_text = lua_getfield(L, index, "message") == LUA_TSTRING;
    }
    if (!has_text || luaL_getmetafield(L, index, "__tostring") != LUA_TNIL)
        luaL_tolstring(L, index, NULL);
    byte_buffer_print(message, "%s", lua_tostring(L, -1));
    lua_settop(L, top);
    return status;
}

/* Runs while the stack of the failing functions is still there: keeps it in the error's table. What
 * is no table, as Lua's own errors and those of error("..."), becomes one. */
static int keep_traceback(lua_State *L) {
    if (!lua_istable(L, 1)) {
        lua_createtable(L, 0, 3);
        lua_pushliteral(L, KIND_FAIL);
        lua_setfield(L, -2, "kind");
        luaL_tolstring(L, 1, NULL);
        lua_setfield(L, -2, "message");
        luaL_setmetatable(L, FAILURE_TYPE);
        lua_replace(L, 1);
    }
    luaL_traceback(L, L, NULL, 1);
    lua_setfield(L, 1, "traceback");
    /* Machines that only the failing functions knew are to be looked at still. */
    lua_gc(L, LUA_GCSTOP);
    lua_settop(L, 1);
    return 1;
}

ScriptStatus script_call(lua_State *L, int arguments, ByteBuffer *message) {
    int function = lua_gettop(L) - arguments;
    lua_pushcfunction(L, keep_traceback);
    lua_insert(L, function);
    int result = lua_pcall(L, arguments, LUA_MULTRET, function);
    lua_remove(L, function);
    if (result == LUA_OK)
        return SCRIPT_PASSED;
    return result == LUA_ERRMEM ? (byte_buffer_print(message, "out of memory"), SCRIPT_ERROR)
                                : read_failure(L, lua_gettop(L), message);
}

/* --- the state --- */

Script *script_get(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &script_key);
    Script *script = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return script;
}

static void check_host_time(lua_State *L, lua_Debug *event) {
    (void)event;
    if (host_clock_ns() >= script_get(L)->options->deadline_ns)
        script_fail(L, KIND_HOST_LIMIT, "the host's time limit is over");
}

/* __gc of a machine that nobody knows any more. */
static int collect_machine(lua_State *L) {
    ScriptMachine **holder = lua_touserdata(L, 1);
    if (*holder != NULL)
        script_machine_free(*holder);
    return 0;
}

/* Nothing may keep a script from ending when the host's time is over: pcall() and xpcall() let that
 * failure through. */
static const char protected_calls[] =
    "local function pass(good, failure, ...)\n"
    "    if not good and type(failure) == 'table' and failure.kind == '" KIND_HOST_LIMIT "' then\n"
    "        error(failure, 0)\n"
    "    end\n"
    "    return good, failure, ...\n"
    "end\n"
    "local plain_pcall, plain_xpcall = pcall, xpcall\n"
    "function pcall(...) return pass(plain_pcall(...)) end\n"
    "function xpcall(...) return pass(plain_xpcall(...)) end\n";

static void add_functions(lua_State *L) {
    if (luaL_loadbufferx(L, protected_calls, sizeof(protected_calls) - 1, "=pcall", "t") != LUA_OK)
        abort(); /* it is ours */
    lua_call(L, 0, 0);
    luaL_newmetatable(L, FAILURE_TYPE);
    lua_pushcfunction(L, failure_to_string);
    lua_setfield(L, -2, "__tostring");
    luaL_newmetatable(L, SCRIPT_MACHINE_TYPE);
    lua_pushcfunction(L, collect_machine);
    lua_setfield(L, -2, "__gc");
    lua_newtable(L);
    for (int i = 0; i < SCRIPT_PARTS; i++) {
        if (script_parts[i]->methods != NULL)
            script_log_methods(L, script_parts[i]->methods);
    }
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
    lua_pushglobaltable(L);
    for (int i = 0; i < SCRIPT_PARTS; i++) {
        if (script_parts[i]->globals != NULL)
            luaL_setfuncs(L, script_parts[i]->globals, 0);
    }
    lua_pop(L, 1);
    for (int i = 0; i < SCRIPT_PARTS; i++) {
        if (script_parts[i]->open != NULL)
            script_parts[i]->open(L);
    }
}

/* args.NAME, and what is of use everywhere: guests (a folder), folder (the script's own). */
static void add_variables(Script *script) {
    lua_State *L = script->lua;
    lua_newtable(L);
    for (int i = 0; i < script->options->variable_count; i++) {
        const TestVariable *variable = &script->options->variables[i];
        lua_pushstring(L, variable->value);
        lua_setfield(L, -2, variable->name);
    }
    lua_getfield(L, -1, "guests");
    lua_setglobal(L, "guests");
    lua_setglobal(L, "args");
    lua_pushstring(L, script->folder);
    lua_setglobal(L, "folder");
}

/* require() looks beside the script first. */
static void set_module_path(Script *script) {
    lua_State *L = script->lua;
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s/?.lua;%s", script->folder, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 2);
}

static char *copy_folder(const char *file) {
    const char *slash = strrchr(file, '/');
    return slash == NULL ? strdup(".") : strndup(file, slash == file ? 1 : (size_t)(slash - file));
}

/* Lua seeds math.random() by the host's clock: a test is to run alike each time. */
static void seed_random(lua_State *L) {
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 1);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

Script *script_create(const TestOptions *options, const char *file, Error *error) {
    Script *script = allocate_zeroed(sizeof(*script));
    script->options = options;
    script->file = file;
    script->folder = copy_folder(file);
    script->lua = luaL_newstate();
    if (script->lua == NULL) {
        error_set(error, "no memory for Lua");
        script_destroy(script);
        return NULL;
    }
    luaL_openlibs(script->lua);
    lua_pushlightuserdata(script->lua, script);
    lua_rawsetp(script->lua, LUA_REGISTRYINDEX, &script_key);
    add_functions(script->lua);
    add_variables(script);
    set_module_path(script);
    seed_random(script->lua);
    lua_transfer_note_baseline(script->lua);
    if (options->deadline_ns != INT64_MAX)
        lua_sethook(script->lua, check_host_time, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
    return script;
}

void script_destroy(Script *script) {
    if (script == NULL)
        return;
    while (script->machines != NULL)
        script_machine_free(script->machines);
    if (script->lua != NULL)
        lua_close(script->lua);
    free(script->folder);
    free(script);
}

bool script_load(Script *script, Error *error) {
    if (luaL_loadfile(script->lua, script->file) == LUA_OK)
        return true;
    error_set(error, "%s", lua_tostring(script->lua, -1));
    lua_pop(script->lua, 1);
    return false;
}

ScriptStatus script_run(Script *script, ByteBuffer *message) {
    return script_call(script->lua, 0, message);
}

/* --- machines --- */

static ScriptSettings *share_settings(const ScriptMachine *like) {
    if (like != NULL) {
        __atomic_add_fetch(&like->settings->users, 1, __ATOMIC_RELAXED);
        return like->settings;
    }
    ScriptSettings *settings = allocate_zeroed(sizeof(*settings));
    settings_init(&settings->settings);
    settings->users = 1;
    return settings;
}

static void release_settings(ScriptSettings *settings) {
    if (__atomic_sub_fetch(&settings->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    settings_free(&settings->settings);
    free(settings->words);
    free(settings);
}

ScriptMachine *script_machine_new(lua_State *L, const ScriptMachine *like) {
    Script *script = script_get(L);
    ScriptMachine **holder = lua_newuserdatauv(L, sizeof(*holder), 0);
    *holder = NULL;
    luaL_setmetatable(L, SCRIPT_MACHINE_TYPE);
    ScriptMachine *machine = allocate_zeroed(sizeof(*machine));
    *holder = machine;
    machine->holder = holder;
    machine->script = script;
    machine->next = script->machines;
    script->machines = machine;
    machine->number = ++script->machine_count;
    snprintf(machine->name, sizeof(machine->name), "machine%d", machine->number);
    machine->settings = share_settings(like);
    return machine;
}

void script_machine_made(ScriptMachine *machine) {
    for (int i = 0; i < SCRIPT_PARTS; i++) {
        if (script_parts[i]->made != NULL)
            script_parts[i]->made(machine);
    }
}

void script_machine_restored(ScriptMachine *machine) {
    for (int i = 0; i < SCRIPT_PARTS; i++) {
        if (script_parts[i]->restored != NULL)
            script_parts[i]->restored(machine);
    }
}

void script_machine_free(ScriptMachine *machine) {
    for (int i = 0; i < SCRIPT_PARTS && machine->machine != NULL; i++) {
        if (script_parts[i]->freed != NULL)
            script_parts[i]->freed(machine);
    }
    ScriptMachine **link = &machine->script->machines;
    while (*link != machine)
        link = &(*link)->next;
    *link = machine->next;
    *machine->holder = NULL;
    script_recording_free(machine->recording);
    machine_destroy(machine->machine);
    audio_outputs_close(&machine->audio);
    release_settings(machine->settings);
    script_output_free(&machine->output);
    free(machine);
}

ScriptMachine *script_machine_check(lua_State *L, int index) {
    ScriptMachine **holder = luaL_checkudata(L, index, SCRIPT_MACHINE_TYPE);
    if (*holder == NULL || (*holder)->machine == NULL)
        script_fail(L, KIND_USAGE, "this machine was closed");
    return *holder;
}

/* --- small helpers --- */

static bool has_option(lua_State *L, int index, const char *name) {
    return lua_istable(L, index) && lua_getfield(L, index, name) != LUA_TNIL;
}

double script_option_number(lua_State *L, int index, const char *name, double otherwise) {
    double value = otherwise;
    int top = lua_gettop(L);
    if (has_option(L, index, name)) {
        int is_number;
        value = lua_tonumberx(L, -1, &is_number);
        if (!is_number)
            script_fail(L, KIND_USAGE, "'%s' is a number", name);
    }
    lua_settop(L, top);
    return value;
}

bool script_option_flag(lua_State *L, int index, const char *name, bool otherwise) {
    int top = lua_gettop(L);
    bool value = has_option(L, index, name) ? lua_toboolean(L, -1) : otherwise;
    lua_settop(L, top);
    return value;
}

const char *script_option_string(lua_State *L, int index, const char *name, const char *otherwise) {
    int top = lua_gettop(L);
    const char *value = otherwise;
    if (has_option(L, index, name)) {
        value = lua_tostring(L, -1);
        if (value == NULL)
            script_fail(L, KIND_USAGE, "'%s' is a string", name);
    }
    lua_settop(L, top);
    return value; /* the table holds it still */
}

void script_log(Script *script, ScriptMachine *machine, const char *format, ...) {
    if (script->log == NULL)
        return;
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    script->log(script->log_opaque, machine, line);
}

char *script_find_file(const Script *script, const char *name) {
    if (name[0] == '/')
        return strdup(name);
    size_t bytes = strlen(script->folder) + strlen(name) + 2;
    char *path = allocate_zeroed(bytes);
    snprintf(path, bytes, "%s/%s", script->folder, name);
    return path;
}
