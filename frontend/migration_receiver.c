/* The thread that receives a machine. When it has all of it, the source says who goes on
 * (migration_stream.h). */
#include "disk_handover.h"
#include "host_clock.h"
#include "machine_parts.h"
#include "migration_arrival.h"
#include "migration_internal.h"
#include "migration_stream.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PART_BYTES (1u << 20)
/* A source that was killed may be shown to have gone before its locks are. */
#define LOCK_PATIENCE_MS 10000
#define SILENT_LOCK_PATIENCE_MS 2000 /* of one that cannot be asked */
#define LOCK_LOOK_MS 20
#define DOUBT_LOOK_MS 1000

typedef struct Receiver {
    Migration *migration;
    MigrationArrival *arrival;
    Error *error;
    uint8_t *part;
    size_t count;  /* of bytes in 'part' */
    bool answered; /* READY was said */
    bool good;
} Receiver;

static void take_part(void *opaque) {
    Receiver *receiver = opaque;
    receiver->good =
        migration_arrival_take(receiver->arrival, receiver->part, receiver->count, receiver->error);
}

static bool say(Receiver *receiver, MigrationRecord what, const char *text) {
    ByteBuffer out = {.data = NULL};
    Error ignored = {.set = false};
    migration_put_record(&out, what, text, strlen(text));
    ChannelResult result =
        migration_channel_send(&receiver->migration->channel, out.data, out.size, true, &ignored);
    byte_buffer_free(&out);
    return result == CHANNEL_GOOD;
}

static bool answers(const Receiver *receiver) {
    return receiver->migration->channel.two_way &&
           (migration_arrival_flags(receiver->arrival) & MIGRATION_FLAG_ANSWERS) != 0;
}

static MigrationArrivalPhase phase_of(const Receiver *receiver) {
    return migration_arrival_phase(receiver->arrival);
}

/* ---- Starting ---- */

static void start(void *opaque) {
    Receiver *receiver = opaque;
    Machine *machine = receiver->migration->machine;
    if (machine->run_state != RUN_STATE_INMIGRATE)
        return; /* it had ended before it came */
    bool runs = __atomic_load_n(&receiver->migration->starts_itself, __ATOMIC_ACQUIRE) &&
                migration_arrival_ran(receiver->arrival);
    machine_set_run_state(machine, runs ? RUN_STATE_RUNNING : RUN_STATE_PAUSED);
}

static bool is_abandoned(const Receiver *receiver) {
    return migration_is_cancelled(receiver->migration);
}

/* The images' locks, within so many milliseconds. */
static bool take_disks(Receiver *receiver, int64_t patience_ms) {
    int64_t end_ms = migration_now_ms() + patience_ms;
    for (;;) {
        Error error = {.set = false};
        if (machine_take_disks(receiver->migration->machine, &error))
            return true;
        if (migration_now_ms() >= end_ms || is_abandoned(receiver))
            return error_set(receiver->error, "%s", error.message);
        host_clock_sleep_ns(LOCK_LOOK_MS * INT64_C(1000000));
    }
}

static bool take_over(Receiver *receiver, bool was_told) {
    int64_t patience_ms = answers(receiver) ? LOCK_PATIENCE_MS : SILENT_LOCK_PATIENCE_MS;
    if (!take_disks(receiver, was_told ? 0 : patience_ms))
        return false;
    if (was_told)
        say(receiver, MIGRATION_STARTED, "");
    machine_call(receiver->migration->machine, start, receiver);
    return true;
}

static void stand_still(void *opaque) {
    Receiver *receiver = opaque;
    machine_set_run_state(receiver->migration->machine, RUN_STATE_PAUSED);
}

/* The source may go on, or not: an image's lock tells, or the user has to. */
static bool wait_in_doubt(Receiver *receiver) {
    Machine *machine = receiver->migration->machine;
    while (machine_shares_disks(machine) && machine_lacks_disks(machine) &&
           !is_abandoned(receiver)) {
        Error ignored = {.set = false};
        if (machine_take_disks(machine, &ignored)) {
            receiver->error->set = false;
            machine_call(machine, start, receiver);
            return true;
        }
        host_clock_sleep_ns(DOUBT_LOOK_MS * INT64_C(1000000));
    }
    receiver->migration->is_doubted = true;
    machine_call(machine, stand_still, receiver);
    return error_prefix(receiver->error, "it may go on where it came from, or not; continue it "
                                         "here only if it does not: ");
}

/* ---- Receiving ---- */

/* No more comes. */
static bool finish(Receiver *receiver, ChannelResult result) {
    bool is_whole = phase_of(receiver) == MIGRATION_IS_WHOLE;
    if (result == CHANNEL_ENDED && is_whole)
        return take_over(receiver, false);
    if (result == CHANNEL_BROKEN && is_whole && answers(receiver)) {
        if (!receiver->migration->channel.is_local)
            return wait_in_doubt(receiver);
        receiver->error->set = false;
        return take_over(receiver, false);
    }
    return error_set(receiver->error, "the state is cut short");
}

static bool receive(Receiver *receiver) {
    MigrationChannel *channel = &receiver->migration->channel;
    for (;;) {
        ChannelResult result = migration_channel_receive(
            channel, receiver->part, PART_BYTES, &receiver->count, -1, false, receiver->error);
        if (result != CHANNEL_GOOD)
            return finish(receiver, result);
        machine_call(receiver->migration->machine, take_part, receiver);
        if (!receiver->good)
            return false;
        pthread_mutex_lock(&receiver->migration->lock);
        receiver->migration->progress.sent += receiver->count;
        pthread_mutex_unlock(&receiver->migration->lock);
        if (phase_of(receiver) == MIGRATION_ABORTED)
            return error_set(receiver->error, "the machine goes on where it came from");
        if (phase_of(receiver) == MIGRATION_COMMITTED)
            return take_over(receiver, true);
        if (phase_of(receiver) == MIGRATION_IS_WHOLE && answers(receiver) && !receiver->answered) {
            receiver->answered = true;
            say(receiver, MIGRATION_READY, "");
        }
    }
}

static void free_arrival(void *opaque) {
    Receiver *receiver = opaque;
    migration_arrival_free(receiver->arrival);
}

void migration_receive_machine(Migration *migration) {
    Receiver receiver = {.migration = migration, .error = &migration->error};
    Error ignored = {.set = false};
    receiver.arrival = migration_arrival_create(migration->machine);
    receiver.part = malloc(PART_BYTES);
    bool good = receiver.part != NULL || error_set(receiver.error, "no memory for the state");
    good = good && migration_channel_connect(&migration->channel, receiver.error) &&
           receive(&receiver);
    if (!good && !migration->is_doubted && migration->channel.fd >= 0 &&
        migration->channel.two_way && !is_abandoned(&receiver))
        say(&receiver, MIGRATION_REFUSED, migration->error.message);
    if (good && migration->channel.child > 0)
        good = migration_channel_finish(&migration->channel, receiver.error);
    migration_channel_finish(&migration->channel, &ignored);
    machine_call(migration->machine, free_arrival, &receiver);
    free(receiver.part);
}
