#include "migration.h"
#include "allocate.h"
#include "machine_parts.h"
#include "migration_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t migration_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Parameters ---- */

#define ROW(name, member, least, most, unit)                                                       \
    { name, offsetof(MigrationParameters, member), least, most, unit }

// clang-format off
const MigrationParameterRow migration_parameter_rows[] = {
    ROW("max-bandwidth", max_bandwidth, 0, INT64_MAX, " bytes/second"),
    ROW("downtime-limit", downtime_limit, 0, 2000000, " ms"),
    ROW("throttle-trigger-threshold", throttle_trigger_threshold, 1, 100, ""),
    ROW("cpu-throttle-initial", cpu_throttle_initial, 1, 99, ""),
    ROW("cpu-throttle-increment", cpu_throttle_increment, 1, 99, ""),
    ROW("max-cpu-throttle", max_cpu_throttle, 1, 99, ""),
    {NULL, 0, 0, 0, NULL},
};

const MigrationParameterRow migration_capability_rows[] = {
    ROW("auto-converge", auto_converge, 0, 1, ""),
    ROW("return-path", return_path, 0, 1, ""),
    {NULL, 0, 0, 0, NULL},
};
// clang-format on

static const MigrationParameters defaults = {
    .max_bandwidth = 128 << 20,
    .downtime_limit = 300,
    .cpu_throttle_initial = 20,
    .cpu_throttle_increment = 10,
    .max_cpu_throttle = 99,
    .throttle_trigger_threshold = 50,
    .return_path = 1,
};

int64_t *migration_parameter(MigrationParameters *parameters, const MigrationParameterRow *row) {
    return (int64_t *)(void *)((char *)parameters + row->offset);
}

MigrationParameters migration_parameters(Migration *migration) {
    pthread_mutex_lock(&migration->lock);
    MigrationParameters parameters = migration->parameters;
    pthread_mutex_unlock(&migration->lock);
    return parameters;
}

void migration_set_parameters(Migration *migration, const MigrationParameters *parameters) {
    pthread_mutex_lock(&migration->lock);
    migration->parameters = *parameters;
    pthread_mutex_unlock(&migration->lock);
}

/* ---- The thread ---- */

static void set_status(Migration *migration, const char *status) {
    migration->status = status;
    if (migration->observer.changed != NULL)
        migration->observer.changed(migration->observer.opaque, status, 0);
}

static void *move(void *opaque) {
    Migration *migration = opaque;
    if (migration->incoming)
        migration_receive_machine(migration);
    else
        migration_send_machine(migration);
    __atomic_store_n(&migration->done, true, __ATOMIC_RELEASE);
    event_loop_wake(migration->loop);
    return NULL;
}

static bool start_thread(Migration *migration, Error *error) {
    migration->thread_wanted = false;
    migration->start_ms = migration_now_ms(); /* the thread looks at it */
    int failure = pthread_create(&migration->thread, NULL, move, migration);
    migration->has_thread = failure == 0;
    return failure == 0 || error_set(error, "no thread: %s", strerror(failure));
}

static void begin(Migration *migration, bool incoming) {
    migration->incoming = incoming;
    migration->tried = true;
    migration->done = migration->cancelled = migration->is_doubted = false;
    migration->error = (Error){.set = false};
    migration->progress = (MigrationProgress){.sent = 0};
    migration->told_rounds = 0;
    migration->total_ms = 0;
}

bool migration_start(Migration *migration, const MigrationRequest *request, Error *error) {
    RunState state = machine_run_state(migration->machine);
    if (migration->has_thread)
        return error_set(error, "There's a migration process in progress");
    if (state == RUN_STATE_INMIGRATE)
        return error_set(error, "Guest is waiting for an incoming migration");
    begin(migration, false);
    migration->sends_disks = request->disks;
    set_status(migration, "setup");
    if (migration_channel_open(&migration->channel, request->address, request->file, false,
                               &migration->cancelled, error) &&
        start_thread(migration, error)) {
        set_status(migration, "active");
        return true;
    }
    migration_channel_close(&migration->channel);
    migration->error = *error;
    set_status(migration, "failed");
    return false;
}

static bool prepare_arrival(Migration *migration, const MigrationRequest *request, Error *error) {
    begin(migration, true);
    if (migration_channel_open(&migration->channel, request->address, request->file, true,
                               &migration->cancelled, error)) {
        set_status(migration, "setup");
        migration->thread_wanted = true;
        event_loop_wake(migration->loop); /* it is begun when the machine runs */
        return true;
    }
    migration_channel_close(&migration->channel);
    migration->tried = false;
    return false;
}

static bool start_arrival(Migration *migration, Error *error) {
    if (!start_thread(migration, error))
        return false;
    set_status(migration, "active");
    return true;
}

bool migration_receive(Migration *migration, const MigrationRequest *request, Error *error) {
    if (!migration->deferred)
        return error_set(error, "'-incoming defer' was not specified on the command line");
    if (migration_has_arrival(migration))
        return error_set(error, "The incoming migration has already been started");
    return prepare_arrival(migration, request, error) && start_arrival(migration, error);
}

bool migration_has_arrival(const Migration *migration) {
    return migration->tried && migration->incoming;
}

void migration_start_afterwards(Migration *migration) {
    __atomic_store_n(&migration->starts_itself, true, __ATOMIC_RELEASE);
}

void migration_cancel(Migration *migration) {
    if (!migration->has_thread || migration->incoming || migration_is_cancelled(migration))
        return;
    __atomic_store_n(&migration->cancelled, true, __ATOMIC_RELEASE);
    set_status(migration, "cancelling");
}

/* ---- Beginning and end ---- */

Migration *migration_create(Machine *machine, EventLoop *loop, const char *incoming, Error *error) {
    Migration *migration = allocate_zeroed(sizeof(*migration));
    migration->machine = machine;
    migration->loop = loop;
    migration->channel = (MigrationChannel){.fd = -1, .listener = -1};
    migration->parameters = defaults;
    pthread_mutex_init(&migration->lock, NULL);
    if (incoming == NULL || machine == NULL)
        return migration;
    MigrationRequest request = {.address = incoming, .file = -1};
    migration->starts_itself = !machine->config.start_paused;
    migration->deferred = strcmp(incoming, "defer") == 0;
    machine->config.start_paused = true;
    machine_set_run_state(machine, RUN_STATE_INMIGRATE);
    if (migration->deferred || prepare_arrival(migration, &request, error))
        return migration;
    error_prefix(error, "-incoming: ");
    migration_free(migration);
    return NULL;
}

void migration_observe(Migration *migration, const MigrationObserver *observer) {
    migration->observer = *observer;
}

static void end_thread(Migration *migration) {
    pthread_join(migration->thread, NULL);
    migration->has_thread = false;
    migration->total_ms = migration_now_ms() - migration->start_ms;
    migration_channel_close(&migration->channel);
}

void migration_free(Migration *migration) {
    if (migration == NULL)
        return;
    __atomic_store_n(&migration->abandoned, true, __ATOMIC_RELEASE);
    __atomic_store_n(&migration->cancelled, true, __ATOMIC_RELEASE);
    if (migration->has_thread)
        end_thread(migration);
    migration_channel_close(&migration->channel);
    pthread_mutex_destroy(&migration->lock);
    free(migration);
}

static void tell_rounds(Migration *migration) {
    pthread_mutex_lock(&migration->lock);
    uint64_t rounds = migration->progress.rounds;
    pthread_mutex_unlock(&migration->lock);
    while (migration->told_rounds < rounds) {
        migration->told_rounds++;
        if (migration->observer.changed != NULL)
            migration->observer.changed(migration->observer.opaque, NULL, migration->told_rounds);
    }
}

bool migration_serve(Migration *migration, Error *error) {
    if (migration->thread_wanted && !start_arrival(migration, error))
        return false;
    if (!migration->has_thread)
        return true;
    bool done = __atomic_load_n(&migration->done, __ATOMIC_ACQUIRE);
    if (!migration->incoming)
        tell_rounds(migration);
    if (!done)
        return true;
    end_thread(migration);
    bool cancelled =
        migration->error.set && migration_is_cancelled(migration) && !migration->is_doubted;
    set_status(migration, !migration->error.set ? "completed" : cancelled ? "cancelled" : "failed");
    if (!migration->incoming || !migration->error.set || migration->is_doubted)
        return true;
    *error = migration->error;
    return error_prefix(error, "-incoming: ");
}

MigrationInfo migration_info(Migration *migration) {
    pthread_mutex_lock(&migration->lock);
    MigrationProgress progress = migration->progress;
    pthread_mutex_unlock(&migration->lock);
    const MigrationCounts *counts = &progress.counts;
    MigrationInfo info = {
        .tried = migration->tried,
        .incoming = migration->incoming,
        .status = migration->status,
        .total_ms =
            migration->has_thread ? migration_now_ms() - migration->start_ms : migration->total_ms,
        .downtime_ms = progress.downtime_ms,
        .expected_downtime_ms = progress.expected_downtime_ms,
        .setup_ms = progress.setup_ms,
        .ram_total = (uint64_t)physical_map_region_pages(migration->machine->memory) * PAGE_SIZE,
        .ram_sent = (counts->pages + counts->zero_pages) * PAGE_SIZE,
        .ram_left = counts->waiting_bytes,
        .pages = counts->pages,
        .zero_pages = counts->zero_pages,
        .rounds = progress.rounds,
        .dirty_pages_rate = progress.dirty_pages_rate,
        .sent = progress.sent,
        .megabits = progress.megabits,
        .sends_disks = migration->sends_disks && !migration->incoming,
        .disk_total = counts->disk_total_bytes,
        .disk_sent = counts->disk_bytes,
        .disk_left = counts->disk_waiting_bytes,
        .throttle_percent = progress.throttle_percent,
    };
    if (!migration->has_thread) /* else it is the thread's */
        info.error = migration->error;
    return info;
}
