/* -accel: which backend runs the guest, and the properties by which tests switch off what it does
 * for speed. No guest sees any of them. */
#include "key_values.h"
#include "options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { BUFFER_MIN = 64 << 10, BUFFER_MAX = 1 << 30, TB_SIZE_MAX = BUFFER_MAX >> 20 };

/* A property that is on or off, kept in a bool of TranslatorOptions. */
typedef struct Switch {
    const char *name;
    size_t offset;
    bool is_inverse;  /* the bool says that it is off */
    bool is_shortcut; /* 'optimize' stands for it */
    bool for_jit;     /* the portable backend has no such thing */
    const char *meaning;
} Switch;

// clang-format off
#define OPTION(field) offsetof(TranslatorOptions, field)
static const Switch switches[] = {
    {"chaining", OPTION(no_chaining), true, false, false, "blocks jump to each other"},
    {"prepared", OPTION(no_prepared), true, true, false, "the portable backend prepares the blocks that it keeps"},
    {"jump-table", OPTION(no_jump_table), true, true, true, "indirect jumps find their target in a table"},
    {"flag-liveness", OPTION(no_flag_liveness), true, true, true, "flags that nobody reads are not computed"},
    {"flag-states", OPTION(no_flag_states), true, true, true, "flags stay where they can be computed from"},
    {"shared-checks", OPTION(no_shared_checks), true, true, true, "one look into the TLB for a stack frame"},
    {"known-pages", OPTION(no_known_pages), true, true, true, "none for pages that the code names"},
    {"far-links", OPTION(no_far_links), true, true, false, "far jumps and calls of real mode go to known places"},
    {"known-direction", OPTION(no_known_direction), true, true, false, "string instructions are translated for one state of DF"},
    {"beside-code", OPTION(no_side_stores), true, true, true, "stores beside code on its page stay in translated code"},
    {"fetched-operands", OPTION(no_fetched_operands), true, true, true, "operands of code that are stored into are fetched as it runs"},
    {"single-entry", OPTION(no_single_entry), true, true, true, "code that changes often is translated for one state of flags"},
    {"revival", OPTION(no_revival), true, true, true, "code that stands there again is not translated again"},
    {"page-pairs", OPTION(no_page_pairs), true, true, true, "accesses over a page's end by two looks into the TLB"},
    {"bmi2", OPTION(no_bmi2), true, true, true, "SHRX where the host has it"},
    {"inline-tsc", OPTION(no_inline_tsc), true, true, true, "RDTSC reads the host's counter in translated code"},
    {"inline-strings", OPTION(no_inline_strings), true, true, true, "short REP strings run in translated code"},
    {"hot-paths", OPTION(no_hot_paths), true, true, true, "hot loops and sequences of blocks become one"},
    {"inline-fpu", OPTION(no_inline_fpu), true, true, true, "x87, MMX and SSE run in the host's registers"},
    {"one-insn-per-tb", OPTION(one_insn_blocks), false, false, false, "each instruction is translated alone"},
    {"eager-hot-paths", OPTION(eager_hot_paths), false, false, true, "they are looked for all the time"},
    {"force-misses", OPTION(force_misses), false, false, true, "every access to memory takes the slow path"},
};
#undef OPTION
// clang-format on
enum { SWITCH_COUNT = sizeof(switches) / sizeof(switches[0]) };

static const char KNOWN[] = "accel chaining prepared jump-table flag-liveness flag-states "
                            "shared-checks known-pages far-links known-direction "
                            "beside-code fetched-operands single-entry revival page-pairs bmi2 "
                            "hot-paths inline-strings inline-tsc inline-fpu "
                            "eager-hot-paths "
                            "one-insn-per-tb force-misses optimize flush stress "
                            "buffer tb-size thread split-wx";

static bool *find_bool(TranslatorOptions *options, const Switch *entry) {
    return (bool *)((char *)options + entry->offset);
}

static bool print_help(void) {
    printf("Accelerators, -accel NAME[,property=value]...:\n"
           "  jit                      translates to host code (also: tcg)\n"
           "  interp                   interprets\n"
           "Properties, for tests of the translator; a guest sees no difference:\n");
    for (unsigned i = 0; i < SWITCH_COUNT; i++)
        printf("  %-24s %s (default %s%s)\n", switches[i].name, switches[i].meaning,
               switches[i].is_inverse ? "on" : "off", switches[i].for_jit ? "; jit" : "");
    printf("  %-24s all of jump-table to inline-fpu at once (default on; jit)\n"
           "  %-24s none, or block: translations are forgotten after each block\n"
           "  %-24s a number but 0: looks for events after 1 to 17 instructions, by chance\n"
           "  %-24s bytes for translations, 64k to 1G (default 64M; jit)\n"
           "  %-24s the same in MiB\n",
           "optimize", "flush", "stress", "buffer", "tb-size");
    return true;
}

static bool is_given(KeyValues *values, const char *name) {
    return key_values_get(values, name) != NULL;
}

static bool take_switches(TranslatorOptions *options, KeyValues *values, Error *error) {
    bool optimize;
    if (!key_values_get_bool(values, "optimize", true, &optimize, error))
        return false;
    for (unsigned i = 0; i < SWITCH_COUNT; i++) {
        const Switch *entry = &switches[i];
        bool on = entry->is_inverse && (optimize || !entry->is_shortcut);
        if (!key_values_get_bool(values, entry->name, on, &on, error))
            return false;
        *find_bool(options, entry) = on != entry->is_inverse;
    }
    return true;
}

static bool take_flush(TranslatorOptions *options, KeyValues *values, Error *error) {
    const char *flush = key_values_get(values, "flush");
    options->flush_blocks = flush != NULL && strcmp(flush, "block") == 0;
    return flush == NULL || options->flush_blocks || strcmp(flush, "none") == 0 ||
           error_set(error, "flush is none or block, not '%s'", flush);
}

static bool take_buffer(TranslatorOptions *options, KeyValues *values, Error *error) {
    uint64_t bytes, mebibytes;
    if (is_given(values, "buffer") && is_given(values, "tb-size"))
        return error_set(error, "buffer and tb-size are two names of one thing");
    if (!key_values_get_size(values, "buffer", 0, &bytes, error) ||
        !key_values_get_number(values, "tb-size", 0, &mebibytes, error))
        return false;
    if (bytes == 0)
        bytes = (mebibytes < TB_SIZE_MAX ? mebibytes : TB_SIZE_MAX) << 20;
    if (bytes != 0 && (bytes < BUFFER_MIN || bytes > BUFFER_MAX))
        return error_set(error, "buffer is 64k to 1G");
    options->buffer_bytes = (size_t)bytes;
    return true;
}

static bool take_stress(TranslatorOptions *options, KeyValues *values, Error *error) {
    uint64_t seed;
    if (!key_values_get_number(values, "stress", 0, &seed, error))
        return false;
    if (seed > UINT32_MAX)
        return error_set(error, "stress is a number below 2^32");
    options->stress_seed = (uint32_t)seed;
    return true;
}

/* QEMU's, which make no difference: there is one processor, and no page is writable and executable.
 */
static bool accept_qemu_properties(KeyValues *values, Error *error) {
    const char *thread = key_values_get(values, "thread");
    bool split;
    if (thread != NULL && strcmp(thread, "single") != 0 && strcmp(thread, "multi") != 0)
        return error_set(error, "thread is single or multi, not '%s'", thread);
    return key_values_get_bool(values, "split-wx", true, &split, error);
}

static bool check_backend(const TranslatorOptions *options, KeyValues *values, Error *error) {
    if (options->backend != BACKEND_PORTABLE)
        return true;
    for (unsigned i = 0; i < SWITCH_COUNT; i++)
        if (switches[i].for_jit && is_given(values, switches[i].name))
            return error_set(error, "interp has no %s: that is jit's", switches[i].name);
    static const char *const others[] = {"optimize", "buffer"};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (is_given(values, others[i]))
            return error_set(error, "interp has no %s: that is jit's", others[i]);
    return true;
}

/* Those of other systems than this one, too: scripts are written for any. */
static bool uses_host_processor(const char *name, size_t length) {
    static const char *const names[] = {"kvm", "hvf", "whpx", "hax", "nvmm", "xen"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return true;
    return false;
}

bool option_accel_name(Settings *settings, const char *names, Error *error) {
    bool saw_host = false;
    TranslatorOptions *options = &settings->machine.translator;
    for (const char *name = names; name != NULL;) {
        size_t length = strcspn(name, ":");
        if ((length == 3 && (memcmp(name, "jit", 3) == 0 || memcmp(name, "tcg", 3) == 0))) {
            options->backend = translator_default_backend();
            return true;
        }
        if (length == 6 && memcmp(name, "interp", 6) == 0) {
            options->backend = BACKEND_PORTABLE;
            return true;
        }
        saw_host |= uses_host_processor(name, length);
        name = name[length] == ':' ? name + length + 1 : NULL;
    }
    if (saw_host)
        return option_enable_kvm(settings, NULL, error);
    return error_set(error, "unknown accelerator '%s'; known are jit (or tcg) and interp", names);
}

bool option_accel(Settings *settings, const char *argument, Error *error) {
    if (strcmp(argument, "help") == 0 || strcmp(argument, "?") == 0)
        return settings->listed = print_help();
    KeyValues values = {.items = NULL};
    TranslatorOptions *options = &settings->machine.translator;
    bool good = key_values_parse(&values, argument, "accel", error);
    const char *name = key_values_get(&values, "accel");
    good = good && (name == NULL || option_accel_name(settings, name, error)) &&
           take_switches(options, &values, error) && take_flush(options, &values, error) &&
           take_stress(options, &values, error) && take_buffer(options, &values, error) &&
           accept_qemu_properties(&values, error) && check_backend(options, &values, error) &&
           key_values_check_used(&values, KNOWN, error);
    key_values_free(&values);
    return good;
}

bool option_enable_kvm(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings_warn(settings, "guests run by translation, without hardware virtualization");
    return true;
}
