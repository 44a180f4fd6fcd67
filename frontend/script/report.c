/* See report.h. */
#include "report.h"
#include "allocate.h"
#include "machine_time.h"
#include "report_progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often the line on a terminal is drawn. */
#define PROGRESS_NS 150000000L

typedef struct ResultList {
    TestResult **items;
    size_t count, capacity;
} ResultList;

typedef struct ReportSource {
    ResultList waiting; /* until the sources before it have ended */
    bool ended;
} ReportSource;

typedef struct ReportOutput {
    const ReportWriter *writer;
    FILE *file;
    const char *path; /* NULL: standard output */
} ReportOutput;

struct Report {
    pthread_mutex_t lock;
    pthread_cond_t closing;
    ReportSource *sources;
    unsigned source_count, head; /* 'head' tells its results at once */
    ResultList told;
    ReportTotals totals; /* of all that ended, told or not */
    int64_t start_ns;
    ReportOutput outputs[2];
    int output_count;
    ReportProgress progress;
    ReportActivity *activities;
    pthread_t ticker;
    bool has_ticker, closed;
};

TestResult *test_result_new(const char *name, const char *file) {
    TestResult *result = allocate_zeroed(sizeof(*result));
    result->name = strdup(name);
    result->file = strdup(file);
    return result;
}

void test_result_free(TestResult *result) {
    if (result == NULL)
        return;
    for (size_t i = 0; i < result->step_count; i++)
        free(result->steps[i].name);
    free(result->steps);
    free(result->name);
    free(result->file);
    free(result->kind);
    free(result->message);
    free(result->step);
    free(result->folder);
    free(result->serial_tail);
    byte_buffer_free(&result->output);
    free(result);
}

static void append_result(ResultList *list, TestResult *result) {
    list->items = allocate_grow(list->items, &list->capacity, list->count + 1, sizeof(result));
    list->items[list->count++] = result;
}

static void *run_ticker(void *opaque) {
    Report *report = opaque;
    pthread_mutex_lock(&report->lock);
    while (!report->closed) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_NS;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&report->closing, &report->lock, &until);
        if (!report->closed)
            report_progress_show(&report->progress, report->activities, &report->totals);
    }
    pthread_mutex_unlock(&report->lock);
    return NULL;
}

static bool open_outputs(Report *report, const TestOptions *options, Error *error) {
    const ReportWriter *writer = options->list  ? &report_list
                                 : options->tap ? &report_tap
                                                : &report_lines;
    report->outputs[report->output_count++] = (ReportOutput){writer, stdout, NULL};
    if (options->junit != NULL && !options->list) {
        FILE *file = fopen(options->junit, "w");
        if (file == NULL)
            return error_set(error, "--junit: cannot write '%s': %s", options->junit,
                             strerror(errno));
        report->outputs[report->output_count++] =
            (ReportOutput){&report_junit, file, options->junit};
    }
    return true;
}

void report_free(Report *report) {
    for (size_t i = 0; i < report->told.count; i++)
        test_result_free(report->told.items[i]);
    free(report->told.items);
    for (unsigned i = 0; i < report->source_count; i++)
        free(report->sources[i].waiting.items);
    free(report->sources);
    pthread_mutex_destroy(&report->lock);
    pthread_cond_destroy(&report->closing);
    free(report);
}

Report *report_create(const TestOptions *options, unsigned sources, Error *error) {
    Report *report = allocate_zeroed(sizeof(*report));
    pthread_mutex_init(&report->lock, NULL);
    pthread_cond_init(&report->closing, NULL);
    report->sources = allocate_zeroed((sources + 1) * sizeof(*report->sources));
    report->source_count = sources;
    report->start_ns = host_clock_ns();
    if (!open_outputs(report, options, error)) {
        report_free(report);
        return NULL;
    }
    for (int i = 0; i < report->output_count; i++) {
        if (report->outputs[i].writer->begin != NULL)
            report->outputs[i].writer->begin(report->outputs[i].file);
    }
    report_progress_init(&report->progress);
    if (report->progress.terminal != NULL)
        report->has_ticker = pthread_create(&report->ticker, NULL, run_ticker, report) == 0;
    return report;
}

static void tell_output(Report *report, const ByteBuffer *text) {
    report_progress_clear(&report->progress);
    for (int i = 0; i < report->output_count; i++) {
        const ReportOutput *output = &report->outputs[i];
        if (output->writer->print != NULL && text->size > 0)
            output->writer->print(output->file, (const char *)text->data, text->size);
        fflush(output->file);
    }
}

/* One without a name is no result: only what a script printed. */
static void tell(Report *report, TestResult *result) {
    if (result->name == NULL || result->case_offset > 0)
        tell_output(report, &result->output);
    if (result->name == NULL) {
        test_result_free(result);
        return;
    }
    append_result(&report->told, result);
    report_progress_clear(&report->progress);
    for (int i = 0; i < report->output_count; i++) {
        const ReportOutput *output = &report->outputs[i];
        if (output->writer->result != NULL)
            output->writer->result(output->file, result, (unsigned)report->told.count,
                                   report->source_count > 1);
        fflush(output->file);
    }
}

static void tell_waiting(Report *report, ReportSource *source) {
    for (size_t i = 0; i < source->waiting.count; i++)
        tell(report, source->waiting.items[i]);
    source->waiting.count = 0;
}

static void count_result(ReportTotals *totals, const TestResult *result) {
    if (result->skipped)
        totals->skipped++;
    else if (result->status == SCRIPT_PASSED)
        totals->passed++;
    else
        totals->failed++;
    totals->guest_ns += result->guest_ns;
    totals->worst = script_worse_status(totals->worst, result->status);
}

void report_add(Report *report, unsigned source, TestResult *result) {
    pthread_mutex_lock(&report->lock);
    count_result(&report->totals, result);
    if (source == report->head)
        tell(report, result);
    else
        append_result(&report->sources[source].waiting, result);
    pthread_mutex_unlock(&report->lock);
}

void report_print(Report *report, unsigned source, TestResult *result, const char *text,
                  size_t size) {
    if (result->output.size < REPORT_OUTPUT_BYTES)
        byte_buffer_append(&result->output, text, size);
    if (result->case_offset > 0)
        return;
    TestResult *lines = allocate_zeroed(sizeof(*lines));
    byte_buffer_append(&lines->output, text, size);
    pthread_mutex_lock(&report->lock);
    if (source == report->head)
        tell(report, lines);
    else
        append_result(&report->sources[source].waiting, lines);
    pthread_mutex_unlock(&report->lock);
}

void report_end_source(Report *report, unsigned source) {
    pthread_mutex_lock(&report->lock);
    report->sources[source].ended = true;
    while (report->head < report->source_count && report->sources[report->head].ended) {
        report->head++;
        if (report->head < report->source_count)
            tell_waiting(report, &report->sources[report->head]);
    }
    pthread_mutex_unlock(&report->lock);
}

static void end_ticker(Report *report) {
    pthread_mutex_lock(&report->lock);
    report->closed = true;
    pthread_cond_signal(&report->closing);
    pthread_mutex_unlock(&report->lock);
    if (report->has_ticker)
        pthread_join(report->ticker, NULL);
    report_progress_clear(&report->progress);
}

bool report_finish(Report *report, ReportTotals *totals, Error *error) {
    bool good = true;
    end_ticker(report);
    for (unsigned i = 0; i < report->source_count; i++)
        tell_waiting(report, &report->sources[i]);
    report->totals.host_ns = host_clock_ns() - report->start_ns;
    *totals = report->totals;
    for (int i = 0; i < report->output_count; i++) {
        const ReportOutput *output = &report->outputs[i];
        if (output->writer->end != NULL)
            output->writer->end(output->file, report->told.items, report->told.count, totals);
        bool written = output->path != NULL ? fclose(output->file) == 0
                                            : fflush(output->file) == 0 && !ferror(output->file);
        if (!written)
            good = error_set(error, "cannot write %s: %s",
                             output->path != NULL ? output->path : "the report", strerror(errno));
    }
    return good;
}

/* --- activities --- */

void report_begin_activity(Report *report, ReportActivity *activity, const char *name) {
    pthread_mutex_lock(&report->lock);
    snprintf(activity->name, sizeof(activity->name), "%s", name);
    activity->step[0] = '\0';
    activity->waiting = false;
    activity->guest_ns = 0;
    activity->host_start_ns = host_clock_ns();
    activity->next = report->activities;
    report->activities = activity;
    pthread_mutex_unlock(&report->lock);
}

void report_set_step(Report *report, ReportActivity *activity, const char *step) {
    pthread_mutex_lock(&report->lock);
    snprintf(activity->step, sizeof(activity->step), "%s", step);
    pthread_mutex_unlock(&report->lock);
}

void report_set_waiting(Report *report, ReportActivity *activity, bool waiting) {
    pthread_mutex_lock(&report->lock);
    activity->waiting = waiting;
    pthread_mutex_unlock(&report->lock);
}

void report_end_activity(Report *report, ReportActivity *activity) {
    pthread_mutex_lock(&report->lock);
    ReportActivity **link = &report->activities;
    while (*link != NULL && *link != activity)
        link = &(*link)->next;
    if (*link != NULL)
        *link = activity->next;
    pthread_mutex_unlock(&report->lock);
}
