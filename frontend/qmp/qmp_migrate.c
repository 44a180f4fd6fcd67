/* A state that goes out to a descriptor or a program's input, or comes in from there: 'migrate' and
 * '-incoming', as libvirt saves and restores machines by. The bytes are moved by a thread of their
 * own; everything else happens on the main thread, when that thread has ended. */
#define _GNU_SOURCE
#include "qmp_migrate.h"
#include "state_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 100 /* how often a thread looks whether it is to end */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_status(QmpServer *server, const char *status) {
    server->migration.status = status;
    if (server->migration_events)
        qmp_send_event(server, "MIGRATION", qmp_pack("status:s", status));
}

static bool is_under_way(const QmpServer *server) {
    return server->migration.has_thread;
}

/* ---- The thread ---- */

static bool is_cancelled(QmpMigration *migration) {
    return __atomic_load_n(&migration->cancelled, __ATOMIC_ACQUIRE);
}

/* False: it is to end. */
static bool wait_for(QmpMigration *migration, short events) {
    struct pollfd ready = {.fd = migration->fd, .events = events};
    while (!is_cancelled(migration)) {
        int count = poll(&ready, 1, LOOK_MS);
        if (count > 0)
            return true;
        if (count < 0 && errno != EINTR)
            return error_set(&migration->error, "poll: %s", strerror(errno));
    }
    return error_set(&migration->error, "it was cancelled");
}

static void send_all(QmpMigration *migration) {
    const ByteBuffer *bytes = &migration->bytes;
    size_t sent = 0;
    while (sent < bytes->size && wait_for(migration, POLLOUT)) {
        ssize_t count = write(migration->fd, bytes->data + sent, bytes->size - sent);
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            error_set(&migration->error, "cannot write the state: %s", strerror(errno));
            break;
        }
        sent += count > 0 ? (size_t)count : 0;
        __atomic_store_n(&migration->moved, sent, __ATOMIC_RELAXED);
    }
}

static void receive_all(QmpMigration *migration) {
    static const size_t part_bytes = 1 << 16;
    uint8_t *part = malloc(part_bytes);
    ssize_t count = 1;
    while (part != NULL && count != 0 && wait_for(migration, POLLIN)) {
        count = read(migration->fd, part, part_bytes);
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            error_set(&migration->error, "cannot read the state: %s", strerror(errno));
            break;
        }
        if (count <= 0)
            continue;
        byte_buffer_append(&migration->bytes, part, (size_t)count);
        if (migration->bytes.size > migration->bytes_max) {
            error_set(&migration->error, "the state is too large for this machine");
            break;
        }
        __atomic_store_n(&migration->moved, migration->bytes.size, __ATOMIC_RELAXED);
    }
    free(part);
}

/* The program at the other end has all there is when it ends; one that is given up is killed. */
static void wait_for_program(QmpMigration *migration) {
    const struct timespec pause = {.tv_nsec = 10000000};
    int status = 0;
    close(migration->fd);
    migration->fd = -1;
    while (migration->child > 0 && waitpid(migration->child, &status, WNOHANG) == 0) {
        if (is_cancelled(migration))
            kill(migration->child, SIGKILL);
        nanosleep(&pause, NULL);
    }
    if (is_cancelled(migration))
        error_set(&migration->error, "it was cancelled");
    else if (status != 0)
        error_set(&migration->error, "the program at the other end failed");
}

static void *move(void *opaque) {
    QmpServer *server = opaque;
    QmpMigration *migration = &server->migration;
    if (migration->incoming)
        receive_all(migration);
    else
        send_all(migration);
    wait_for_program(migration);
    __atomic_store_n(&migration->done, true, __ATOMIC_RELEASE);
    event_loop_wake(&server->program->loop);
    return NULL;
}

static bool start_thread(QmpServer *server, Error *error) {
    QmpMigration *migration = &server->migration;
    fcntl(migration->fd, F_SETFL, fcntl(migration->fd, F_GETFL) | O_NONBLOCK);
    migration->start_ms = now_ms();
    int failure = pthread_create(&migration->thread, NULL, move, server);
    if (failure != 0)
        return error_set(error, "no thread: %s", strerror(failure));
    return migration->has_thread = true;
}

/* ---- Where to ---- */

/* "exec:COMMAND": a pipe to or from a program. */
static int open_program(QmpServer *server, const char *command, Error *error) {
    QmpMigration *migration = &server->migration;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set(error, "cannot make a pipe: %s", strerror(errno));
        return -1;
    }
    int own = migration->incoming ? 0 : 1;
    char *const words[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1 - own], migration->incoming ? 1 : 0);
    int failure = posix_spawn(&migration->child, "/bin/sh", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1 - own]);
    if (failure == 0)
        return ends[own];
    migration->child = 0;
    close(ends[own]);
    error_set(error, "cannot start '%.100s': %s", command, strerror(failure));
    return -1;
}

static int open_descriptor(QmpServer *server, const char *name, Error *error) {
    char *end;
    long number = strtol(name, &end, 10);
    bool is_number = end != name && *end == '\0' && number >= 0 && number <= 0xFFFF;
    int fd = is_number ? (int)number : qmp_take_file(server, name);
    if (fd >= 0 && fcntl(fd, F_GETFD) >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        return fd;
    }
    error_set(error, "File descriptor named '%.100s' has not been found", name);
    return -1;
}

static bool open_address(QmpServer *server, const char *address, Error *error) {
    QmpMigration *migration = &server->migration;
    if (strncmp(address, "fd:", 3) == 0)
        migration->fd = open_descriptor(server, address + 3, error);
    else if (strncmp(address, "exec:", 5) == 0)
        migration->fd = open_program(server, address + 5, error);
    else
        return error_set(error, "Parameter 'uri' expects fd:NAME or exec:COMMAND, not '%.100s'",
                         address);
    return migration->fd >= 0;
}

static void begin(QmpServer *server, bool incoming) {
    byte_buffer_free(&server->migration.bytes);
    server->migration = (QmpMigration){.incoming = incoming, .fd = -1, .tried = true};
}

/* ---- Out ---- */

typedef struct Departure {
    QmpServer *server;
    Error error;
    bool good;
} Departure;

static void take_state(void *opaque) {
    Departure *departure = opaque;
    Machine *machine = departure->server->program->machine;
    QmpMigration *migration = &departure->server->migration;
    migration->was_running = machine->run_state == RUN_STATE_RUNNING;
    if (migration->was_running)
        machine_set_run_state(machine, RUN_STATE_PAUSED);
    departure->good = state_stream_save(machine, &migration->bytes, &departure->error);
    if (!departure->good && migration->was_running)
        machine_set_run_state(machine, RUN_STATE_RUNNING);
}

static bool fail_departure(QmpCall *call, const Error *error) {
    QmpMigration *migration = &call->server->migration;
    set_status(call->server, "failed");
    migration->error = *error;
    if (migration->fd >= 0)
        close(migration->fd);
    return qmp_fail(call, QMP_GENERIC_ERROR, "%s", error->message);
}

bool qmp_migrate(QmpCall *call) {
    QmpServer *server = call->server;
    RunState state = machine_run_state(call->machine);
    Error error = {.set = false};
    if (is_under_way(server))
        return qmp_fail(call, QMP_GENERIC_ERROR, "There's a migration process in progress");
    if (state == RUN_STATE_INMIGRATE)
        return qmp_fail(call, QMP_GENERIC_ERROR, "Guest is waiting for an incoming migration");
    begin(server, false);
    set_status(server, "setup");
    if (!open_address(server, qmp_get_string(call, "uri"), &error))
        return fail_departure(call, &error);
    set_status(server, "active");
    Departure departure = {.server = server};
    machine_call(call->machine, take_state, &departure);
    if (!departure.good || !start_thread(server, &departure.error))
        return fail_departure(call, &departure.error);
    return true;
}

static void leave_machine(void *opaque) {
    machine_set_run_state(opaque, RUN_STATE_POSTMIGRATE);
}

static void finish_departure(QmpServer *server) {
    QmpMigration *migration = &server->migration;
    if (!migration->error.set) {
        machine_call(server->program->machine, leave_machine, server->program->machine);
        set_status(server, "completed");
        return;
    }
    if (migration->was_running)
        machine_continue(server->program->machine, NULL);
    set_status(server, is_cancelled(migration) ? "cancelled" : "failed");
}

/* ---- In ---- */

static bool start_arrival(QmpServer *server, const char *address, Error *error) {
    begin(server, true);
    server->migration.bytes_max =
        server->program->machine->config.ram_bytes * 5 / 4 + STATE_STREAM_BYTES_BESIDE_MEMORY;
    set_status(server, "setup");
    if (!open_address(server, address, error) || !start_thread(server, error)) {
        server->migration.tried = false;
        return false;
    }
    set_status(server, "active");
    return true;
}

bool qmp_migrate_incoming(QmpCall *call) {
    if (call->program->settings->incoming == NULL)
        return qmp_fail(call, QMP_GENERIC_ERROR,
                        "'-incoming' was not specified on the command line");
    if (server_has_arrival(call->server))
        return qmp_fail(call, QMP_GENERIC_ERROR, "The incoming migration has already been started");
    return start_arrival(call->server, qmp_get_string(call, "uri"), &call->error);
}

static void take_over(void *opaque) {
    QmpServer *server = opaque;
    QmpMigration *migration = &server->migration;
    Machine *machine = server->program->machine;
    if (state_stream_load(machine, migration->bytes.data, migration->bytes.size, &migration->error))
        machine_set_run_state(machine,
                              server->starts_itself ? RUN_STATE_RUNNING : RUN_STATE_PAUSED);
}

/* Who waits for a state has nothing to go on with. */
static void finish_arrival(QmpServer *server) {
    QmpMigration *migration = &server->migration;
    if (!migration->error.set)
        machine_call(server->program->machine, take_over, server);
    set_status(server, migration->error.set ? "failed" : "completed");
    if (migration->error.set) {
        error_prefix(&migration->error, "-incoming: ");
        program_fail(server->program, &migration->error);
    }
}

bool server_has_arrival(const QmpServer *server) {
    return server->migration.tried && server->migration.incoming;
}

bool qmp_migration_init(QmpServer *server, Error *error) {
    const char *incoming = server->program->settings->incoming;
    Machine *machine = server->program->machine;
    server->migration.fd = -1;
    if (incoming == NULL || machine == NULL)
        return true;
    server->starts_itself = !machine->config.start_paused;
    machine->config.start_paused = true;
    machine_set_run_state(machine, RUN_STATE_INMIGRATE);
    return strcmp(incoming, "defer") == 0 || start_arrival(server, incoming, error) ||
           error_prefix(error, "-incoming: ");
}

/* ---- Both ---- */

static void end_thread(QmpServer *server) {
    QmpMigration *migration = &server->migration;
    pthread_join(migration->thread, NULL);
    migration->has_thread = false;
    migration->total_ms = now_ms() - migration->start_ms;
}

void qmp_migration_serve(QmpServer *server) {
    QmpMigration *migration = &server->migration;
    if (!migration->has_thread || !__atomic_load_n(&migration->done, __ATOMIC_ACQUIRE))
        return;
    end_thread(server);
    if (migration->incoming)
        finish_arrival(server);
    else
        finish_departure(server);
    byte_buffer_free(&migration->bytes);
    migration->bytes = (ByteBuffer){.data = NULL};
}

void qmp_migration_free(QmpServer *server) {
    __atomic_store_n(&server->migration.cancelled, true, __ATOMIC_RELEASE);
    if (server->migration.has_thread)
        end_thread(server);
    byte_buffer_free(&server->migration.bytes);
}

bool qmp_migrate_cancel(QmpCall *call) {
    if (is_under_way(call->server) && !call->server->migration.incoming) {
        __atomic_store_n(&call->server->migration.cancelled, true, __ATOMIC_RELEASE);
        set_status(call->server, "cancelling");
    }
    return true;
}

bool qmp_query_migrate(QmpCall *call) {
    const QmpMigration *migration = &call->server->migration;
    if (!migration->tried)
        return true;
    bool done = strcmp(migration->status, "completed") == 0;
    bool failed = !migration->has_thread && migration->error.set; /* else it is the thread's */
    int64_t moved = (int64_t)__atomic_load_n(&migration->moved, __ATOMIC_RELAXED);
    int64_t total = (int64_t)physical_map_ram_bytes(call->machine->memory);
    int64_t spent = migration->has_thread ? now_ms() - migration->start_ms : migration->total_ms;
    call->result = qmp_pack("status:s total-time:i error-desc:s", migration->status, spent,
                            failed ? migration->error.message : NULL);
    if (migration->incoming)
        return true;
    json_object_object_add(
        call->result, "ram",
        qmp_pack("total:i transferred:i remaining:i duplicate:i skipped:i normal:i normal-bytes:i "
                 "dirty-pages-rate:i mbps:n dirty-sync-count:i page-size:i",
                 total, moved, done || moved > total ? (int64_t)0 : total - moved, (int64_t)0,
                 (int64_t)0, moved / PAGE_SIZE, moved, (int64_t)0,
                 spent > 0 ? (double)moved * 8 / 1000 / (double)spent : 0.0, (int64_t)1,
                 (int64_t)PAGE_SIZE));
    json_object_object_add(call->result, "setup-time", json_object_new_int64(0));
    if (done)
        json_object_object_add(call->result, "downtime", json_object_new_int64(spent));
    return true;
}
