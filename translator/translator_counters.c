#include "translator_counters.h"
#include <stdlib.h>

enum { HELPERS_SHOWN = 12 };

static const char *const leave_names[LEAVE_REASON_COUNT] = {
    [LEFT_FOR_JUMP] = "for a jump that was not joined",
    [LEFT_FOR_INDIRECT_JUMP] = "for an indirect jump",
    [LEFT_FOR_POLL] = "for an event",
    [LEFT_FOR_STEP] = "for a single step",
    [LEFT_FOR_FAULT] = "for a fault",
    [LEFT_FOR_LOOK] = "for the run loop to look",
};

static const char *const slow_names[SLOW_REASON_COUNT] = {
    [SLOWLY_BESIDE_CODE] = "store beside code",
    [SLOWLY_FILLED] = "TLB miss",
    [SLOWLY_BY_PIECES] = "by pieces",
    [SLOWLY_FAULTED] = "faulted",
    [SLOWLY_STEPPED] = "stepped",
};

static void print_row(ByteBuffer *text, const char *name, uint64_t value) {
    byte_buffer_print(text, "%-32s %llu\n", name, (unsigned long long)value);
}

static void print_list(ByteBuffer *text, const char *title, const char *const *names,
                       const uint64_t *values, unsigned count) {
    byte_buffer_print(text, "%s:\n", title);
    for (unsigned i = 0; i < count; i++)
        byte_buffer_print(text, "  %-30s %llu\n", names[i], (unsigned long long)values[i]);
}

typedef struct HelperCalls {
    unsigned helper;
    uint64_t calls;
} HelperCalls;

static int compare_calls(const void *a, const void *b) {
    uint64_t first = ((const HelperCalls *)a)->calls, second = ((const HelperCalls *)b)->calls;
    return first < second ? 1 : first > second ? -1 : 0;
}

static void print_helpers(const TranslatorCounters *counters, ByteBuffer *text) {
    HelperCalls calls[HELPER_ID_COUNT];
    for (unsigned i = 0; i < HELPER_ID_COUNT; i++)
        calls[i] = (HelperCalls){i, counters->helper_calls[i]};
    qsort(calls, HELPER_ID_COUNT, sizeof(calls[0]), compare_calls);
    byte_buffer_print(text, "helpers called most:\n");
    for (unsigned i = 0; i < HELPERS_SHOWN && calls[i].calls > 0; i++)
        byte_buffer_print(text, "  %-30s %llu\n", helper_table[calls[i].helper].name,
                          (unsigned long long)calls[i].calls);
}

void translator_counters_print(const TranslatorCounters *counters, const Cpu *cpu,
                               ByteBuffer *text) {
    print_row(text, "instructions executed", cpu->state.instruction_count);
    print_row(text, "translations", counters->translations);
    print_row(text, "translations taken back", counters->revivals);
    print_row(text, "guest bytes translated", counters->guest_bytes);
    print_row(text, "host bytes made", counters->host_bytes);
    print_row(text, "microseconds of translating", counters->translation_ns / 1000);
    print_row(text, "block look-ups by the run loop", counters->lookups);
    print_row(text, "single steps", counters->single_steps);
    print_row(text, "faults", counters->faults);
    print_row(text, "interrupts", counters->interrupts);
    print_row(text, "links made", counters->links);
    print_row(text, "links undone", counters->unlinks);
    print_row(text, "hot paths", counters->hot_paths);
    print_row(text, "TLB fills", cpu->tlb.fills);
    print_row(text, "page walks", cpu->tlb.walks);
    print_row(text, "TLB flushes", cpu->tlb.flushes);
    print_list(text, "translated code was left", leave_names, counters->leaves, LEAVE_REASON_COUNT);
    print_list(text, "slow memory accesses", slow_names, counters->slow, SLOW_REASON_COUNT);
    print_row(text, "invalidations by stores", counters->forgotten[FORGOTTEN_BY_STORE]);
    print_row(text, "invalidations by memory map", counters->forgotten[FORGOTTEN_BY_LAYOUT]);
    print_row(text, "flushes",
              counters->forgotten[FORGOTTEN_BUFFER_FULL] + counters->forgotten[FORGOTTEN_CONTEXTS] +
                  counters->forgotten[FORGOTTEN_ON_REQUEST]);
    print_row(text, "  buffer full", counters->forgotten[FORGOTTEN_BUFFER_FULL]);
    print_row(text, "  contexts used up", counters->forgotten[FORGOTTEN_CONTEXTS]);
    print_row(text, "  on request", counters->forgotten[FORGOTTEN_ON_REQUEST]);
    print_helpers(counters, text);
}
