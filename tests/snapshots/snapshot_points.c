/* Snapshots at random instructions of a run, for snapshot_points.py:
 *
 *   snapshot_points reference NUMBERS OPTIONS...     prints the hash FURTHER instructions after
 *                                                    each point of a run that is never saved
 *   snapshot_points save NUMBERS OPTIONS...          saves one at each point, as p0, p1, ...
 *   snapshot_points resume INDEX NUMBERS OPTIONS...  loads one, runs on, prints the hash
 *
 * With REPRISE_DEVICES set each also prints the hash of every device, to standard error.
 *
 * NUMBERS: how many points, seed, first instruction, span, further instructions, keys ("a,b,ret",
 * again and again, one each KEY_INTERVAL instructions; "-" for none). OPTIONS are those of
 * 'reprise'. */
#include "command_line.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "snapshot_of_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_INTERVAL 5000000u
#define KEY_HOLD_MS 30

typedef struct Stop {
    uint64_t count; /* instructions */
    uint32_t point;
    bool is_end;
} Stop;

typedef struct Plan {
    uint32_t points;
    uint64_t seed, from, span, further;
    const char *keys;
    Stop *stops;
} Plan;

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int compare_stops(const void *a, const void *b) {
    const Stop *one = a, *other = b;
    return (one->count > other->count) - (one->count < other->count);
}

static void make_plan(Plan *plan, char **words) {
    plan->points = (uint32_t)strtoul(words[0], NULL, 0);
    plan->seed = strtoull(words[1], NULL, 0) * 0x9E3779B97F4A7C15u + 1;
    plan->from = strtoull(words[2], NULL, 0);
    plan->span = strtoull(words[3], NULL, 0);
    plan->further = strtoull(words[4], NULL, 0);
    plan->keys = strcmp(words[5], "-") == 0 ? "" : words[5];
    plan->stops = calloc(2 * plan->points, sizeof(Stop));
    for (uint32_t i = 0; i < plan->points; i++) {
        uint64_t at = plan->from + next_random(&plan->seed) % plan->span;
        plan->stops[2 * i] = (Stop){at, i, false};
        plan->stops[2 * i + 1] = (Stop){at + plan->further, i, true};
    }
}

/* The 'index'th key of the list, which is gone through again and again. */
static void press_key(Machine *machine, const char *keys, uint64_t index) {
    char list[256], *word, *rest = NULL;
    uint64_t count = 1;
    for (const char *at = keys; *at != 0; at++)
        count += *at == ',';
    snprintf(list, sizeof(list), "%s", keys);
    word = strtok_r(list, ",", &rest);
    for (uint64_t i = index % count; i > 0 && word != NULL; i--)
        word = strtok_r(NULL, ",", &rest);
    int key = word != NULL ? keyboard_key_find(word) : -1;
    if (key >= 0)
        machine_press_keys(machine, &key, 1, KEY_HOLD_MS);
}

/* Runs until so many instructions are done; false if the guest does not get there. */
static bool run_to(Machine *machine, const Plan *plan, uint64_t count) {
    uint64_t now;
    while ((now = machine->cpu->state.instruction_count) < count) {
        uint64_t next_key = (now / KEY_INTERVAL + 1) * KEY_INTERVAL;
        uint64_t end = next_key < count ? next_key : count;
        if (machine_run_instructions(machine, end - now) != end - now)
            return false;
        if (end == next_key)
            press_key(machine, plan->keys, end / KEY_INTERVAL);
    }
    return true;
}

/* Where hashes differ: whose state it is. */
static void tell_devices(Machine *machine, uint32_t point) {
    if (getenv("REPRISE_DEVICES") == NULL)
        return;
    for (int i = 0; i < machine->devices.count; i++) {
        DeviceList one = {.count = 1};
        one.entries[0] = machine->devices.entries[i];
        fprintf(stderr, "%u %s %016llx\n", point, one.entries[0].id,
                (unsigned long long)device_list_hash(&one));
    }
}

static void tell(Machine *machine, uint32_t point) {
    printf("%u %016llx\n", point, (unsigned long long)machine_state_hash(machine));
    tell_devices(machine, point);
}

static bool save_point(Machine *machine, uint32_t point, Error *error) {
    char name[32];
    snprintf(name, sizeof(name), "p%u", point);
    return machine_save_snapshot(machine, name, error);
}

static bool run_plan(Machine *machine, Plan *plan, bool save, Error *error) {
    qsort(plan->stops, 2 * plan->points, sizeof(Stop), compare_stops);
    for (uint32_t i = 0; i < 2 * plan->points; i++) {
        const Stop *stop = &plan->stops[i];
        if (!run_to(machine, plan, stop->count))
            return error_set(error, "the guest ended before instruction %llu",
                             (unsigned long long)stop->count);
        if (stop->is_end)
            tell(machine, stop->point);
        else if (save && !save_point(machine, stop->point, error))
            return false;
    }
    return true;
}

static bool resume(Machine *machine, const Plan *plan, uint32_t point, Error *error) {
    char name[32];
    snprintf(name, sizeof(name), "p%u", point);
    if (!machine_load_snapshot(machine, name, error))
        return false;
    if (machine->cpu->state.instruction_count != plan->stops[2 * point].count)
        return error_set(error, "p%u was loaded at the wrong instruction", point);
    if (!run_to(machine, plan, plan->stops[2 * point + 1].count))
        return error_set(error, "the guest ended");
    tell(machine, point);
    return true;
}

int main(int argc, char **argv) {
    Error error = {.set = false};
    Settings settings;
    Plan plan;
    bool is_resume = argc > 2 && strcmp(argv[1], "resume") == 0;
    int numbers = is_resume ? 3 : 2, options = numbers + 6;
    if (argc < options) {
        fprintf(stderr, "usage: see the head of snapshot_points.c\n");
        return 2;
    }
    make_plan(&plan, argv + numbers);
    settings_init(&settings);
    bool good = command_line_parse(&settings, argc - options + 1, argv + options - 1, &error);
    Machine *machine = good ? machine_create(&settings.machine, &error) : NULL;
    if (machine != NULL)
        good = is_resume ? resume(machine, &plan, (uint32_t)strtoul(argv[2], NULL, 0), &error)
                         : run_plan(machine, &plan, strcmp(argv[1], "save") == 0, &error);
    machine_destroy(machine);
    settings_free(&settings);
    free(plan.stops);
    if (error.set)
        fprintf(stderr, "snapshot_points: %s\n", error.message);
    return error.set ? 1 : 0;
}
