/* m:wait_until(): waits for whatever a Lua function finds. */
#include "script_wait.h"

#define DEFAULT_POLL_SECONDS 0.01

/* Leaves the results of the function at index 2 in place of what lies above 'top'; is the first
 * one true? */
static bool condition_holds(lua_State *L, int top) {
    lua_settop(L, top);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 1);
    lua_call(L, 1, LUA_MULTRET);
    return lua_gettop(L) > top && lua_toboolean(L, top + 1);
}

/* m:wait_until(condition [, {timeout=, poll=, what=}]) -> what condition(m) returned, once that is
 * neither nil nor false. It is called outside of the machine's time, so it may do anything. */
static int wait_until(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 3);
    const char *what = script_option_string(L, 3, "what", "a condition of the script");
    int64_t poll_ns =
        script_seconds_to_ns(L, script_option_number(L, 3, "poll", DEFAULT_POLL_SECONDS));
    int64_t now_ns = machine_guest_time_ns(machine->machine);
    int64_t deadline_ns = now_ns + script_timeout_ns(L, 3);
    if (poll_ns < 1)
        script_fail(L, KIND_USAGE, "'poll' is a number of seconds above 0");
    script_log(machine->script, machine, "wait for %s", what);
    WaitEnd end = WAIT_TIMED_OUT;
    while (!condition_holds(L, 3)) {
        script_machine_check(L, 1); /* the condition may have closed it */
        now_ns = machine_guest_time_ns(machine->machine);
        if (end != WAIT_TIMED_OUT || now_ns >= deadline_ns)
            script_wait_fail(L, machine, end, what);
        int64_t next_ns = now_ns + poll_ns < deadline_ns ? now_ns + poll_ns : deadline_ns;
        end = machine_run_until(machine->machine, next_ns, INT64_MAX, script_never, NULL);
    }
    return lua_gettop(L) - 3;
}

static const luaL_Reg condition_methods[] = {
    {"wait_until", wait_until},
    {NULL, NULL},
};
const ScriptPart script_condition_part = {.methods = condition_methods};
