/* Results as the XML that JUnit's reports have and that CI systems read: a test suite for each
 * script, in the order in which they were given. */
#include "report.h"

#include <string.h>

/* Bytes of the UTF-8 sequence of 'size' bytes at most at 'text' that is a character of XML
 * (XML 1.0, 2.2); 0: there is none, whether it is not UTF-8 or a character that XML must not hold.
 */
static size_t measure_character(const unsigned char *text, size_t size) {
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[4] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t length = 1; length <= 4; length++) {
        if (length > size || (text[0] & forms[length - 1].mask) != forms[length - 1].lead)
            continue;
        uint32_t code = text[0] & (unsigned char)~forms[length - 1].mask;
        for (size_t i = 1; i < length; i++) {
            if ((text[i] & 0xC0) != 0x80)
                return 0;
            code = code << 6 | (text[i] & 0x3F);
        }
        bool allowed = code >= 0x20 ? (code < 0xD800 || code > 0xDFFF) && code != 0xFFFE &&
                                          code != 0xFFFF && code <= 0x10FFFF
                                    : code == '\t' || code == '\n' || code == '\r';
        return allowed && code >= forms[length - 1].least ? length : 0;
    }
    return 0;
}

/* In attributes line ends and tabs would become spaces (XML 1.0, 3.3.3). */
static const char special_in_attributes[] = "&<>\r\"\n\t", special_in_text[] = "&<>\r";

static void print_bytes(FILE *output, const char *special, const char *text, size_t size) {
    static const char *const entities[] = {"&amp;",  "&lt;",  "&gt;", "&#13;",
                                           "&quot;", "&#10;", "&#9;"};
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        size_t length = measure_character(at, (size_t)(end - at));
        const char *found = *at != '\0' ? strchr(special, (char)*at) : NULL;
        if (length == 0)
            fprintf(output, "\xEF\xBF\xBD"); /* U+FFFD */
        else if (found != NULL)
            fprintf(output, "%s", entities[found - special]);
        else
            fwrite(at, 1, length, output);
        at += length > 0 ? length : 1;
    }
}

static void print_escaped(FILE *output, const char *special, const char *text) {
    print_bytes(output, special, text, strlen(text));
}

static void print_attribute(FILE *output, const char *name, const char *value) {
    fprintf(output, " %s=\"", name);
    print_escaped(output, special_in_attributes, value != NULL ? value : "");
    fprintf(output, "\"");
}

/* What says nothing about the guest is an error, all else a failure. */
static bool is_error(const TestResult *result) {
    return result->status == SCRIPT_ERROR || result->status == SCRIPT_USAGE ||
           result->status == SCRIPT_HOST_LIMIT;
}

static void print_failure(FILE *output, const TestResult *result) {
    const char *element = is_error(result) ? "error" : "failure";
    fprintf(output, "      <%s", element);
    print_attribute(output, "message", result->message);
    print_attribute(output, "type", result->kind != NULL ? result->kind : "fail");
    fprintf(output, ">");
    print_escaped(output, special_in_text, result->message != NULL ? result->message : "");
    if (result->step != NULL) {
        fprintf(output, "\nin step ");
        print_escaped(output, special_in_text, result->step);
    }
    if (result->folder != NULL) {
        fprintf(output, "\nsee ");
        print_escaped(output, special_in_text, result->folder);
    }
    fprintf(output, "</%s>\n", element);
}

static void print_system_out(FILE *output, const TestResult *result) {
    if (result->step_count == 0 && result->serial_tail == NULL && result->output.size == 0)
        return;
    fprintf(output, "      <system-out>");
    print_bytes(output, special_in_text, (const char *)result->output.data, result->output.size);
    for (size_t i = 0; i < result->step_count; i++) {
        const TestStep *step = &result->steps[i];
        fprintf(output, "%*sstep ", (int)step->depth * 2, "");
        print_escaped(output, special_in_text, step->name);
        fprintf(output, " (guest %.2f s)%s\n", (double)step->guest_ns / 1e9,
                step->failed ? ": failed" : "");
    }
    if (result->serial_tail != NULL) {
        fprintf(output, "serial port, last bytes:\n");
        print_escaped(output, special_in_text, result->serial_tail);
    }
    fprintf(output, "</system-out>\n");
}

static void print_case(FILE *output, const TestResult *result) {
    fprintf(output, "    <testcase");
    print_attribute(output, "name", result->name);
    print_attribute(output, "classname", result->file);
    fprintf(output, " time=\"%.3f\">\n", (double)result->host_ns / 1e9);
    if (result->skipped) {
        fprintf(output, "      <skipped");
        print_attribute(output, "message", result->message);
        fprintf(output, "/>\n");
    } else if (result->status != SCRIPT_PASSED) {
        print_failure(output, result);
    }
    print_system_out(output, result);
    fprintf(output, "    </testcase>\n");
}

typedef struct Counts {
    unsigned tests, failures, errors, skipped;
    int64_t host_ns;
} Counts;

static Counts count(TestResult *const *results, size_t number) {
    Counts counts = {0};
    for (size_t i = 0; i < number; i++) {
        bool failed = results[i]->status != SCRIPT_PASSED;
        counts.tests++;
        counts.errors += failed && is_error(results[i]);
        counts.failures += failed && !is_error(results[i]);
        counts.skipped += results[i]->skipped;
        counts.host_ns += results[i]->host_ns;
    }
    return counts;
}

static void print_counts(FILE *output, const Counts *counts) {
    fprintf(output, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.3f\">\n",
            counts->tests, counts->failures, counts->errors, counts->skipped,
            (double)counts->host_ns / 1e9);
}

static void end(FILE *output, TestResult *const *results, size_t number,
                const ReportTotals *totals) {
    (void)totals;
    Counts all = count(results, number);
    fprintf(output, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"reprise\"");
    print_counts(output, &all);
    for (size_t first = 0, after; first < number; first = after) {
        after = first + 1;
        while (after < number && strcmp(results[after]->file, results[first]->file) == 0)
            after++;
        Counts counts = count(results + first, after - first);
        fprintf(output, "  <testsuite");
        print_attribute(output, "name", results[first]->file);
        print_counts(output, &counts);
        for (size_t i = first; i < after; i++)
            print_case(output, results[i]);
        fprintf(output, "  </testsuite>\n");
    }
    fprintf(output, "</testsuites>\n");
}

const ReportWriter report_junit = {.end = end};
