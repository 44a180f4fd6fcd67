#define _GNU_SOURCE
/* The waits: run a machine until something is there, or say what else happened. */
#include "script_wait.h"
#include "hash_log.h"
#include "host_string.h"
#include "machine_hang.h"
#include "machine_idle.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "machine_time.h"
#include "script_screen.h"
#include "test_run.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_SECONDS 60.0
/* A guest that mostly sleeps needs long for a number of instructions, in its own time alone. */
#define RUN_TIMEOUT_SECONDS 86400.0
#define DEFAULT_POLL_NS (10 * 1000000LL)
#define SECONDS_MAX 1e9 /* as nanoseconds they fit */

int64_t script_seconds_to_ns(lua_State *L, double seconds) {
    if (!(seconds >= 0 && seconds <= SECONDS_MAX))
        script_fail(L, KIND_USAGE, "a number of seconds is wanted");
    return (int64_t)(seconds * 1e9);
}

static int64_t read_timeout(lua_State *L, int options, double otherwise) {
    if (!lua_isnoneornil(L, options) && !lua_istable(L, options))
        script_fail(L, KIND_USAGE, "the options of a wait are a table, as {timeout=60}");
    return script_seconds_to_ns(L, script_option_number(L, options, "timeout", otherwise));
}

int64_t script_timeout_ns(lua_State *L, int options) {
    return read_timeout(L, options, DEFAULT_TIMEOUT_SECONDS);
}

/* The last line of the screen that has something on it. */
static void print_last_line(ScriptMachine *machine, ByteBuffer *text) {
    ByteBuffer screen = {.data = NULL};
    size_t end = 0, start;
    if (script_screen_text(machine, &screen)) {
        for (end = screen.size; end > 0 && strchr(" \n", screen.data[end - 1]) != NULL; end--)
            continue;
        for (start = end; start > 0 && screen.data[start - 1] != '\n'; start--)
            continue;
        if (end > start)
            byte_buffer_print(text, "; the screen's last line is \"%.*s\"", (int)(end - start),
                              (const char *)screen.data + start);
        else
            byte_buffer_print(text, "; the screen is empty");
    } else {
        byte_buffer_print(text, "; the screen shows graphics");
    }
    byte_buffer_free(&screen);
}

static void print_place(ScriptMachine *machine, ByteBuffer *text) {
    const CpuState *state = &machine->machine->cpu->state;
    byte_buffer_print(text, " at %04X:%08X", state->segment[SEG_CS].selector, state->eip);
}

static bool has_diverged(const ScriptMachine *machine) {
    const HashLog *hashes = machine->script->options->hashes;
    return hashes != NULL && hashes->difference != NULL;
}

/* What happened instead, with the kind of failure that it is. */
static const char *describe_end(ScriptMachine *machine, WaitEnd end, ByteBuffer *text) {
    int status = 0;
    switch (end) {
    case WAIT_TIMED_OUT:
        byte_buffer_print(text, "guest time is over");
        return KIND_TIMEOUT;
    case WAIT_HUNG:
        machine_find_hang(machine->machine, text);
        return KIND_HANG;
    case WAIT_CRASHED:
        byte_buffer_print(text, machine_get_crash(machine->machine) == CRASH_PANIC
                                    ? "the guest wrote to the panic port"
                                    : "the guest crashed: triple fault");
        print_place(machine, text);
        return KIND_CRASH;
    case WAIT_INTERRUPTED:
        if (has_diverged(machine)) {
            byte_buffer_print(text, "%s", machine->script->options->hashes->difference);
            return KIND_DIVERGED;
        }
        byte_buffer_print(text, "the host's time limit is over");
        return KIND_HOST_LIMIT;
    default:
        if (machine_has_ended(machine->machine, &status) && status != 0)
            byte_buffer_print(text, "the guest left by debug exit with status %d", status);
        else
            byte_buffer_print(text, machine_run_state(machine->machine) == RUN_STATE_PAUSED
                                        ? "the machine is stopped"
                                        : "the guest is powered off");
        return KIND_FAIL;
    }
}

void script_wait_fail(lua_State *L, ScriptMachine *machine, WaitEnd end, const char *what) {
    ByteBuffer text = {.data = NULL};
    const char *kind = describe_end(machine, end, &text);
    byte_buffer_print(&text, " while waiting for %s", what);
    if (end == WAIT_TIMED_OUT || end == WAIT_HUNG)
        print_last_line(machine, &text);
    lua_pushlstring(L, (const char *)text.data, text.size);
    byte_buffer_free(&text);
    script_fail(L, kind, "%s", lua_tostring(L, -1));
}

void script_wait_for(lua_State *L, ScriptMachine *machine, const ScriptWait *wait) {
    int64_t poll_ns = wait->poll_ns > 0 ? wait->poll_ns : DEFAULT_POLL_NS;
    int64_t deadline_ns = machine_guest_time_ns(machine->machine) + wait->timeout_ns;
    script_log(machine->script, machine, "wait for %s", wait->what);
    WaitEnd end =
        machine_run_until(machine->machine, deadline_ns, poll_ns, wait->met, wait->opaque);
    if (end != WAIT_MET)
        script_wait_fail(L, machine, end, wait->what);
}

/* --- text on the screen, bytes from a port --- */

/* What is looked for, and where it is looked for next. */
typedef struct TextSearch {
    ScriptMachine *machine;
    const char *text;
    size_t length;
    unsigned port;
} TextSearch;

static bool screen_has_text(void *opaque) {
    const TextSearch *search = opaque;
    ByteBuffer screen = {.data = NULL};
    bool found = script_poll_screen_text(search->machine, &screen) && screen.size > 0 &&
                 memmem(screen.data, screen.size, search->text, search->length) != NULL;
    byte_buffer_free(&screen);
    return found;
}

/* m:wait_text(text [, {timeout=}]) -> the screen's text */
static int wait_text(lua_State *L) {
    TextSearch search = {.machine = script_machine_check(L, 1)};
    search.text = luaL_checklstring(L, 2, &search.length);
    lua_settop(L, 3);
    if (script_wait_text_in_font(L))
        return 1;
    const char *what = lua_pushfstring(L, "the text \"%s\" on the screen", search.text);
    ScriptWait wait = {what, screen_has_text, &search, 0, script_timeout_ns(L, 3)};
    script_wait_for(L, search.machine, &wait);
    return script_push_screen_text(L, search.machine);
}

static bool serial_has_text(void *opaque) {
    const TextSearch *search = opaque;
    const ByteBuffer *bytes = &search->machine->output.serial[search->port];
    size_t seen = search->machine->output.serial_waited[search->port];
    return bytes->size > seen &&
           memmem(bytes->data + seen, bytes->size - seen, search->text, search->length) != NULL;
}

static unsigned read_port(lua_State *L, int options) {
    double port = script_option_number(L, options, "port", 0);
    if (!(port >= 0 && port < MACHINE_SERIAL_PORTS))
        script_fail(L, KIND_USAGE, "serial ports are 0 to %d", MACHINE_SERIAL_PORTS - 1);
    return (unsigned)port;
}

/* m:wait_serial(text [, {timeout=, port=}]) -> what came up to the end of 'text', since the last
 * such wait */
static int wait_serial(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    TextSearch search = {.machine = machine, .port = read_port(L, 3)};
    search.text = luaL_checklstring(L, 2, &search.length);
    lua_settop(L, 3);
    const char *what =
        lua_pushfstring(L, "\"%s\" from serial port %d", search.text, (int)search.port);
    ScriptWait wait = {what, serial_has_text, &search, 0, script_timeout_ns(L, 3)};
    script_wait_for(L, machine, &wait);
    const ByteBuffer *bytes = &machine->output.serial[search.port];
    size_t *seen = &machine->output.serial_waited[search.port];
    const uint8_t *start = bytes->data + *seen;
    const uint8_t *found = memmem(start, bytes->size - *seen, search.text, search.length);
    size_t length = (size_t)(found - start) + search.length;
    lua_pushlstring(L, (const char *)start, length);
    *seen += length;
    return 1;
}

/* --- nothing to do --- */

#define DEFAULT_QUIET_SECONDS 0.2

typedef struct IdleSearch {
    Machine *machine;
    IdleWatch watch;
    uint32_t looks;
} IdleSearch;

static bool is_idle(void *opaque) {
    IdleSearch *search = opaque;
    return machine_look_idle(search->machine, &search->watch, search->looks);
}

/* Halted with interrupts on and nothing that could interrupt: that is idle for ever. */
static bool sleeps(const Machine *machine) {
    return machine_processors_halted(machine) && machine_processors_interruptible(machine);
}

/* m:wait_idle([{timeout=, quiet=}]): until the guest has slept for most of 'quiet' seconds, with no
 * drive at work */
static int wait_idle(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    double quiet = script_option_number(L, 2, "quiet", DEFAULT_QUIET_SECONDS);
    int64_t looks = script_seconds_to_ns(L, quiet) / IDLE_LOOK_NS;
    if (looks < 1 || looks > UINT32_MAX)
        script_fail(L, KIND_USAGE, "'quiet' is a number of seconds, 0.001 at least");
    IdleSearch search = {.machine = machine->machine, .looks = (uint32_t)looks};
    int64_t deadline_ns = machine_guest_time_ns(machine->machine) + script_timeout_ns(L, 2);
    script_log(machine->script, machine, "wait for the guest to have nothing to do");
    machine_begin_idle_looks(machine->machine);
    WaitEnd end = machine_run_until(machine->machine, deadline_ns, IDLE_LOOK_NS, is_idle, &search);
    machine_end_idle_looks(machine->machine);
    if (end != WAIT_MET && !(end == WAIT_HUNG && sleeps(machine->machine)))
        script_wait_fail(L, machine, end, "the guest to have nothing to do");
    return 0;
}

/* --- time --- */

/* m:wait(seconds): lets guest time pass. */
static int wait_seconds(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    int64_t left_ns = script_seconds_to_ns(L, luaL_checknumber(L, 2));
    int64_t deadline_ns = machine_guest_time_ns(machine->machine) + left_ns;
    script_log(machine->script, machine, "wait %g s", (double)left_ns / 1e9);
    WaitEnd end = machine_run_until(machine->machine, deadline_ns, INT64_MAX, NULL, NULL);
    if (end != WAIT_TIMED_OUT)
        script_wait_fail(L, machine, end, "time to pass");
    return 0;
}

/* m:run(instructions [, {timeout=}]): exactly so many. */
static int run_instructions(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    lua_Integer count = luaL_checkinteger(L, 2);
    luaL_argcheck(L, count >= 0, 2, "a number of instructions is wanted");
    int64_t deadline_ns =
        machine_guest_time_ns(machine->machine) + read_timeout(L, 3, RUN_TIMEOUT_SECONDS);
    WaitEnd end = machine_run_exactly(machine->machine, (uint64_t)count, deadline_ns);
    if (end != WAIT_MET)
        script_wait_fail(L, machine, end, "instructions to run");
    return 0;
}

/* m:wait_end([{timeout=}]) -> the exit status: 0 powered off, or that of the debug exit */
static int wait_end(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    int64_t deadline_ns = machine_guest_time_ns(machine->machine) + script_timeout_ns(L, 2);
    int status = 0;
    script_log(machine->script, machine, "wait for the end");
    WaitEnd end =
        machine_run_until(machine->machine, deadline_ns, DEFAULT_POLL_NS, script_never, NULL);
    if (end != WAIT_ENDED)
        script_wait_fail(L, machine, end, "the guest's end");
    machine_has_ended(machine->machine, &status);
    lua_pushinteger(L, status);
    return 1;
}

bool script_never(void *opaque) {
    (void)opaque;
    return false;
}

/* m:expect_reset([flag]): a triple fault resets this machine instead of ending the test as
 * crashed. */
static int expect_reset(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    bool expected = lua_isnone(L, 2) || lua_toboolean(L, 2);
    machine_stop_at_triple_fault(machine->machine, !expected);
    return 0;
}

/* --- what goes on beside --- */

static bool look_on(void *opaque) {
    const ScriptMachine *machine = opaque;
    test_show_progress(machine->script);
    return has_diverged(machine) || host_clock_ns() >= machine->script->options->deadline_ns;
}

static void watch_machine(ScriptMachine *machine) {
    MachineWatch watch = {.interrupted = look_on, .opaque = machine};
    hash_log_watch(machine->script->options->hashes, &watch);
    machine_set_watch(machine->machine, &watch);
    machine_stop_at_triple_fault(machine->machine, true);
}

static const luaL_Reg wait_methods[] = {
    {"expect_reset", expect_reset}, {"run", run_instructions},
    {"wait", wait_seconds},         {"wait_end", wait_end},
    {"wait_idle", wait_idle},       {"wait_serial", wait_serial},
    {"wait_text", wait_text},       {NULL, NULL},
};
const ScriptPart script_wait_part = {.methods = wait_methods, .made = watch_machine};
