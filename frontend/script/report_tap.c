/* Results in the Test Anything Protocol, version 13 (testanything.org), which every reader of TAP
 * knows. */
#include "report.h"

#include <string.h>

static void begin(FILE *output) {
    fprintf(output, "TAP version 13\n");
}

/* A description is one line, in which '#' would begin a directive. */
static void print_description(FILE *output, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\')
            fputc('\\', output);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, output);
    }
}

/* A double-quoted scalar of YAML 1.2 (7.3.1): all but printable ASCII and UTF-8 is escaped. */
static void print_scalar(FILE *output, const char *name, const char *text) {
    if (text == NULL)
        return;
    fprintf(output, "  %s: \"", name);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(output, "\\%c", byte);
        else if (byte == '\n')
            fprintf(output, "\\n");
        else if (byte < ' ' || byte == 0x7F)
            fprintf(output, "\\x%02x", byte);
        else
            fputc(byte, output);
    }
    fprintf(output, "\"\n");
}

/* As a comment: what a script prints is no result. */
static void print_output(FILE *output, const char *text, size_t size) {
    bool at_start = true;
    for (size_t i = 0; i < size; i++) {
        fprintf(output, "%s%c", at_start ? "# " : "", text[i]);
        at_start = text[i] == '\n';
    }
}

static void print_result(FILE *output, const TestResult *result, unsigned number, bool with_file) {
    for (size_t i = 0; i < result->step_count; i++) {
        fprintf(output, "# %*sstep ", (int)result->steps[i].depth * 2, "");
        print_description(output, result->steps[i].name);
        fprintf(output, "%s\n", result->steps[i].failed ? " failed" : "");
    }
    fprintf(output, "%sok %u - ", result->status == SCRIPT_PASSED ? "" : "not ", number);
    if (with_file) {
        print_description(output, result->file);
        fprintf(output, ": ");
    }
    print_description(output, result->name);
    if (result->skipped) {
        fprintf(output, " # SKIP ");
        print_description(output, result->message != NULL ? result->message : "");
    }
    fprintf(output, "\n");
    if (result->status == SCRIPT_PASSED)
        return;
    fprintf(output, "  ---\n");
    print_scalar(output, "message", result->message);
    print_scalar(output, "kind", result->kind);
    print_scalar(output, "step", result->step);
    print_scalar(output, "file", result->file);
    print_scalar(output, "folder", result->folder);
    fprintf(output, "  duration_ms: %.3f\n  ...\n", (double)result->host_ns / 1e6);
}

/* The plan may stand at the end, where the number is known. */
static void end(FILE *output, TestResult *const *results, size_t count,
                const ReportTotals *totals) {
    (void)results;
    fprintf(output, "1..%zu\n", count);
    fprintf(output, "# %u passed, %u failed, %u skipped in %.2f s\n", totals->passed,
            totals->failed, totals->skipped, (double)totals->host_ns / 1e9);
}

const ReportWriter report_tap = {
    .begin = begin, .print = print_output, .result = print_result, .end = end};
