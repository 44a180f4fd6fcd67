/* Results as lines for people. */
#include "failure_folder.h"
#include "host_file.h"
#include "report.h"

#include <string.h>

static const char *name_outcome(const TestResult *result) {
    if (result->skipped)
        return "skipped";
    switch (result->status) {
    case SCRIPT_PASSED:
        return "ok";
    case SCRIPT_CRASHED:
        return "CRASHED";
    case SCRIPT_TIMED_OUT:
        return "TIMED OUT";
    case SCRIPT_HOST_LIMIT:
        return "HOST LIMIT";
    case SCRIPT_DIVERGED:
        return "DIVERGED";
    case SCRIPT_USAGE:
    case SCRIPT_ERROR:
        return "ERROR";
    default:
        return "FAILED";
    }
}

/* Each line of 'text' with spaces before it. What a guest showed may be in it: nothing that steers
 * a terminal gets through. */
static void print_indented(FILE *output, const char *text) {
    bool at_start = true;
    for (; *text != '\0'; text++) {
        bool steers =
            ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t') || *text == '\x7F';
        fprintf(output, "%s%c", at_start && *text != '\n' ? "    " : "", steers ? '.' : *text);
        at_start = *text == '\n';
    }
    fprintf(output, "%s", at_start ? "" : "\n");
}

static void print_result(FILE *output, const TestResult *result, unsigned number, bool with_file) {
    (void)number;
    fprintf(output, "%-10s %s%s%s", name_outcome(result), with_file ? result->file : "",
            with_file ? ": " : "", result->name);
    if (result->skipped) {
        fprintf(output, " (%s)\n", result->message != NULL ? result->message : "no reason given");
        return;
    }
    fprintf(output, " (%.2f s", (double)result->host_ns / 1e9);
    if (result->guest_ns > 0)
        fprintf(output, ", guest %.2f s", (double)result->guest_ns / 1e9);
    fprintf(output, ")\n");
    if (result->status == SCRIPT_PASSED)
        return;
    if (result->step != NULL)
        fprintf(output, "    in step '%s'\n", result->step);
    if (result->message != NULL)
        print_indented(output, result->message);
    if (result->folder != NULL)
        fprintf(output, "    see %s\n", result->folder);
}

static void print_output(FILE *output, const char *text, size_t size) {
    fwrite(text, 1, size, output);
}

/* Of one of its machines, where there were several. */
static bool find_recording(const char *folder, char path[], size_t size) {
    snprintf(path, size, "%s/run.recording", folder);
    if (access(path, R_OK) == 0)
        return true;
    return failure_folder_find(folder, "run.recording", 1, true, path, size);
}

/* The last line is a command: it replays the last failure that left a recording. */
static void print_replay(FILE *output, TestResult *const *results, size_t count) {
    char path[4096];
    while (count-- > 0) {
        if (results[count]->folder == NULL ||
            !find_recording(results[count]->folder, path, sizeof(path)))
            continue;
        const char *quote = strpbrk(path, " \t$&;()<>|\"\\*?") != NULL ? "'" : "";
        fprintf(output, "reprise replay %s%s%s\n", quote, path, quote);
        return;
    }
}

static void print_totals(FILE *output, TestResult *const *results, size_t count,
                         const ReportTotals *totals) {
    if (count == 0)
        fprintf(output, "no tests were run");
    else
        fprintf(output, "%u passed, %u failed", totals->passed, totals->failed);
    if (totals->skipped > 0)
        fprintf(output, ", %u skipped", totals->skipped);
    fprintf(output, " in %.2f s", (double)totals->host_ns / 1e9);
    if (totals->guest_ns > 0)
        fprintf(output, " (guest %.2f s)", (double)totals->guest_ns / 1e9);
    fprintf(output, "\n");
    print_replay(output, results, count);
}

const ReportWriter report_lines = {
    .print = print_output, .result = print_result, .end = print_totals};

const ReportWriter report_list = {.print = print_output, .result = print_result};
