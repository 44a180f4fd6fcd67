/* cases(machine, list, function): a table of cases, each run on a clone of one booted machine, in
 * parallel over the processors.
 *
 * A case has a Lua state of its own, to which the function, all that it uses and the list were
 * carried (lua_transfer.h). So no case sees what another one did, and results are the same for
 * every number of jobs: those of a run one by one, in the order of the list. */
#include "allocate.h"
#include "case_machine.h"
#include "lua_transfer.h"
#include "script_screen.h"
#include "test_run.h"

#include <stdlib.h>
#include <string.h>

/* Threads of cases run Lua and translated code: enough stack for both, whatever the limit is. */
enum { CASE_STACK_BYTES = 8 << 20, LABEL_CHARACTERS = 60 };

typedef struct Case {
    char *label;
    bool wanted;
    bool done; /* or left out: --fail-fast */
    TestResult *result;
    ByteBuffer returned; /* carried back */
} Case;

typedef struct CaseRun {
    struct TestContext *context; /* of the script; its thread waits meanwhile */
    ScriptMachine *machine;
    CaseBase *base;
    ByteBuffer carried; /* function and list */
    Case *cases;
    unsigned count;
    atomic_uint next;
    pthread_mutex_t lock; /* for what follows, and each case's 'done' */
    unsigned told;        /* so many results went to the report */
} CaseRun;

/* --- what stands for machines and the like --- */

#define ABSENT_TYPE "reprise.absent"

enum { HOOK_CLONE, HOOK_FONT, HOOK_ABSENT };

typedef struct CaseHooks {
    ScriptMachine *machine; /* sending: the one whose clone stands for it */
    int clone;              /* receiving: where the clone is on the stack */
} CaseHooks;

/* Machines and what belongs to them stay where they are. Only the one that the cases are about has
 * a counterpart; others are named when they are used. Fonts are copied, by each case from the
 * script's, which nobody changes meanwhile: its thread waits. */
static bool put_userdata(void *opaque, lua_State *L, int index, ByteBuffer *buffer) {
    const CaseHooks *hooks = opaque;
    const ScreenFont *font = script_font_at(L, index);
    if (font != NULL) {
        byte_buffer_append_le(buffer, HOOK_FONT, 1);
        byte_buffer_append(buffer, &font, sizeof(font));
        return true;
    }
    if (luaL_getmetafield(L, index, "__name") != LUA_TSTRING)
        return false;
    char type[64];
    snprintf(type, sizeof(type), "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
    if (strncmp(type, "reprise.", 8) != 0)
        return false;
    ScriptMachine **holder = lua_touserdata(L, index);
    bool is_machine = luaL_testudata(L, index, SCRIPT_MACHINE_TYPE) != NULL;
    bool is_cloned = is_machine && *holder == hooks->machine;
    byte_buffer_append_le(buffer, is_cloned ? HOOK_CLONE : HOOK_ABSENT, 1);
    if (!is_cloned)
        byte_buffer_append(buffer, type + 8, strlen(type + 8));
    return true;
}

static void push_absent(lua_State *L, const ByteReader *reader) {
    lua_newuserdatauv(L, 0, 1);
    lua_pushlstring(L, (const char *)reader->data + reader->position,
                    reader->size - reader->position);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, ABSENT_TYPE);
}

static void get_userdata(void *opaque, lua_State *L, ByteReader *reader) {
    const CaseHooks *hooks = opaque;
    const ScreenFont *font;
    switch (byte_reader_read_le(reader, 1)) {
    case HOOK_CLONE:
        lua_pushvalue(L, hooks->clone);
        break;
    case HOOK_FONT:
        byte_reader_read(reader, &font, sizeof(font));
        script_push_font_copy(L, font);
        break;
    default:
        push_absent(L, reader);
        break;
    }
}

static int use_absent(lua_State *L) {
    lua_getiuservalue(L, 1, 1);
    return script_fail(L, KIND_USAGE,
                       "this %s belongs to the script and cannot be used in a case; a case has the "
                       "machine that it is given",
                       lua_tostring(L, -1));
}

static void open_cases(lua_State *L) {
    luaL_newmetatable(L, ABSENT_TYPE);
    lua_pushcfunction(L, use_absent);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, use_absent);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}

/* --- one case, in its own state --- */

/* The state's stack afterwards: the clone, the function, the list. */
static bool prepare_case(CaseRun *run, Script *script, Error *error) {
    lua_State *L = script->lua;
    script->perturbation = run->machine->script->perturbation;
    script->machine_count = run->machine->number - 1; /* its clone is called as it is */
    if (case_base_clone(run->base, L, error) == NULL)
        return false;
    CaseHooks hooks = {.clone = 1};
    LuaTransferHooks transfer = {put_userdata, get_userdata, &hooks};
    ByteReader reader = {.data = run->carried.data, .size = run->carried.size};
    return lua_transfer_decode(L, &reader, &transfer, error);
}

/* Calls the function; false: its first result, on top of the stack, cannot be carried back. */
static ScriptStatus call_case(Script *script, unsigned index, Case *one, ByteBuffer *message) {
    static const char *const names[] = {"what the case returns"};
    lua_State *L = script->lua;
    Error error = {.set = false};
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 1);
    lua_geti(L, 3, index + 1);
    int top = lua_gettop(L) - 3;
    ScriptStatus status = script_call(L, 2, message);
    if (status != SCRIPT_PASSED || message->size > 0)
        return status;
    lua_settop(L, top + 1);
    LuaTransferValues values = {.first = top + 1, .count = 1, .names = names};
    if (lua_transfer_encode(L, &values, NULL, &one->returned, &error))
        return SCRIPT_PASSED;
    lua_newtable(L); /* stands for the error */
    byte_buffer_print(message, "%s", error.message);
    return SCRIPT_USAGE;
}

static TestResult *fail_to_prepare(struct TestContext *context, const Error *error) {
    ByteBuffer message = {.data = NULL};
    byte_buffer_print(&message, "%s", error->message);
    lua_newtable(context->script->lua);
    TestResult *result = test_end(context, SCRIPT_ERROR, &message);
    byte_buffer_free(&message);
    return result;
}

static TestResult *run_in_context(CaseRun *run, struct TestContext *context, unsigned index) {
    TestFrame frame;
    Error error = {.set = false};
    ByteBuffer message = {.data = NULL};
    context->outer = run->context;
    event_log_copy(&context->events, &run->context->events);
    test_begin(context, &frame, run->cases[index].label);
    if (!prepare_case(run, context->script, &error))
        return fail_to_prepare(context, &error);
    frame.guest_start_ns = test_guest_ns(context);
    ScriptStatus status = call_case(context->script, index, &run->cases[index], &message);
    TestResult *result = test_end(context, status, &message);
    byte_buffer_free(&message);
    return result;
}

static TestResult *run_case(CaseRun *run, unsigned index) {
    Error error = {.set = false};
    Script *script =
        script_create(run->context->script->options, run->context->script->file, &error);
    if (script == NULL) {
        TestResult *result = test_result_new(run->cases[index].label, run->context->script->file);
        result->status = SCRIPT_ERROR;
        result->message = strdup(error.message);
        return result;
    }
    struct TestContext *context =
        test_context_create(run->context->run, script, run->context->source);
    TestResult *result = run_in_context(run, context, index);
    script_destroy(script);
    test_context_free(context);
    return result;
}

/* --- all cases --- */

/* Results go to the report as soon as those before them have. */
static void take_result(CaseRun *run, unsigned index, TestResult *result) {
    pthread_mutex_lock(&run->lock);
    run->cases[index].result = result;
    run->cases[index].done = true;
    while (run->told < run->count && run->cases[run->told].done) {
        TestResult *next = run->cases[run->told++].result;
        if (next != NULL)
            test_report(run->context, next);
    }
    pthread_mutex_unlock(&run->lock);
}

static void *work(void *opaque) {
    CaseRun *run = opaque;
    JobSlots *slots = &run->context->run->slots;
    for (;;) {
        unsigned index = atomic_fetch_add(&run->next, 1);
        if (index >= run->count)
            return NULL;
        TestResult *result = NULL;
        if (run->cases[index].wanted) {
            job_slots_take(slots);
            if (!run->context->run->stop)
                result = run_case(run, index);
            job_slots_give(slots);
        }
        take_result(run, index, result);
    }
}

/* The script's own thread waits: its slot is theirs. */
static bool run_all(CaseRun *run, Error *error) {
    unsigned jobs = test_run_jobs(run->context->run->options), started = 0;
    unsigned count = jobs < run->count ? jobs : run->count;
    pthread_t *threads = allocate_zeroed((count + 1) * sizeof(*threads));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, CASE_STACK_BYTES);
    report_set_waiting(run->context->run->report, &run->context->frame->activity, true);
    job_slots_give(&run->context->run->slots);
    while (started < count && pthread_create(&threads[started], &attributes, work, run) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    job_slots_take(&run->context->run->slots);
    report_set_waiting(run->context->run->report, &run->context->frame->activity, false);
    pthread_attr_destroy(&attributes);
    free(threads);
    return started > 0 || count == 0 || error_set(error, "no thread could be started");
}

/* --- from the script --- */

/* A case is called by its field 'name', or its first element, or by itself; else by its number. */
static char *make_label(lua_State *L, int index, unsigned number) {
    char text[LABEL_CHARACTERS + 16];
    snprintf(text, sizeof(text), "case %u", number);
    if (lua_istable(L, index)) {
        lua_getfield(L, index, "name");
        if (!lua_isstring(L, -1)) {
            lua_pop(L, 1);
            lua_geti(L, index, 1);
        }
    } else {
        lua_pushvalue(L, index);
    }
    if (lua_isstring(L, -1)) {
        lua_pushvalue(L, -1); /* lua_tostring() changes numbers in place */
        snprintf(text, sizeof(text), "%.*s", LABEL_CHARACTERS, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return strdup(text);
}

static void list_cases(lua_State *L, CaseRun *run) {
    const char *filter = run->context->run->options->filter;
    for (unsigned i = 0; i < run->count; i++) {
        lua_geti(L, 2, i + 1);
        run->cases[i].label = make_label(L, lua_gettop(L), i + 1);
        run->cases[i].wanted = test_filter_allows_case(L, filter, run->cases[i].label);
        lua_pop(L, 1);
    }
}

static bool carry(lua_State *L, CaseRun *run, Error *error) {
    static const char *const names[] = {"the cases' function", "the list of cases"};
    CaseHooks hooks = {.machine = run->machine};
    LuaTransferHooks transfer = {put_userdata, get_userdata, &hooks};
    LuaTransferValues values = {.first = 3, .count = 2, .names = names, .globals = true};
    return lua_transfer_encode(L, &values, &transfer, &run->carried, error);
}

/* Pushes a table: what the cases returned, each under its number. */
static void push_returned(lua_State *L, CaseRun *run) {
    Error error = {.set = false};
    lua_createtable(L, (int)run->count, 0);
    for (unsigned i = 0; i < run->count; i++) {
        ByteReader reader = {.data = run->cases[i].returned.data,
                             .size = run->cases[i].returned.size};
        if (reader.size > 0 && lua_transfer_decode(L, &reader, NULL, &error))
            lua_seti(L, -2, i + 1);
    }
}

/* The error's message and kind for cases that failed; NULL if none did. */
static const char *summarize(const CaseRun *run, ByteBuffer *message, bool *stopped) {
    unsigned failed = 0, wanted = 0;
    ScriptStatus worst = SCRIPT_PASSED;
    const char *kind = NULL;
    ByteBuffer names = {.data = NULL};
    for (unsigned i = 0; i < run->count; i++) {
        const Case *one = &run->cases[i];
        wanted += one->wanted;
        *stopped |= one->wanted && one->result == NULL;
        if (one->result == NULL || one->result->status == SCRIPT_PASSED)
            continue;
        byte_buffer_print(&names, "%s%s", failed++ > 0 ? ", " : "", one->label);
        if (script_worse_status(worst, one->result->status) != worst) {
            worst = one->result->status;
            kind = one->result->kind != NULL ? one->result->kind : KIND_ERROR;
        }
    }
    if (failed > 0)
        byte_buffer_print(message, "%u of %u cases failed: %s", failed, wanted,
                          (const char *)names.data);
    byte_buffer_free(&names);
    return kind;
}

static void free_run(CaseRun *run) {
    for (unsigned i = 0; i < run->count; i++) {
        free(run->cases[i].label);
        byte_buffer_free(&run->cases[i].returned);
    }
    free(run->cases);
    byte_buffer_free(&run->carried);
    case_base_free(run->base);
    pthread_mutex_destroy(&run->lock);
}

/* Pushes what the cases returned, or the error for those that failed: then false. */
static bool finish(lua_State *L, CaseRun *run, const Error *error) {
    ByteBuffer message = {.data = NULL};
    bool stopped = false;
    const char *kind = error->set ? KIND_USAGE : summarize(run, &message, &stopped);
    if (error->set)
        byte_buffer_print(&message, "cases: %s", error->message);
    if (kind != NULL) {
        script_push_failure(L, kind, (const char *)message.data);
        /* The folders of the cases tell all. */
        lua_pushstring(L, error->set ? NULL : "cases");
        lua_setfield(L, -2, "no_folder");
    } else {
        push_returned(L, run);
    }
    byte_buffer_free(&message);
    return kind == NULL;
}

/* cases(machine, list, function) -> a table of what the function returned */
static int run_cases(lua_State *L) {
    struct TestContext *context = script_get(L)->tests;
    ScriptMachine *machine = script_machine_check(L, 1);
    Error error = {.set = false};
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    if (context->outer != NULL)
        return script_fail(L, KIND_USAGE, "cases within a case");
    CaseRun run = {.context = context, .machine = machine, .count = (unsigned)luaL_len(L, 2)};
    run.cases = allocate_zeroed((run.count + 1) * sizeof(*run.cases));
    pthread_mutex_init(&run.lock, NULL);
    list_cases(L, &run);
    lua_pushvalue(L, 2); /* function and list, one after the other */
    if (carry(L, &run, &error)) {
        run.base = case_base_create(machine, &error);
        if (run.base != NULL)
            run_all(&run, &error);
    }
    bool good = finish(L, &run, &error);
    free_run(&run);
    return good ? 1 : lua_error(L);
}

static const luaL_Reg cases_globals[] = {
    {"cases", run_cases},
    {NULL, NULL},
};
const ScriptPart script_cases_part = {.globals = cases_globals, .open = open_cases};
