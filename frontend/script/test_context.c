/* A test from its beginning to its result. */
#include "allocate.h"
#include "failure_folder.h"
#include "machine_parts.h"
#include "options.h"
#include "test_run.h"

#include <stdlib.h>
#include <string.h>

/* Of a failing test's serial port, for reports. */
enum { SERIAL_TAIL_BYTES = 4096 };

static void log_line(void *opaque, ScriptMachine *machine, const char *line) {
    struct TestContext *context = opaque;
    if (machine != NULL && machine->machine != NULL)
        event_log_add(&context->events, machine->name, clock_now_ns(&machine->machine->clock),
                      machine_count_instructions(machine->machine), line);
    else
        event_log_add(&context->events, NULL, 0, 0, line);
}

struct TestContext *test_context_create(TestRun *run, Script *script, unsigned source) {
    struct TestContext *context = allocate_zeroed(sizeof(*context));
    context->run = run;
    context->script = script;
    context->source = source;
    script->tests = context;
    script->log = log_line;
    script->log_opaque = context;
    return context;
}

void test_context_free(struct TestContext *context) {
    if (context == NULL)
        return;
    event_log_clear(&context->events);
    free(context);
}

int64_t test_guest_ns(const struct TestContext *context) {
    int64_t total = context->gone_guest_ns;
    for (const ScriptMachine *at = context->script->machines; at != NULL; at = at->next) {
        if (at->machine != NULL)
            total += clock_now_ns(&at->machine->clock) - at->made_ns;
    }
    return total;
}

uint64_t test_instructions(const struct TestContext *context) {
    uint64_t total = context->gone_instructions;
    for (const ScriptMachine *at = context->script->machines; at != NULL; at = at->next) {
        if (at->machine != NULL)
            total += machine_count_instructions(at->machine) - at->made_instructions;
    }
    return total;
}

void test_show_progress(Script *script) {
    struct TestContext *context = script->tests;
    if (context != NULL && context->frame != NULL)
        atomic_store_explicit(&context->frame->activity.guest_ns,
                              test_guest_ns(context) - context->frame->guest_start_ns,
                              memory_order_relaxed);
}

/* A case is named after the test that it belongs to as well. */
static TestResult *make_result(const struct TestContext *context, const char *name) {
    ByteBuffer full = {.data = NULL};
    size_t case_offset = 0;
    if (context->outer != NULL) {
        byte_buffer_print(&full, "%s" TEST_CASE_DIVIDER, context->outer->frame->result->name);
        case_offset = full.size;
    }
    byte_buffer_print(&full, "%s", name);
    if (context->repetition > 0 && context->outer == NULL)
        byte_buffer_print(&full, REPETITION_FORMAT, context->repetition);
    TestResult *result = test_result_new((const char *)full.data, context->script->file);
    result->case_offset = case_offset;
    byte_buffer_free(&full);
    return result;
}

void test_begin(struct TestContext *context, TestFrame *frame, const char *name) {
    *frame = (TestFrame){.outer = context->frame,
                         .result = make_result(context, name),
                         .host_start_ns = host_clock_ns(),
                         .guest_start_ns = test_guest_ns(context),
                         .instructions_start = test_instructions(context)};
    context->frame = frame;
    if (frame->outer != NULL)
        report_set_waiting(context->run->report, &frame->outer->activity, true);
    report_begin_activity(context->run->report, &frame->activity, frame->result->name);
    script_log(context->script, NULL, "begin: %s", frame->result->name);
}

static char *copy_field(lua_State *L, int index, const char *name) {
    char *copy = NULL;
    if (!lua_istable(L, index))
        return NULL;
    lua_pushstring(L, name);
    lua_rawget(L, index);
    if (lua_type(L, -1) == LUA_TSTRING)
        copy = strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    return copy;
}

static char *copy_serial_tail(const Script *script) {
    for (const ScriptMachine *machine = script->machines; machine != NULL;
         machine = machine->next) {
        const ByteBuffer *serial = &machine->output.serial[0];
        if (serial->size == 0)
            continue;
        size_t size = serial->size < SERIAL_TAIL_BYTES ? serial->size : SERIAL_TAIL_BYTES;
        char *tail = allocate_zeroed(size + 1);
        memcpy(tail, serial->data + serial->size - size, size);
        for (size_t i = 0; i < size; i++) {
            if (tail[i] == '\0')
                tail[i] = '.';
        }
        return tail;
    }
    return NULL;
}

/* Its machines are all there still. */
static void describe_failure(struct TestContext *context, TestResult *result) {
    lua_State *L = context->script->lua;
    char *traceback = copy_field(L, lua_gettop(L), "traceback");
    char *no_folder = copy_field(L, lua_gettop(L), "no_folder");
    result->kind = copy_field(L, lua_gettop(L), "kind");
    result->step = context->frame->failed_step;
    context->frame->failed_step = NULL;
    result->serial_tail = copy_serial_tail(context->script);
    script_log(context->script, NULL, "%s: %s", result->kind != NULL ? result->kind : "failed",
               result->message);
    if (no_folder == NULL) {
        Error error = {.set = false};
        FailureFolder folder = {.script = context->script,
                                .events = &context->events,
                                .result = result,
                                .repetition = context->repetition,
                                .traceback = traceback};
        result->folder = failure_folder_write(&folder, &error);
        if (error.set)
            fprintf(stderr, "reprise: %s\n", error.message);
    }
    free(traceback);
    free(no_folder);
}

/* With the seed, where timings were perturbed. */
static char *make_message(const struct TestContext *context, const ByteBuffer *message) {
    const ClockPerturbation *perturbation = &context->script->perturbation;
    char seed[PERTURBATION_TEXT_BYTES];
    ByteBuffer text = {.data = NULL};
    byte_buffer_print(&text, "%s", message->size > 0 ? (const char *)message->data : "");
    perturbation_print(perturbation, seed);
    if (perturbation->wanted)
        byte_buffer_print(&text, " (--perturb %s)", seed);
    char *made = strdup((const char *)text.data);
    byte_buffer_free(&text);
    return made;
}

static void set_outcome(struct TestContext *context, TestResult *result, ScriptStatus status,
                        const ByteBuffer *message) {
    lua_State *L = context->script->lua;
    result->status = status;
    if (status != SCRIPT_PASSED) {
        result->message = make_message(context, message);
        describe_failure(context, result);
    } else if (message->size > 0) {
        /* Only a skipped test passes with an error. */
        result->skipped = true;
        result->message = copy_field(L, lua_gettop(L), "message");
    }
}

TestResult *test_end(struct TestContext *context, ScriptStatus status, const ByteBuffer *message) {
    TestFrame *frame = context->frame;
    TestResult *result = frame->result;
    test_end_steps(context, status != SCRIPT_PASSED);
    int64_t guest_ns = test_guest_ns(context) - frame->guest_start_ns;
    result->guest_ns = guest_ns > 0 ? guest_ns : 0; /* a restore may lead back */
    result->instructions = test_instructions(context) - frame->instructions_start;
    result->host_ns = host_clock_ns() - frame->host_start_ns;
    set_outcome(context, result, status, message);
    lua_gc(context->script->lua, LUA_GCRESTART);
    if (status != SCRIPT_PASSED && context->run->options->fail_fast)
        context->run->stop = true;
    report_end_activity(context->run->report, &frame->activity);
    if (frame->outer != NULL)
        report_set_waiting(context->run->report, &frame->outer->activity, false);
    free(frame->failed_step);
    context->frame = frame->outer;
    return result;
}

void test_list(struct TestContext *context, TestResult *result, const char *name) {
    ByteBuffer line = {.data = NULL};
    byte_buffer_print(&line, "%s: %s\n", context->script->file, name);
    report_print(context->run->report, context->source, result, (const char *)line.data, line.size);
    byte_buffer_free(&line);
}

void test_report(struct TestContext *context, TestResult *result) {
    TestOutcome *outcome = &context->run->outcomes[context->source];
    outcome->ran = true;
    outcome->status = script_worse_status(outcome->status, result->status);
    outcome->guest_ns += result->guest_ns;
    report_add(context->run->report, context->source, result);
}
