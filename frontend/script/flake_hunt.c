/* See flake_hunt.h.
 *
 * A run that takes the passing seed up to some guest time and the failing one after it is the
 * passing run up to there. Where it fails from one time on, but not from the next event's on, that
 * event is where the two part. Such runs are processes of their own: this program again, quietly.
 */
#define _GNU_SOURCE
#include "flake_hunt.h"
#include "allocate.h"
#include "failure_folder.h"
#include "host_clock.h"
#include "host_file.h"
#include "host_process.h"
#include "host_string.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

/* The last event that makes the difference is looked for, from the end backwards in growing steps.
 */
#define NEAR_NS 50000

typedef struct Flake {
    const TestOptions *options;
    const char *file;
    uint64_t passing, failing; /* seeds */
    unsigned runs, failures;
    int64_t guest_ns; /* of the failing run */
    char folder[64];  /* for what the runs leave */
    bool broken;      /* no run could be made */
} Flake;

/* The words of the run's own command line, but for those of reports. NULL ends them; freed by the
 * caller. */
static char **make_words(const Flake *flake, char *seed) {
    const TestOptions *options = flake->options;
    size_t count = 0;
    size_t room = (size_t)(16 + options->machine_word_count + 2 * options->variable_count);
    char **words = allocate_zeroed(room * sizeof(*words));
    const char *const first[] = {"reprise", "test",        "--jobs",    "1",
                                 "--out",   flake->folder, "--perturb", seed};
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        words[count++] = strdup(first[i]);
    for (int i = 0; i < options->variable_count; i++) {
        words[count++] = strdup("--var");
        if (asprintf(&words[count], "%s=%s", options->variables[i].name,
                     options->variables[i].value) > 0)
            count++;
    }
    if (options->filter != NULL) {
        words[count++] = strdup("--filter");
        words[count++] = strdup(options->filter);
    }
    for (int i = 0; i < options->machine_word_count; i++)
        words[count++] = strdup(options->machine_words[i]);
    words[count] = strdup(flake->file);
    return words;
}

/* Does a run fail that goes on with the failing seed from this time on? */
static bool fails_from(Flake *flake, int64_t then_ns) {
    ClockPerturbation perturbation = {flake->passing, flake->failing, then_ns, true};
    char seed[PERTURBATION_TEXT_BYTES];
    int status = 0;
    HostChild child;
    perturbation_print(&perturbation, seed);
    failure_folder_remove(flake->folder);
    char **words = make_words(flake, seed);
    bool good = host_process_start_self(words, &child) &&
                host_process_has_ended(child, true, &status) && status >= 0;
    flake->broken |= !good;
    for (size_t i = 0; words[i] != NULL; i++)
        free(words[i]);
    free(words);
    return good && status != SCRIPT_PASSED;
}

typedef struct Parting {
    char count[32], timer[64];
} Parting;

/* What a failing run left, of whichever of its machines. */
static bool read_parting(const Flake *flake, unsigned depth, Parting *parting) {
    char path[1024];
    bool good = failure_folder_find(flake->folder, "parted.txt", depth, false, path, sizeof(path));
    FILE *file = good ? fopen(path, "r") : NULL;
    good = file != NULL && fscanf(file, "%31s %63[^\n]", parting->count, parting->timer) == 2;
    if (file != NULL)
        fclose(file);
    return good;
}

static void tell_parting(Flake *flake) {
    Parting parting;
    int64_t end_ns = flake->guest_ns + NEAR_NS, back_ns = NEAR_NS;
    while (back_ns < end_ns && !fails_from(flake, end_ns - back_ns) && !flake->broken)
        back_ns *= 2;
    int64_t fails_ns = back_ns < end_ns ? end_ns - back_ns : 0;
    int64_t passes_ns = end_ns - back_ns / 2;
    if (fails_ns == 0 && !fails_from(flake, 0)) {
        fprintf(stderr,
                "  the clock's phase at power-on makes the difference, not an interrupt's time\n");
        return;
    }
    while (passes_ns - fails_ns > 1 && !flake->broken &&
           host_clock_ns() < flake->options->deadline_ns) {
        int64_t middle_ns = fails_ns + (passes_ns - fails_ns) / 2;
        if (fails_from(flake, middle_ns))
            fails_ns = middle_ns;
        else
            passes_ns = middle_ns;
    }
    if (!fails_from(flake, fails_ns) ||
        !(read_parting(flake, 1, &parting) || read_parting(flake, 2, &parting)))
        return;
    fprintf(stderr,
            "  a run with --perturb %llu passes; it fails if it goes on with seed %llu after "
            "instruction %s (timer '%s'):\n  reprise test --perturb %llu,then=%llu,after=%lld %s\n",
            (unsigned long long)flake->passing, (unsigned long long)flake->failing, parting.count,
            parting.timer, (unsigned long long)flake->passing, (unsigned long long)flake->failing,
            (long long)fails_ns, flake->file);
}

static void tell_flake(Flake *flake) {
    fprintf(
        stderr,
        "%s is flaky: %u of %u runs failed; this one does again: reprise test --perturb %llu %s\n",
        flake->file, flake->failures, flake->runs, (unsigned long long)flake->failing, flake->file);
    snprintf(flake->folder, sizeof(flake->folder), "/tmp/reprise-flake-XXXXXX");
    if (mkdtemp(flake->folder) == NULL)
        return;
    tell_parting(flake);
    failure_folder_remove(flake->folder);
}

static bool find_flake(const TestRun *run, unsigned sources, unsigned file, Flake *flake) {
    const TestOptions *options = run->options;
    bool passed = false;
    *flake = (Flake){.options = options, .file = options->files[file]};
    for (unsigned source = file; source < sources; source += (unsigned)options->file_count) {
        const TestOutcome *outcome = &run->outcomes[source];
        uint64_t seed = test_run_perturbation(options, source).seed;
        flake->runs += outcome->ran;
        if (outcome->ran && outcome->status == SCRIPT_PASSED && !passed) {
            passed = true;
            flake->passing = seed;
        } else if (outcome->ran && outcome->status != SCRIPT_PASSED) {
            if (flake->failures++ == 0) {
                flake->failing = seed;
                flake->guest_ns = outcome->guest_ns;
            }
        }
    }
    return passed && flake->failures > 0;
}

void flake_hunt(const TestRun *run, unsigned sources) {
    Flake flake;
    if (!run->options->perturbation.wanted || run->options->repeat < 2)
        return;
    for (int file = 0; file < run->options->file_count; file++)
        if (find_flake(run, sources, (unsigned)file, &flake))
            tell_flake(&flake);
}
