/* How a Lua function waits in guest time. */
#ifndef REPRISE_SCRIPT_WAIT_H
#define REPRISE_SCRIPT_WAIT_H

#include "machine_wait.h"
#include "script.h"

typedef struct ScriptWait {
    const char *what;          /* for messages: "the text \"C:\\>\" on the screen" */
    bool (*met)(void *opaque); /* must not raise Lua errors, and must not change the machine */
    void *opaque;
    int64_t poll_ns; /* 0: every 10 ms of guest time */
    int64_t timeout_ns;
} ScriptWait;

/* Runs until it is met; raises what happened instead. */
void script_wait_for(lua_State *L, ScriptMachine *machine, const ScriptWait *wait);
/* Raises that a wait for 'what' ended so. */
void script_wait_fail(lua_State *L, ScriptMachine *machine, WaitEnd end, const char *what)
    __attribute__((noreturn));

/* The field 'timeout' of a wait's table of options at 'options' (none or nil: the default). */
int64_t script_timeout_ns(lua_State *L, int options);
int64_t script_seconds_to_ns(lua_State *L, double seconds);

/* A condition that never holds. */
bool script_never(void *opaque);

#endif
