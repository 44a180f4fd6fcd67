/* A run of 'reprise test': scripts in parallel, each in a state and a thread of its own, and what
 * their tests share. */
#ifndef REPRISE_TEST_RUN_H
#define REPRISE_TEST_RUN_H

#include "event_log.h"
#include "job_slots.h"
#include "report.h"
#include "script.h"
#include <stdatomic.h>

/* Between a test's name and a case's; after a test's name where it is repeated. */
#define TEST_CASE_DIVIDER " / "
#define REPETITION_FORMAT " #%u"

/* How a script's run ended, of --repeat each. */
typedef struct TestOutcome {
    ScriptStatus status; /* the worst of its tests */
    bool ran;
    int64_t guest_ns;
} TestOutcome;

typedef struct TestRun {
    const TestOptions *options;
    Report *report;
    JobSlots slots;
    atomic_bool stop;      /* --fail-fast, and something failed */
    TestOutcome *outcomes; /* of all sources */
} TestRun;

/* Runs all scripts of the options and tells what came of it. False: nothing could be run. */
bool test_run_scripts(const TestOptions *options, ScriptStatus *status, Error *error);

/* Of the options, or as many as there are processors for this process. */
unsigned test_run_jobs(const TestOptions *options);

/* --perturb: of this source's machines. */
ClockPerturbation test_run_perturbation(const TestOptions *options, unsigned source);

/* --- a test being run --- */

/* What is running in a script: the script itself, a test() within it, or a case. */
typedef struct TestFrame {
    struct TestFrame *outer;
    TestResult *result;
    int64_t host_start_ns, guest_start_ns;
    uint64_t instructions_start;
    unsigned step_depth; /* steps that are functions and have not ended */
    bool has_plain_step; /* the last step is one without a function, and goes on */
    char *failed_step;   /* the innermost step that an error left last */
    const void *failure; /* that error; only compared */
    ReportActivity activity;
} TestFrame;

/* What tests keep with a script; in script->tests. */
struct TestContext {
    TestRun *run;
    Script *script;
    unsigned source;           /* the script's number among the report's sources */
    unsigned repetition;       /* --repeat: from 1; 0 without */
    struct TestContext *outer; /* of a case: that of the script */
    TestFrame *frame;          /* NULL while nothing runs */
    bool has_tests;
    int64_t gone_guest_ns; /* of machines that are no more */
    uint64_t gone_instructions;
    EventLog events;
};

/* The script's log goes to the context's from here on. */
struct TestContext *test_context_create(TestRun *run, Script *script, unsigned source);
void test_context_free(struct TestContext *context);

/* 'name': of a case, the case's own. 'frame' lives until test_end(), which makes the result of
 * 'status', 'message' and, unless the test passed, the error value on top of the Lua stack; a
 * failing test leaves its folder. The caller owns the result. */
void test_begin(struct TestContext *context, TestFrame *frame, const char *name);
TestResult *test_end(struct TestContext *context, ScriptStatus status, const ByteBuffer *message);
/* --list: prints a test's name in place of running it. 'result': the script's own. */
void test_list(struct TestContext *context, TestResult *result, const char *name);
/* Hands the result to the report. */
void test_report(struct TestContext *context, TestResult *result);

/* Does --filter let this test run; this case of a test? Lua patterns, divided by " / ". */
bool test_filter_allows(lua_State *L, const char *filter, const char *name);
bool test_filter_allows_case(lua_State *L, const char *filter, const char *name);
/* The filter for just this test or case, as a new string. 'repetition': whose number its name has;
 * 0: none. */
char *test_filter_exactly(const TestResult *result, unsigned repetition);

/* script_test.c: the last step ends with the test. */
void test_end_steps(struct TestContext *context, bool failed);

/* How far the machines of the script got, in total. */
int64_t test_guest_ns(const struct TestContext *context);
uint64_t test_instructions(const struct TestContext *context);
/* For the line on a terminal: from time to time while a machine runs. */
void test_show_progress(Script *script);

#endif
