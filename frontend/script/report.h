/* The results of tests, and who tells them: as lines, in the Test Anything Protocol, as JUnit's
 * XML. Tests may run at the same time and end in any order; they are told in the order in which
 * they would run one after another.
 *
 * All functions may be called by any thread. */
#ifndef REPRISE_REPORT_H
#define REPRISE_REPORT_H

#include "error.h"
#include "script.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct TestStep {
    char *name;
    unsigned depth; /* steps within steps */
    bool failed;
    int64_t guest_ns;
} TestStep;

/* How one test, or one case of a test, ended. Strings may be NULL. */
typedef struct TestResult {
    char *name;         /* of a case: "TEST / CASE" */
    size_t case_offset; /* in 'name', of the case's own; 0: no case */
    char *file;
    ScriptStatus status;
    bool skipped;
    char *kind;    /* of the failure: "fail", "timeout" */
    char *message; /* "FILE:LINE: what"; of a skipped test the reason */
    char *step;    /* in which it failed: "log in > password" */
    char *folder;  /* what a failing test left */
    char *serial_tail;
    ByteBuffer output; /* what the script printed, at most REPORT_OUTPUT_BYTES */
    TestStep *steps;
    size_t step_count, step_capacity;
    int64_t host_ns, guest_ns;
    uint64_t instructions;
} TestResult;

TestResult *test_result_new(const char *name, const char *file);
void test_result_free(TestResult *result);

enum { REPORT_OUTPUT_BYTES = 1 << 20 };

typedef struct ReportTotals {
    unsigned passed, failed, skipped;
    int64_t host_ns, guest_ns;
    ScriptStatus worst;
} ReportTotals;

typedef struct Report Report;

/* One way of telling results. All members may be NULL. */
typedef struct ReportWriter {
    void (*begin)(FILE *output);
    void (*print)(FILE *output, const char *text, size_t size); /* whole lines */
    void (*result)(FILE *output, const TestResult *result, unsigned number, bool with_file);
    void (*end)(FILE *output, TestResult *const *results, size_t count, const ReportTotals *totals);
} ReportWriter;

extern const ReportWriter report_lines, report_tap, report_junit;
/* --list: what is printed, and nothing else but scripts that fail. */
extern const ReportWriter report_list;

/* 'sources': how many scripts there are, each with results of its own. */
Report *report_create(const TestOptions *options, unsigned sources, Error *error);
/* Tells what is left and the totals. False: a report could not be written. */
bool report_finish(Report *report, ReportTotals *totals, Error *error);
void report_free(Report *report);

/* The next result of a script, whose owner the report becomes. */
void report_add(Report *report, unsigned source, TestResult *result);
/* Lines that a script prints while 'result' is being made. They are told before what comes later in
 * that script, those of a case before its result. */
void report_print(Report *report, unsigned source, TestResult *result, const char *text,
                  size_t size);
/* A script has no more. */
void report_end_source(Report *report, unsigned source);

/* --- what is going on, for the line on a terminal --- */

typedef struct ReportActivity {
    char name[120], step[80]; /* under the report's lock */
    _Atomic int64_t guest_ns; /* that the present test used */
    int64_t host_start_ns;
    bool waiting; /* for others, its tests or cases: they are shown */
    struct ReportActivity *next;
} ReportActivity;

void report_begin_activity(Report *report, ReportActivity *activity, const char *name);
void report_set_step(Report *report, ReportActivity *activity, const char *step);
void report_set_waiting(Report *report, ReportActivity *activity, bool waiting);
void report_end_activity(Report *report, ReportActivity *activity);

#endif
