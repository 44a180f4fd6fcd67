/* See script_events.h. */
#include "script_events.h"
#include "machine_parts.h"
#include "machine_wait.h"
#include "script.h"
#include "script_value.h"

#include <stdbool.h>
#include <string.h>

/* Loops ask these thousands of times: they would push all else out of the log. */
static const char *const quiet_methods[] = {
    "hash",     "instructions", "monitor",   "pixel",  "read", "read_u16",
    "read_u32", "read_u8",      "registers", "serial", "text", "time",
};

static bool is_quiet(const char *name) {
    for (size_t i = 0; i < sizeof(quiet_methods) / sizeof(quiet_methods[0]); i++) {
        if (strcmp(quiet_methods[i], name) == 0)
            return true;
    }
    return false;
}

static void log_call(lua_State *L, ScriptMachine *machine, const char *name) {
    ByteBuffer text = {.data = NULL};
    byte_buffer_print(&text, "%s(", name);
    for (int i = 2; i <= lua_gettop(L); i++) {
        byte_buffer_print(&text, "%s", i > 2 ? ", " : "");
        script_value_print(L, i, &text);
    }
    byte_buffer_print(&text, ")");
    script_log(machine->script, machine, "%s", (const char *)text.data);
    byte_buffer_free(&text);
}

/* A machine that went to another time did not run meanwhile: its test's guest time leaves that out.
 */
static void leave_out_jump(ScriptMachine *machine, int64_t start_ns, uint64_t start_instructions) {
    if (machine->was_restored) {
        machine->made_ns += machine_guest_time_ns(machine->machine) - start_ns;
        machine->made_instructions +=
            machine_count_instructions(machine->machine) - start_instructions;
    }
    machine->was_restored = false;
}

/* Stands in the method's place: upvalue 1 is the method, 2 its name. */
static int call_method(lua_State *L) {
    lua_CFunction method = lua_tocfunction(L, lua_upvalueindex(1));
    const char *name = lua_tostring(L, lua_upvalueindex(2));
    ScriptMachine *machine = script_machine_check(L, 1);
    int number = machine->number;
    log_call(L, machine, name);
    int64_t start_ns = machine_guest_time_ns(machine->machine);
    uint64_t start_instructions = machine_count_instructions(machine->machine);
    int results = method(L);
    /* It may have closed the machine. */
    ScriptMachine *at = script_get(L)->machines;
    while (at != NULL && at->number != number)
        at = at->next;
    if (at == NULL || at->machine == NULL)
        return results;
    leave_out_jump(at, start_ns, start_instructions);
    if (machine_guest_time_ns(at->machine) != start_ns)
        script_log(at->script, at, "    %s ended", name);
    return results;
}

void script_log_methods(lua_State *L, const luaL_Reg *methods) {
    for (const luaL_Reg *method = methods; method->name != NULL; method++) {
        lua_pushcfunction(L, method->func);
        if (!is_quiet(method->name)) {
            lua_pushstring(L, method->name);
            lua_pushcclosure(L, call_method, 2);
        }
        lua_setfield(L, -2, method->name);
    }
}
