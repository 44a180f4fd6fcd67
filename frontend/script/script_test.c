/* The structure of a script: test, step, and what says whether something is as it should be. */
#include "allocate.h"
#include "machine_parts.h"
#include "machine_wait.h"
#include "script_value.h"
#include "test_run.h"

#include <stdlib.h>
#include <string.h>

static struct TestContext *get_context(lua_State *L) {
    return script_get(L)->tests;
}

/* --- tests --- */

/* Whether a test of this name is to run now. */
static bool is_wanted(lua_State *L, struct TestContext *context, const char *name) {
    const TestOptions *options = context->run->options;
    if (!test_filter_allows(L, options->filter, name))
        return false;
    if (options->list)
        test_list(context, context->frame->result, name);
    return !options->list && !context->run->stop;
}

/* test(name, function) -> did it pass? A failure is kept, and the script goes on. */
static int run_test(lua_State *L) {
    struct TestContext *context = get_context(L);
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    if (context->outer != NULL || (context->frame != NULL && context->frame->outer != NULL))
        return script_fail(L, KIND_USAGE, "test '%s' stands within a test or a case", name);
    context->has_tests = true;
    if (!is_wanted(L, context, name))
        return 0;
    TestFrame frame;
    ByteBuffer message = {.data = NULL};
    test_begin(context, &frame, name);
    ScriptStatus status = script_call(L, 0, &message);
    TestResult *result = test_end(context, status, &message);
    byte_buffer_free(&message);
    test_report(context, result);
    /* Machines that only this test knew go now: Lua does not know how large they are. */
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    if (context->run->stop)
        return script_fail(L, KIND_STOP, "stopped after the first failure");
    lua_pushboolean(L, status == SCRIPT_PASSED);
    return 1;
}

/* --- steps --- */

static TestFrame *check_frame(lua_State *L) {
    TestFrame *frame = get_context(L)->frame;
    if (frame == NULL)
        script_fail(L, KIND_USAGE, "no test is running");
    return frame;
}

/* The step that began last and is going on; NULL if there is none. Of steps within steps the
 * innermost. */
static TestStep *find_open_step(const TestFrame *frame, unsigned depth) {
    const TestResult *result = frame->result;
    for (size_t i = result->step_count; i-- > 0;) {
        if (result->steps[i].depth <= depth)
            return result->steps[i].depth == depth ? &result->steps[i] : NULL;
    }
    return NULL;
}

/* "log in > password" */
static void describe_steps(const TestFrame *frame, ByteBuffer *text) {
    unsigned deepest = frame->step_depth + (frame->has_plain_step ? 1 : 0);
    for (unsigned depth = 0; depth < deepest; depth++) {
        const TestStep *step = find_open_step(frame, depth);
        byte_buffer_print(text, "%s%s", depth > 0 ? " > " : "", step != NULL ? step->name : "?");
    }
}

static void show_steps(struct TestContext *context) {
    ByteBuffer text = {.data = NULL};
    byte_buffer_print(&text, "%s", "");
    describe_steps(context->frame, &text);
    report_set_step(context->run->report, &context->frame->activity, (const char *)text.data);
    byte_buffer_free(&text);
}

/* Steps keep the guest time at which they began until they end. */
static void close_step(struct TestContext *context, unsigned depth, bool failed) {
    TestStep *step = find_open_step(context->frame, depth);
    if (step == NULL)
        return;
    step->failed = failed;
    step->guest_ns = test_guest_ns(context) - step->guest_ns;
}

static void end_plain_step(struct TestContext *context, bool failed) {
    TestFrame *frame = context->frame;
    if (frame->has_plain_step)
        close_step(context, frame->step_depth, failed);
    frame->has_plain_step = false;
}

static void begin_step(struct TestContext *context, const char *name) {
    TestFrame *frame = context->frame;
    TestResult *result = frame->result;
    end_plain_step(context, false);
    result->steps = allocate_grow(result->steps, &result->step_capacity, result->step_count + 1,
                                  sizeof(*result->steps));
    result->steps[result->step_count++] = (TestStep){
        .name = strdup(name), .depth = frame->step_depth, .guest_ns = test_guest_ns(context)};
    script_log(context->script, NULL, "step: %s", name);
}

/* The innermost step that an error leaves is the one to tell of. 'failure': which error. */
static void note_failed_step(TestFrame *frame, const void *failure) {
    if (frame->failed_step != NULL && frame->failure != failure) {
        free(frame->failed_step); /* of an error that the script caught */
        frame->failed_step = NULL;
    }
    if (frame->failed_step != NULL || (frame->step_depth == 0 && !frame->has_plain_step))
        return;
    frame->failure = failure;
    ByteBuffer text = {.data = NULL};
    describe_steps(frame, &text);
    frame->failed_step = strdup((const char *)text.data);
    byte_buffer_free(&text);
}

/* __close of a step that is a function: its end, whatever way it was left. */
static int end_function_step(lua_State *L) {
    struct TestContext *context = get_context(L);
    TestFrame *frame = context->frame;
    bool failed = !lua_isnoneornil(L, 2);
    if (frame == NULL || frame->step_depth == 0)
        return 0;
    if (failed)
        note_failed_step(frame, lua_topointer(L, 2));
    end_plain_step(context, failed);
    frame->step_depth--;
    close_step(context, frame->step_depth, failed);
    show_steps(context);
    return 0;
}

void test_end_steps(struct TestContext *context, bool failed) {
    if (failed)
        note_failed_step(context->frame, lua_topointer(context->script->lua, -1));
    end_plain_step(context, failed);
}

#define STEP_TYPE "reprise.step"

static void open_steps(lua_State *L) {
    luaL_newmetatable(L, STEP_TYPE);
    lua_pushcfunction(L, end_function_step);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
}

/* step(name, function) -> what the function returns; step(name): goes on until the next one. */
static int run_step(lua_State *L) {
    struct TestContext *context = get_context(L);
    const char *name = luaL_checkstring(L, 1);
    bool has_function = !lua_isnoneornil(L, 2);
    if (has_function)
        luaL_checktype(L, 2, LUA_TFUNCTION);
    TestFrame *frame = check_frame(L);
    lua_settop(L, 2);
    begin_step(context, name);
    if (!has_function) {
        frame->has_plain_step = true;
        show_steps(context);
        return 0;
    }
    frame->step_depth++;
    show_steps(context);
    lua_newtable(L);
    luaL_setmetatable(L, STEP_TYPE);
    lua_toclose(L, 3);
    lua_pushvalue(L, 2);
    lua_call(L, 0, LUA_MULTRET);
    int results = lua_gettop(L) - 3;
    lua_closeslot(L, 3);
    return results;
}

/* --- output --- */

/* print(...), as Lua's own: but several tests may run, and reports have an order. */
static int run_print(lua_State *L) {
    struct TestContext *context = get_context(L);
    ByteBuffer text = {.data = NULL};
    if (context->run->options->list)
        return 0;
    for (int i = 1, count = lua_gettop(L); i <= count; i++) {
        size_t size;
        const char *string = luaL_tolstring(L, i, &size);
        byte_buffer_append(&text, string, size);
        byte_buffer_append(&text, "\t", i < count ? 1 : 0);
        lua_pop(L, 1);
    }
    byte_buffer_append(&text, "\n", 1);
    report_print(context->run->report, context->source, context->frame->result,
                 (const char *)text.data, text.size);
    byte_buffer_free(&text);
    return 0;
}

/* --- checks --- */

/* fail(message) */
static int run_fail(lua_State *L) {
    return script_fail(L, KIND_FAIL, "%s", luaL_optstring(L, 1, "failed"));
}

/* skip(reason): the test ends here and does not count. */
static int run_skip(lua_State *L) {
    return script_fail(L, KIND_SKIP, "%s", luaL_optstring(L, 1, ""));
}

/* check(condition, message) -> condition */
static int run_check(lua_State *L) {
    luaL_checkany(L, 1);
    if (!lua_toboolean(L, 1))
        return script_fail(L, KIND_FAIL, "%s", luaL_optstring(L, 2, "the check does not hold"));
    lua_settop(L, 1);
    return 1;
}

/* check_equal(value, expected, message): tables are equal if their contents are. */
static int run_check_equal(lua_State *L) {
    luaL_checkany(L, 2);
    const char *context = luaL_optstring(L, 3, NULL);
    ByteBuffer difference = {.data = NULL};
    if (script_value_equals(L, 1, 2, &difference))
        return 0;
    lua_pushlstring(L, (const char *)difference.data, difference.size);
    byte_buffer_free(&difference);
    return script_fail(L, KIND_FAIL, "%s%s%s", context != NULL ? context : "",
                       context != NULL ? ": " : "", lua_tostring(L, -1));
}

static bool is_host_limit(lua_State *L, int index) {
    bool is = false;
    if (lua_istable(L, index)) {
        lua_getfield(L, index, "kind");
        is = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), KIND_HOST_LIMIT) == 0;
        lua_pop(L, 1);
    }
    return is;
}

/* check_error(function, pattern) -> the error. The function must fail, with a message in which the
 * pattern of Lua is found. */
static int run_check_error(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    const char *pattern = luaL_optstring(L, 2, NULL);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 0, 0, 0) == LUA_OK)
        return script_fail(L, KIND_FAIL, "this should have failed, and did not");
    if (is_host_limit(L, 3))
        return lua_error(L);
    if (pattern == NULL)
        return 1;
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "find");
    luaL_tolstring(L, 3, NULL);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    if (lua_isnil(L, -1))
        return script_fail(L, KIND_FAIL, "it failed, but not with '%s': %s", pattern,
                           luaL_tolstring(L, 3, NULL));
    lua_settop(L, 3);
    return 1;
}

/* --- what goes with each machine --- */

static void note_made(ScriptMachine *machine) {
    machine->made_ns = machine_guest_time_ns(machine->machine);
    machine->made_instructions = machine_count_instructions(machine->machine);
    script_log(machine->script, machine, machine->made_instructions > 0 ? "cloned" : "made");
}

static void note_restored(ScriptMachine *machine) {
    machine->was_restored = true;
}

static void note_freed(ScriptMachine *machine) {
    struct TestContext *context = machine->script->tests;
    if (context == NULL)
        return;
    script_log(machine->script, machine, "closed");
    context->gone_guest_ns += machine_guest_time_ns(machine->machine) - machine->made_ns;
    context->gone_instructions +=
        machine_count_instructions(machine->machine) - machine->made_instructions;
}

static const luaL_Reg test_globals[] = {
    {"print", run_print},
    {"test", run_test},
    {"step", run_step},
    {"fail", run_fail},
    {"skip", run_skip},
    {"check", run_check},
    {"check_equal", run_check_equal},
    {"check_error", run_check_error},
    {NULL, NULL},
};
const ScriptPart script_test_part = {.globals = test_globals,
                                     .open = open_steps,
                                     .made = note_made,
                                     .restored = note_restored,
                                     .freed = note_freed};
