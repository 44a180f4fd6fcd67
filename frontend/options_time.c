#define _GNU_SOURCE
#include "host_string.h"
#include "key_values.h"
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

bool option_icount(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    uint64_t shift = 0;
    bool sleep;
    bool good = key_values_parse(&values, argument, "shift", error);
    const char *given = key_values_get(&values, "shift");
    if (good && given != NULL && strcmp(given, "off") == 0) {
        settings->machine.icount = false;
        good = key_values_check_used(&values, "shift", error);
        key_values_free(&values);
        return good;
    }
    if (good && given != NULL && strcmp(given, "auto") == 0)
        good = error_set(error, "shift=auto is not exact; give a number from 0 to %d",
                         MACHINE_ICOUNT_SHIFT_MAX);
    good = good && key_values_get_number(&values, "shift", 0, &shift, error) &&
           key_values_get_bool(&values, "sleep", false, &sleep, error) &&
           key_values_check_used(&values, "shift sleep", error);
    if (good && shift > MACHINE_ICOUNT_SHIFT_MAX)
        good = error_set(error, "shift is a number from 0 to %d", MACHINE_ICOUNT_SHIFT_MAX);
    key_values_free(&values);
    settings->machine.icount = true;
    settings->machine.icount_shift = (unsigned)shift;
    return good;
}

/* "2006-06-17T16:01:21" or "2006-06-17" as seconds since 1970 in universal time. */
static bool parse_date(const char *text, int64_t *seconds) {
    struct tm date = {.tm_mday = 1};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &date);
    if (end == NULL) {
        date = (struct tm){.tm_mday = 1};
        end = strptime(text, "%Y-%m-%d", &date);
    }
    if (end == NULL || *end != '\0')
        return false;
    *seconds = timegm(&date);
    return true;
}

static bool set_base(MachineConfig *machine, const char *base, Error *error) {
    if (base == NULL || strcmp(base, "utc") == 0) {
        machine->rtc_base = RTC_BASE_UTC;
    } else if (strcmp(base, "localtime") == 0) {
        machine->rtc_base = RTC_BASE_LOCALTIME;
    } else if (parse_date(base, &machine->rtc_seconds)) {
        machine->rtc_base = RTC_BASE_SECONDS;
    } else {
        return error_set(error, "base is utc, localtime or a date as 1999-12-31T23:59:00, not '%s'",
                         base);
    }
    return true;
}

/* Whether the clock goes on while the machine is paused, as the host's does. That one, not the
 * host's timer, also tells how long ago a snapshot was saved. */
static bool set_clock(MachineConfig *machine, const char *clock, Error *error) {
    if (clock == NULL)
        return true;
    bool is_host = strcmp(clock, "host") == 0 || strcmp(clock, "rt") == 0;
    if (!is_host && strcmp(clock, "vm") != 0)
        return error_set(error, "clock is host, rt or vm, not '%s'", clock);
    machine->rtc_runs_on = is_host;
    machine->rtc_catches_up = strcmp(clock, "host") == 0;
    return true;
}

/* No tick of the clock is ever lost that would have to be given later. */
static bool check_drift_fix(const char *word, Error *error) {
    return word == NULL || strcmp(word, "none") == 0 || strcmp(word, "slew") == 0 ||
           error_set(error, "driftfix is none or slew, not '%s'", word);
}

bool option_rtc(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, NULL, error) &&
                set_base(&settings->machine, key_values_get(&values, "base"), error) &&
                set_clock(&settings->machine, key_values_get(&values, "clock"), error) &&
                check_drift_fix(key_values_get(&values, "driftfix"), error);
    good = good && key_values_check_used(&values, "base clock driftfix", error);
    key_values_free(&values);
    return good;
}

/* "SEED", or "SEED,then=SEED,after=NANOSECONDS" as a flaky test's report has it. */
bool perturbation_read(ClockPerturbation *perturbation, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    uint64_t seed = 0, then = 0, after = 0;
    bool good = key_values_parse(&values, argument, "seed", error) &&
                key_values_get_number(&values, "seed", 0, &seed, error) &&
                key_values_get_number(&values, "then", seed, &then, error) &&
                key_values_get_number(&values, "after", 0, &after, error);
    bool parts = good && key_values_get(&values, "then") != NULL;
    good = good && key_values_check_used(&values, "seed then after", error);
    key_values_free(&values);
    *perturbation = (ClockPerturbation){seed, then, parts ? (int64_t)after : TIMER_NEVER, true};
    return good && (after <= INT64_MAX / 2 || error_set(error, "after= is too late"));
}

void perturbation_print(const ClockPerturbation *perturbation, char text[PERTURBATION_TEXT_BYTES]) {
    int size =
        snprintf(text, PERTURBATION_TEXT_BYTES, "%llu", (unsigned long long)perturbation->seed);
    if (perturbation->then_ns != TIMER_NEVER)
        snprintf(text + size, (size_t)(PERTURBATION_TEXT_BYTES - size), ",then=%llu,after=%lld",
                 (unsigned long long)perturbation->then_seed, (long long)perturbation->then_ns);
}

/* 8 ns an instruction, where icount's own option says nothing else. */
#define PERTURBED_SHIFT 3

bool option_perturb(Settings *settings, const char *argument, Error *error) {
    if (!settings->machine.icount)
        settings->machine.icount_shift = PERTURBED_SHIFT;
    settings->machine.icount = true;
    return perturbation_read(&settings->machine.perturbation, argument, error);
}
