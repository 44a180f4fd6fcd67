/* Measures checkpoints of one booted guest, for state_bench.py: prints lines "NAME VALUE".
 *
 *   state_bench [--kernel FILE --initrd FILE --append TEXT] [--floppy FILE] [--memory MB]
 *               [--accel jit|interp] --ready TEXT [--type TEXT] [--loops N] [--instructions N]
 *               [--clones N] [--snapshots FILE]
 *
 * The guest runs until TEXT was on its serial port or its screen; --type then sends text to the
 * serial port, and a guest second passes. */
#define _GNU_SOURCE
#include "checkpoint.h"
#include "machine_clone.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "machine_wait.h"
#include "snapshot_of_machine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct Options {
    const char *kernel, *initrd, *append, *floppy, *ready, *type;
    const char *memory, *accel, *loops, *instructions, *clones, *snapshots;
} Options;

static const struct {
    const char *name;
    size_t offset;
} option_rows[] = {
    {"--kernel", offsetof(Options, kernel)}, {"--initrd", offsetof(Options, initrd)},
    {"--append", offsetof(Options, append)}, {"--floppy", offsetof(Options, floppy)},
    {"--ready", offsetof(Options, ready)},   {"--type", offsetof(Options, type)},
    {"--memory", offsetof(Options, memory)}, {"--accel", offsetof(Options, accel)},
    {"--loops", offsetof(Options, loops)},   {"--instructions", offsetof(Options, instructions)},
    {"--clones", offsetof(Options, clones)}, {"--snapshots", offsetof(Options, snapshots)},
};

typedef struct Bench {
    Options options;
    ByteBuffer serial;
    Machine *machine;
} Bench;

static void fail(const char *what, const Error *error) {
    fprintf(stderr, "state_bench: %s%s%s\n", what, error != NULL ? ": " : "",
            error != NULL ? error->message : "");
    exit(1);
}

static void parse_options(Options *options, char **arguments) {
    for (; *arguments != NULL; arguments += 2) {
        size_t row = 0;
        while (row < sizeof option_rows / sizeof option_rows[0] &&
               strcmp(option_rows[row].name, *arguments) != 0)
            row++;
        if (row == sizeof option_rows / sizeof option_rows[0] || arguments[1] == NULL)
            fail("bad arguments", NULL);
        memcpy((char *)options + option_rows[row].offset, &arguments[1], sizeof(char *));
    }
    if (options->ready == NULL)
        fail("--ready is missing", NULL);
}

static uint64_t number_of(const char *text, uint64_t otherwise) {
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static void note_serial(void *opaque, const uint8_t *data, size_t size) {
    byte_buffer_append(&((Bench *)opaque)->serial, data, size);
}

static MachineConfig describe(Bench *bench) {
    const Options *options = &bench->options;
    MachineConfig config;
    machine_config_init(&config);
    config.ram_bytes = number_of(options->memory, 128) << 20;
    config.icount = true;
    config.icount_shift = 3;
    config.translator.backend = options->accel != NULL && strcmp(options->accel, "interp") == 0
                                    ? BACKEND_PORTABLE
                                    : translator_default_backend();
    config.kernel = options->kernel;
    config.initrd = options->initrd;
    config.kernel_command_line = options->append;
    config.floppy[0].file = options->floppy;
    config.floppy[0].snapshot = true;
    config.snapshots_path = options->snapshots;
    config.has_serial[0] = true;
    config.serial[0] = (ByteSink){note_serial, bench};
    return config;
}

static bool is_ready(void *opaque) {
    Bench *bench = opaque;
    const char *ready = bench->options.ready;
    if (memmem(bench->serial.data, bench->serial.size, ready, strlen(ready)) != NULL)
        return true;
    ByteBuffer text = {.data = NULL};
    bool found = board_get_text(&bench->machine->board, &text) &&
                 memmem(text.data, text.size, ready, strlen(ready)) != NULL;
    byte_buffer_free(&text);
    return found;
}

static void pass_guest_time(Machine *machine, int64_t nanoseconds) {
    machine_run_until(machine, machine_guest_time_ns(machine) + nanoseconds, NS_PER_SECOND, NULL,
                      NULL);
}

static void boot(Bench *bench) {
    Error error = {.set = false};
    MachineConfig config = describe(bench);
    bench->machine = machine_create(&config, &error);
    if (bench->machine == NULL)
        fail("no machine", &error);
    int64_t start = host_clock_ns();
    if (machine_run_until(bench->machine, 600 * NS_PER_SECOND, NS_PER_SECOND / 10, is_ready,
                          bench) != WAIT_MET)
        fail("the guest does not get ready", NULL);
    pass_guest_time(bench->machine, NS_PER_SECOND);
    const char *type = bench->options.type;
    if (type != NULL) {
        machine_send_serial(bench->machine, 0, (const uint8_t *)type, strlen(type));
        pass_guest_time(bench->machine, NS_PER_SECOND);
    }
    printf("boot_ms %.0f\n", (double)(host_clock_ns() - start) / 1e6);
    printf("instructions %llu\n", (unsigned long long)bench->machine->cpu->state.instruction_count);
}

/* Of this thread on a processor: a busy host disturbs it least. */
static int64_t processor_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int compare_times(const void *a, const void *b) {
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static void print_times(const char *name, int64_t *times, uint64_t count) {
    qsort(times, count, sizeof *times, compare_times);
    printf("%s_ms_median %.4f\n", name, (double)times[count / 2] / 1e6);
    printf("%s_ms_99th %.4f\n", name, (double)times[count * 99 / 100] / 1e6);
    printf("%s_ms_worst %.4f\n", name, (double)times[count - 1] / 1e6);
}

static Checkpoint *take(Machine *machine) {
    Error error = {.set = false};
    Checkpoint *checkpoint = machine_checkpoint(machine, &error);
    if (checkpoint == NULL)
        fail("no checkpoint", &error);
    return checkpoint;
}

/* One after the other, with some work in between, each taken away again. */
static void measure_checkpoints(Machine *machine, uint64_t instructions) {
    enum { COUNT = 50 };
    int64_t times[COUNT];
    for (int i = 0; i < COUNT; i++) {
        machine_run_instructions(machine, instructions);
        int64_t start = processor_ns();
        Checkpoint *checkpoint = take(machine);
        times[i] = processor_ns() - start;
        checkpoint_free(checkpoint);
    }
    print_times("checkpoint", times, COUNT);
}

static void measure_restores(Machine *machine, uint64_t instructions, uint64_t loops) {
    Error error = {.set = false};
    int64_t *times = calloc(loops, sizeof *times), *runs = calloc(loops, sizeof *runs);
    Checkpoint *checkpoint = take(machine);
    uint64_t expected = 0, different = 0;
    size_t pages = 0;
    for (uint64_t i = 0; i <= loops; i++) {
        int64_t start = processor_ns();
        machine_run_instructions(machine, instructions);
        int64_t ran = processor_ns() - start;
        uint64_t hash = machine_state_hash(machine);
        pages = page_history_changed(machine->page_history);
        if (i == 0)
            expected = hash;
        different += hash != expected;
        start = processor_ns();
        if (!machine_restore(machine, checkpoint, &error))
            fail("no restore", &error);
        if (i > 0) {
            times[i - 1] = processor_ns() - start;
            runs[i - 1] = ran;
        }
    }
    printf("loops %llu\nloop_instructions %llu\npages_changed %zu\nhashes_different %llu\n",
           (unsigned long long)loops, (unsigned long long)instructions, pages,
           (unsigned long long)different);
    print_times("restore", times, loops);
    print_times("run", runs, loops);
    checkpoint_free(checkpoint);
    free(times);
    free(runs);
}

/* Into a file that holds nothing yet, then after a guest second each, and back. */
static void measure_snapshots(Machine *machine) {
    enum { COUNT = 5 };
    int64_t saves[COUNT], loads[COUNT];
    for (int i = 0; i < COUNT; i++) {
        Error error = {.set = false};
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        int64_t start = host_clock_ns();
        if (!machine_save_snapshot(machine, name, &error))
            fail("no snapshot", &error);
        saves[i] = host_clock_ns() - start;
        pass_guest_time(machine, NS_PER_SECOND);
        start = host_clock_ns();
        if (!machine_load_snapshot(machine, name, &error))
            fail("no snapshot", &error);
        loads[i] = host_clock_ns() - start;
        pass_guest_time(machine, NS_PER_SECOND);
    }
    printf("first_save_ms %.1f\n", (double)saves[0] / 1e6);
    print_times("save", saves + 1, COUNT - 1);
    print_times("load", loads, COUNT);
}

/* What a mapping of this process has of the host's memory: of guest memory, whose files are counted
 * for themselves, only the pages that are copies of its own. */
static uint64_t count_mappings(void) {
    char line[512];
    unsigned long long kilobytes, total = 0;
    bool is_guest = false;
    FILE *file = fopen("/proc/self/smaps", "r");
    if (file == NULL)
        fail("no /proc/self/smaps", NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strchr(line, '-') != NULL && strchr(line, '-') < strchr(line, ' '))
            is_guest = strstr(line, "reprise-memory") != NULL;
        if (sscanf(line, is_guest ? "Anonymous: %llu kB" : "Pss: %llu kB", &kilobytes) == 1)
            total += kilobytes;
    }
    fclose(file);
    return total << 10;
}

/* All pages of the files of guest memory, mapped or not, each file once: sealed ones are shared by
 * a base, its origin and its clones. */
static uint64_t count_guest_files(void) {
    enum { DESCRIPTORS = 4096 };
    static ino_t seen[DESCRIPTORS];
    unsigned count = 0;
    uint64_t total = 0;
    for (int descriptor = 0; descriptor < DESCRIPTORS; descriptor++) {
        char path[64], target[256] = "";
        struct stat info;
        bool known = false;
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        if (readlink(path, target, sizeof target - 1) < 0 ||
            strstr(target, "reprise-memory") == NULL || fstat(descriptor, &info) != 0)
            continue;
        for (unsigned i = 0; i < count; i++)
            known |= seen[i] == info.st_ino;
        if (known)
            continue;
        seen[count++] = info.st_ino;
        total += (uint64_t)info.st_blocks * 512;
    }
    return total;
}

static double used_mb(void) {
    return (double)(count_mappings() + count_guest_files()) / (1 << 20);
}

/* Clones that all live at once, each of which runs for a guest second. */
static void measure_clones(Bench *bench, uint64_t count) {
    Error error = {.set = false};
    MachineConfig config = describe(bench);
    config.serial[0] = (ByteSink){NULL, NULL};
    Machine **clones = calloc(count, sizeof *clones);
    int64_t *times = calloc(count, sizeof *times);
    double before = used_mb();
    int64_t start = processor_ns();
    CloneBase *base = clone_base_create(bench->machine, &error);
    if (base == NULL)
        fail("no base for clones", &error);
    printf("clone_base_ms %.3f\n", (double)(processor_ns() - start) / 1e6);
    for (uint64_t i = 0; i < count; i++) {
        start = processor_ns();
        clones[i] = machine_create_clone(base, &config, &error);
        if (clones[i] == NULL)
            fail("no clone", &error);
        times[i] = processor_ns() - start;
    }
    print_times("clone", times, count);
    double made = used_mb();
    for (uint64_t i = 0; i < count; i++)
        pass_guest_time(clones[i], NS_PER_SECOND);
    printf("clones %llu\nbefore_clones_mb %.1f\nclones_made_mb %.1f\nclones_run_mb %.1f\n",
           (unsigned long long)count, before, made, used_mb());
    for (uint64_t i = 0; i < count; i++)
        machine_destroy(clones[i]);
    clone_base_release(base);
    free(clones);
    free(times);
}

int main(int count, char **arguments) {
    (void)count;
    Bench bench = {.options = {.kernel = NULL}};
    parse_options(&bench.options, arguments + 1);
    uint64_t instructions = number_of(bench.options.instructions, 1000000);
    boot(&bench);
    measure_checkpoints(bench.machine, instructions);
    measure_restores(bench.machine, instructions, number_of(bench.options.loops, 1000));
    if (bench.options.snapshots != NULL)
        measure_snapshots(bench.machine);
    if (bench.options.clones != NULL)
        measure_clones(&bench, number_of(bench.options.clones, 0));
    machine_destroy(bench.machine);
    byte_buffer_free(&bench.serial);
    return 0;
}
