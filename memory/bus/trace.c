#include "trace.h"
#include <stdarg.h>
#include <string.h>

typedef struct TraceWord {
    const char *name;
    uint32_t mask;
} TraceWord;

static const TraceWord trace_words[] = {
    {"in_asm", TRACE_IN_ASM},
    {"op", TRACE_OP},
    {"out_asm", TRACE_OUT_ASM},
    {"int", TRACE_INT},
    {"exec", TRACE_EXEC},
    {"cpu", TRACE_CPU},
    {"guest_errors", TRACE_GUEST_ERRORS},
    {"unimp", TRACE_UNIMP},
    {"port", TRACE_PORT},
    {"post", TRACE_POST},
};

/* Words of QEMU's -d that scripts pass and for which there is nothing to print here. */
static const char *const silent_words[] = {
    "nochain", "page",   "pcall",  "mmu", "cpu_reset", "fpu",
    "op_opt",  "op_ind", "plugin", "vpu", "tid",       "strace",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_word(const char *name, const char *word, size_t length) {
    return strlen(name) == length && memcmp(name, word, length) == 0;
}

static bool find_mask(const char *word, size_t length, uint32_t *mask) {
    for (size_t i = 0; i < COUNT_OF(trace_words); i++)
        if (is_word(trace_words[i].name, word, length)) {
            *mask |= trace_words[i].mask;
            return true;
        }
    if (length > 6 && memcmp(word, "trace:", 6) == 0) /* QEMU's own trace points */
        return true;
    for (size_t i = 0; i < COUNT_OF(silent_words); i++)
        if (is_word(silent_words[i], word, length))
            return true;
    return false;
}

static bool unknown_word(const char *word, size_t length, Error *error) {
    char known[256] = "";
    for (size_t i = 0; i < COUNT_OF(trace_words); i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                 trace_words[i].name);
    }
    return error_set(error, "unknown trace category '%.*s'; known are %s",
                     (int)(length < 64 ? length : 64), word, known);
}

bool trace_parse(Trace *trace, const char *list, Error *error) {
    uint32_t mask = 0;
    while (*list != 0) {
        size_t length = strcspn(list, ",");
        if (length > 0 && !find_mask(list, length, &mask))
            return unknown_word(list, length, error);
        list += length;
        list += *list == ',';
    }
    trace->mask = mask;
    return true;
}

void trace_print(Trace *trace, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(trace->output != NULL ? trace->output : stderr, format, arguments);
    va_end(arguments);
}

void trace_flush(Trace *trace) {
    fflush(trace->output != NULL ? trace->output : stderr);
}
