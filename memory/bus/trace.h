/* The trace log behind -d: categories, one output, nothing printed unless asked for. One per
 * machine. */
#ifndef REPRISE_TRACE_H
#define REPRISE_TRACE_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum TraceCategory {
    TRACE_IN_ASM = 1 << 0,       /* guest code as it is translated */
    TRACE_OP = 1 << 1,           /* micro-ops */
    TRACE_OUT_ASM = 1 << 2,      /* host code */
    TRACE_INT = 1 << 3,          /* interrupts and exceptions */
    TRACE_EXEC = 1 << 4,         /* each block as it is entered */
    TRACE_CPU = 1 << 5,          /* registers before each block */
    TRACE_GUEST_ERRORS = 1 << 6, /* what the guest does that hardware leaves undefined */
    TRACE_UNIMP = 1 << 7,        /* what the guest asks for that is not there */
    TRACE_PORT = 1 << 8,         /* port accesses that nobody answers */
    TRACE_POST = 1 << 9,         /* POST codes */
} TraceCategory;

typedef struct Trace {
    uint32_t mask; /* of TraceCategory */
    FILE *output;  /* stderr unless -D names a file */
} Trace;

/* Reads a list like "in_asm,int"; an unknown word is an error that lists the known ones. */
bool trace_parse(Trace *trace, const char *list, Error *error);
/* Has what was printed reach the output's file, though the process may be killed. */
void trace_flush(Trace *trace);
void trace_print(Trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define TRACE(trace, category, ...)                                                                \
    do {                                                                                           \
        if (__builtin_expect((trace)->mask & (category), 0))                                       \
            trace_print(trace, __VA_ARGS__);                                                       \
    } while (0)

/* The same for lines that somebody may wait for. */
#define TRACE_LINE(trace, category, ...)                                                           \
    do {                                                                                           \
        if (__builtin_expect((trace)->mask & (category), 0)) {                                     \
            trace_print(trace, __VA_ARGS__);                                                       \
            trace_flush(trace);                                                                    \
        }                                                                                          \
    } while (0)

#endif
