/* Measures snapshots in a file: prints lines "NAME VALUE".
 *
 *   snapshot_bench FILE INSTRUCTIONS OPTIONS...
 *
 * The guest that the options of 'reprise' describe runs so many instructions; then it is saved to
 * FILE, which is removed at the end, and loaded. Time is counted by the host's clock, so the host
 * should have nothing else to do. */
#include "command_line.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "snapshot_of_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 10

static void fail(const Error *error) {
    fprintf(stderr, "snapshot_bench: %s\n", error->message);
    exit(1);
}

static Machine *create(const Settings *settings) {
    Error error = {.set = false};
    Machine *machine = machine_create(&settings->machine, &error);
    if (machine == NULL)
        fail(&error);
    return machine;
}

static double save(Machine *machine, const char *name) {
    Error error = {.set = false};
    int64_t start = host_clock_ns();
    if (!machine_save_snapshot(machine, name, &error))
        fail(&error);
    return (double)(host_clock_ns() - start) / 1e6;
}

static double load(Machine *machine, const char *name) {
    Error error = {.set = false};
    int64_t start = host_clock_ns();
    if (!machine_load_snapshot(machine, name, &error))
        fail(&error);
    return (double)(host_clock_ns() - start) / 1e6;
}

static int compare(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static void print_median(const char *name, double *times) {
    qsort(times, ROUNDS, sizeof(*times), compare);
    printf("%s_ms_median %.2f\n%s_ms_best %.2f\n", name, times[ROUNDS / 2], name, times[0]);
}

/* Into an empty file, and beside a snapshot that has nearly all pages already. */
static void measure_saves(Machine *machine, const char *path) {
    double first[ROUNDS], next[ROUNDS];
    struct stat status;
    for (int i = 0; i < ROUNDS; i++) {
        unlink(path);
        first[i] = save(machine, "first");
        machine_run_instructions(machine, 1000000);
        next[i] = save(machine, "next");
    }
    print_median("save", first);
    print_median("save_again", next);
    if (stat(path, &status) == 0)
        printf("file_mb %.1f\n", (double)status.st_size / (1 << 20));
}

static void measure_loads(Machine *machine, const Settings *settings) {
    double used[ROUNDS], fresh[ROUNDS];
    load(machine, "first");
    uint64_t expected = machine_state_hash(machine), different = 0;
    for (int i = 0; i < ROUNDS; i++) {
        machine_run_instructions(machine, 1000000);
        used[i] = load(machine, "first");
        Machine *other = create(settings);
        fresh[i] = load(other, "first");
        different += machine_state_hash(machine) != expected;
        different += machine_state_hash(other) != expected;
        machine_destroy(other);
    }
    print_median("load", used);
    print_median("load_fresh", fresh);
    printf("hashes_different %llu\n", (unsigned long long)different);
}

int main(int argc, char **argv) {
    Error error = {.set = false};
    Settings settings;
    settings_init(&settings);
    if (argc < 3 || !command_line_parse(&settings, argc - 2, argv + 2, &error)) {
        fprintf(stderr, "usage: snapshot_bench FILE INSTRUCTIONS OPTIONS...\n%s\n", error.message);
        return 2;
    }
    settings.machine.snapshots_path = argv[1];
    Machine *machine = create(&settings);
    machine_run_instructions(machine, strtoull(argv[2], NULL, 0));
    measure_saves(machine, argv[1]);
    measure_loads(machine, &settings);
    machine_destroy(machine);
    settings_free(&settings);
    unlink(argv[1]);
    return 0;
}
