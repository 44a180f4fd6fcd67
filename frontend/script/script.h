/* Test scripts: a Lua state with machines in it. How the parts of the scripting hang together, for
 * the files of this folder; script authors read REFERENCE.md.
 *
 * Each part is a file that exports a ScriptPart: tables of Lua functions, and hooks. script.c lists
 * them. One Script belongs to one thread, with its Lua state and its machines; functions of a part
 * find it by script_get(). */
#ifndef REPRISE_SCRIPT_H
#define REPRISE_SCRIPT_H

#include "audio_outputs.h"
#include "byte_buffer.h"
#include "machine.h"
#include "script_output.h"
#include "settings.h"
#include "test_options.h"
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

/* How a test or a whole run ends; the numbers are exit statuses of the program. */
typedef enum ScriptStatus {
    SCRIPT_PASSED = 0,
    SCRIPT_FAILED = 1,
    SCRIPT_USAGE = 2,
    SCRIPT_CRASHED = 3,   /* the guest: triple fault, panic port */
    SCRIPT_TIMED_OUT = 4, /* guest time ran out, or provably nothing could come any more */
    SCRIPT_ERROR = 5,     /* our own */
    SCRIPT_DIVERGED = 6,
    SCRIPT_HOST_LIMIT = 124,
} ScriptStatus;

/* The kinds of failure, as an error's field 'kind' names them. */
#define KIND_FAIL "fail"             /* 1: a check that did not hold */
#define KIND_USAGE "usage"           /* 2: the script asks for something that there is not */
#define KIND_CRASH "crash"           /* 3 */
#define KIND_TIMEOUT "timeout"       /* 4 */
#define KIND_HANG "hang"             /* 4: proven */
#define KIND_ERROR "error"           /* 5 */
#define KIND_DIVERGED "divergence"   /* 6 */
#define KIND_HOST_LIMIT "host limit" /* 124 */
#define KIND_SKIP "skip"             /* no failure: the test ends here and does not count */
#define KIND_STOP "stop"             /* no failure: --fail-fast ends the script here */

/* The status that an error of this kind stands for; SCRIPT_FAILED for kinds of a script's own. */
ScriptStatus script_kind_status(const char *kind);
/* The one that counts more when several tests end differently. */
ScriptStatus script_worse_status(ScriptStatus a, ScriptStatus b);

typedef struct Script Script;
typedef struct ScriptMachine ScriptMachine;

struct Script {
    const TestOptions *options; /* of the whole run; shared, read only */
    lua_State *lua;
    const char *file;               /* of the script */
    char *folder;                   /* which 'file' is in, "." at least */
    ScriptMachine *machines;        /* those alive, newest first */
    int machine_count;              /* made so far */
    ClockPerturbation perturbation; /* --perturb, for all machines */
    struct TestContext *tests;      /* what tests keep with it: test_run.h */
    /* What happens is told here, in order: 'machine' is NULL for what concerns none. May be NULL.
     */
    void (*log)(void *opaque, ScriptMachine *machine, const char *line);
    void *log_opaque;
};

/* The options of a machine and of its clones: they own the strings of the configuration. */
typedef struct ScriptSettings {
    Settings settings;
    char **words;
    int users; /* atomic: clones live on other threads */
} ScriptSettings;

/* A machine of a script. It runs in the script's thread, within waits only. */
struct ScriptMachine {
    Script *script;
    AudioOutputs audio; /* none of a clone */
    ScriptMachine *next;
    ScriptMachine **holder; /* the Lua value */
    Machine *machine;
    ScriptSettings *settings;
    int number;          /* from 1, in the order of making */
    char name[64];       /* -name, or "machine1" */
    ScriptOutput output; /* what came out of the ports */
    /* Where it stood when the script got it: a clone has a past. */
    int64_t made_ns;
    uint64_t made_instructions;
    bool was_restored; /* by the method that runs: time jumped */
    /* Parts keep what they need with a machine here; their 'freed' hook frees it. */
    struct VideoRecorder *recorder;
    struct ScriptRecording *recording; /* NULL: its run does not repeat */
    struct ScreenWatch *screen;
};

/* One file of Lua functions. All members may be NULL. */
typedef struct ScriptPart {
    const luaL_Reg *methods; /* of machines, m:NAME() */
    const luaL_Reg *globals;
    void (*open)(lua_State *L);               /* further types, once per state */
    void (*made)(ScriptMachine *machine);     /* a machine was made */
    void (*restored)(ScriptMachine *machine); /* it is in another state, at another time */
    void (*freed)(ScriptMachine *machine);    /* it goes; machine->machine is still there */
} ScriptPart;

/* Name of the type of machines in Lua. */
#define SCRIPT_MACHINE_TYPE "reprise.machine"

/* The parts, one a file. */
extern const ScriptPart script_cases_part;
extern const ScriptPart script_condition_part;
extern const ScriptPart script_fat_part;
extern const ScriptPart script_input_part;
extern const ScriptPart script_inspect_part;
extern const ScriptPart script_machine_part;
extern const ScriptPart script_media_part;
extern const ScriptPart script_post_part;
extern const ScriptPart script_state_part;
extern const ScriptPart script_test_part;
extern const ScriptPart script_wait_part;

/* Makes a state with all functions for the script 'file'. */
Script *script_create(const TestOptions *options, const char *file, Error *error);
/* Frees the machines too. NULL is allowed. */
void script_destroy(Script *script);

/* Reads the file; false: it cannot be read or is no Lua, and 'error' says "FILE:LINE: what". */
bool script_load(Script *script, Error *error);
/* Runs what was loaded. The message of a failure goes to 'message', with the place. */
ScriptStatus script_run(Script *script, ByteBuffer *message);

/* For Lua functions. */
Script *script_get(lua_State *L);
/* The machine at 'index'; raises an error if there is none, or it was closed. */
ScriptMachine *script_machine_check(lua_State *L, int index);
/* Raises {kind=, message=, where=}; does not return. */
int script_fail(lua_State *L, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));
/* Pushes such an error, for a function that has to clean up before lua_error(). */
void script_push_failure(lua_State *L, const char *kind, const char *message);
/* Calls the function that lies below 'arguments' arguments. On failure the error's message is added
 * to 'message', "FILE:LINE: what", and the error value itself left on the stack, and Lua's garbage
 * collector stands until lua_gc(LUA_GCRESTART); otherwise all results are left. */
ScriptStatus script_call(lua_State *L, int arguments, ByteBuffer *message);
/* A field of the table at 'index' (or nothing there: the default). */
double script_option_number(lua_State *L, int index, const char *name, double otherwise);
bool script_option_flag(lua_State *L, int index, const char *name, bool otherwise);
const char *script_option_string(lua_State *L, int index, const char *name, const char *otherwise);

/* Adds a line to the event log. */
void script_log(Script *script, ScriptMachine *machine, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Where a file that a script names lies: relative to the script's folder. Freed by the caller. */
char *script_find_file(const Script *script, const char *name);

/* Makes a Lua value of a machine, and leaves it on the stack. Its member 'machine' is still to be
 * made, with the ports led to 'output' (script_output_wire()); then script_machine_made().
 * 'like': a machine whose settings it shares, for a clone; NULL for fresh ones. */
ScriptMachine *script_machine_new(lua_State *L, const ScriptMachine *like);
/* Tells the parts that the machine is there now, or that it is in another state. */
void script_machine_made(ScriptMachine *machine);
void script_machine_restored(ScriptMachine *machine);
void script_machine_free(ScriptMachine *machine);

/* What the screen shows, as UTF-8; false where it shows no text. And the same as a Lua string. */
bool script_screen_text(ScriptMachine *machine, ByteBuffer *text);
int script_push_screen_text(lua_State *L, ScriptMachine *machine);

#endif
