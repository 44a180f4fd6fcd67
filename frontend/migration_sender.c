/* The thread that sends a machine: rounds over the pages that changed while the guest runs, then
 * the rest while it stands still, then the hand-over (migration_stream.h). */
#include "host_clock.h"
#include "little_endian.h"
#include "migration_internal.h"
#include "migration_stream.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long the other end may take to make the machine of what it got, and to get the images. */
#define ANSWER_MS 60000
#define SENT_AT_ONCE (256u << 10)
#define TEXT_MAX 400

/* Below so many bytes another round gains nothing. */
#define FEW_BYTES (256u << 10)
/* A rate is measured over no less than one of these. */
#define MEASURED_BYTES (1u << 20)
#define MEASURED_MS 200
/* The guest is slowed down after so many rounds in which too much changed, as in QEMU. */
#define ROUNDS_TO_THROTTLE 2

typedef struct Sender {
    Migration *migration;
    MigrationDeparture *departure;
    ByteBuffer out;
    Error *error;
    ChannelResult result; /* of what failed last */
    bool good;            /* of what was called on the machine's thread */
    bool stopped, gave;   /* the machine stands; its images are not its own */
    uint64_t waiting;     /* bytes that a round leaves */
    uint64_t sent;
    double bytes_per_ms; /* 0: not known yet */
    unsigned bad_rounds, throttle_percent;
    uint64_t measured_bytes;
    int64_t measured_ms;
    int64_t round_ms;     /* when it began */
    uint64_t round_bytes; /* sent before it */
    int64_t stop_ms;
} Sender;

static MigrationParameters parameters_of(Sender *sender) {
    pthread_mutex_lock(&sender->migration->lock);
    MigrationParameters parameters = sender->migration->parameters;
    pthread_mutex_unlock(&sender->migration->lock);
    return parameters;
}

static void tell_progress(Sender *sender) {
    MigrationProgress *progress = &sender->migration->progress;
    pthread_mutex_lock(&sender->migration->lock);
    progress->counts = migration_departure_counts(sender->departure);
    progress->sent = sender->sent;
    progress->megabits = sender->bytes_per_ms * 8 / 1000;
    progress->throttle_percent = sender->throttle_percent;
    pthread_mutex_unlock(&sender->migration->lock);
}

/* ---- Bytes ---- */

static bool flush(Sender *sender, bool urgent) {
    sender->result = migration_channel_send(&sender->migration->channel, sender->out.data,
                                            sender->out.size, urgent, sender->error);
    sender->sent += sender->out.size;
    sender->out.size = 0;
    return sender->result == CHANNEL_GOOD;
}

/* While the guest runs no more goes out than is allowed. */
static void keep_to_bandwidth(Sender *sender) {
    int64_t most = parameters_of(sender).max_bandwidth;
    while (most > 0 && !migration_is_cancelled(sender->migration)) {
        double allowed_ms = (double)(sender->sent - sender->round_bytes) * 1000 / (double)most;
        if ((double)(migration_now_ms() - sender->round_ms) >= allowed_ms)
            return;
        host_clock_sleep_ns(2000000);
    }
}

static bool send_listed(Sender *sender, bool limited) {
    while (migration_departure_next(sender->departure, &sender->out, sender->error)) {
        if (sender->out.size < SENT_AT_ONCE)
            continue;
        if (!flush(sender, false))
            return false;
        if (limited)
            keep_to_bandwidth(sender);
        tell_progress(sender);
    }
    return !sender->error->set && flush(sender, false);
}

/* ---- Rounds ---- */

static void begin(void *opaque) {
    Sender *sender = opaque;
    sender->good = migration_departure_begin(sender->departure, &sender->out, sender->error);
}

static void collect(void *opaque) {
    Sender *sender = opaque;
    sender->waiting = migration_departure_collect(sender->departure);
}

static void measure_round(Sender *sender) {
    int64_t spent_ms = migration_now_ms() - sender->round_ms;
    uint64_t bytes = sender->sent - sender->round_bytes;
    sender->measured_bytes += bytes;
    sender->measured_ms += spent_ms > 0 ? spent_ms : 1;
    if (sender->bytes_per_ms != 0 && sender->measured_bytes < MEASURED_BYTES &&
        sender->measured_ms < MEASURED_MS)
        return;
    sender->bytes_per_ms = (double)sender->measured_bytes / (double)sender->measured_ms;
    sender->measured_bytes = 0;
    sender->measured_ms = 0;
}

static void tell_round(Sender *sender) {
    MigrationProgress *progress = &sender->migration->progress;
    int64_t spent_ms = migration_now_ms() - sender->round_ms;
    tell_progress(sender);
    pthread_mutex_lock(&sender->migration->lock);
    progress->rounds++;
    progress->dirty_pages_rate = sender->waiting / PAGE_SIZE * 1000 / (uint64_t)(spent_ms + 1);
    progress->expected_downtime_ms = (int64_t)((double)sender->waiting / sender->bytes_per_ms);
    pthread_mutex_unlock(&sender->migration->lock);
    event_loop_wake(sender->migration->loop);
}

static void slow_down(Sender *sender, const MigrationParameters *parameters) {
    uint64_t bytes = sender->sent - sender->round_bytes;
    if (!parameters->auto_converge ||
        sender->waiting * 100 <= bytes * (uint64_t)parameters->throttle_trigger_threshold) {
        sender->bad_rounds = 0;
        return;
    }
    if (++sender->bad_rounds < ROUNDS_TO_THROTTLE)
        return;
    sender->bad_rounds = 0;
    int64_t percent = sender->throttle_percent == 0
                          ? parameters->cpu_throttle_initial
                          : sender->throttle_percent + parameters->cpu_throttle_increment;
    if (percent > parameters->max_cpu_throttle)
        percent = parameters->max_cpu_throttle;
    sender->throttle_percent = (unsigned)percent;
    machine_throttle(sender->migration->machine, sender->throttle_percent);
}

/* What is left fits into the time that the guest may stand still, and another round would not make
 * it much less. */
static bool is_little(const Sender *sender, uint64_t before,
                      const MigrationParameters *parameters) {
    bool fits =
        (double)sender->waiting <= sender->bytes_per_ms * (double)parameters->downtime_limit;
    bool shrinks = sender->waiting > FEW_BYTES && sender->waiting < before / 2;
    return fits && !shrinks;
}

static void begin_round(Sender *sender) {
    sender->round_ms = migration_now_ms();
    sender->round_bytes = sender->sent;
}

/* Everything once, and then again what was changed, until little is. */
static bool send_while_it_runs(Sender *sender) {
    uint64_t before = UINT64_MAX;
    for (begin_round(sender);; begin_round(sender)) {
        if (!send_listed(sender, true))
            return false;
        measure_round(sender);
        machine_call(sender->migration->machine, collect, sender);
        tell_round(sender);
        MigrationParameters parameters = parameters_of(sender);
        if (is_little(sender, before, &parameters))
            return true;
        slow_down(sender, &parameters);
        before = sender->waiting;
        migration_put_record(&sender->out, MIGRATION_ROUND, NULL, 0);
    }
}

/* ---- The hand-over ---- */

static void stop(void *opaque) {
    Sender *sender = opaque;
    sender->stopped = true;
    sender->stop_ms = migration_now_ms();
    sender->good = migration_departure_stop(sender->departure, sender->error);
}

static void give(void *opaque) {
    Sender *sender = opaque;
    sender->gave = true;
    sender->good = migration_departure_give(sender->departure, sender->error);
}

static void leave(void *opaque) {
    Sender *sender = opaque;
    migration_departure_leave(sender->departure);
}

static void return_machine(void *opaque) {
    Sender *sender = opaque;
    Error reason = {.set = false};
    if (!migration_departure_return(sender->departure, &reason))
        error_prefix(sender->error, "the machine cannot go on here either (%s): ", reason.message);
}

static bool receive_all(Sender *sender, void *data, size_t size, bool urgent) {
    uint8_t *bytes = data;
    int64_t end_ms = migration_now_ms() + ANSWER_MS;
    while (size > 0) {
        size_t count = 0;
        int64_t left_ms = end_ms - migration_now_ms();
        sender->result =
            migration_channel_receive(&sender->migration->channel, bytes, size, &count,
                                      left_ms > 0 ? left_ms : 0, urgent, sender->error);
        if (sender->result == CHANNEL_ENDED)
            error_set(sender->error, "the other end has gone");
        if (sender->result != CHANNEL_GOOD)
            return false;
        bytes += count;
        size -= count;
    }
    return true;
}

/* The target's next word is that; else the error says what it was. */
static bool await(Sender *sender, MigrationRecord wanted, bool urgent) {
    uint8_t header[MIGRATION_RECORD_HEADER_BYTES];
    char text[TEXT_MAX + 1] = "";
    if (!receive_all(sender, header, sizeof(header), urgent))
        return false;
    uint32_t kind = load_le32(header), size = load_le32(header + 4);
    if (kind == (uint32_t)wanted && size == 0)
        return true;
    sender->result = CHANNEL_ENDED;
    if (kind != MIGRATION_REFUSED || size > TEXT_MAX)
        return error_set(sender->error, "the other end answers what is no answer");
    if (!receive_all(sender, text, size, urgent))
        return false;
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ')
            *at = '?';
    sender->result = CHANNEL_ENDED;
    return error_set(sender->error, "the other end: %s", text);
}

static bool say(Sender *sender, MigrationRecord what) {
    migration_put_record(&sender->out, what, NULL, 0);
    return flush(sender, true);
}

/* The target has all, or may have: it must not start by itself. */
static void take_back(Sender *sender) {
    Error ignored = {.set = false};
    Error *error = sender->error;
    if (__atomic_load_n(&sender->migration->abandoned, __ATOMIC_ACQUIRE))
        return; /* nothing goes on here: it may */
    sender->error = &ignored;
    sender->out.size = 0;
    say(sender, MIGRATION_ABORT);
    sender->error = error;
}

/* Whether the target's process is known not to have started; it may only be out of reach else. */
static bool is_known_dead(const Sender *sender) {
    return sender->result == CHANNEL_ENDED ||
           (sender->result == CHANNEL_BROKEN && sender->migration->channel.is_local);
}

static bool commit(Sender *sender) {
    Migration *migration = sender->migration;
    machine_call(migration->machine, give, sender);
    if (!sender->good) {
        take_back(sender);
        return false;
    }
    if (say(sender, MIGRATION_COMMIT) && await(sender, MIGRATION_STARTED, true))
        return true;
    if (is_known_dead(sender))
        return false;
    migration->is_doubted = true;
    return error_prefix(sender->error, "it may go on at the other end, or not; continue it here "
                                       "only if it does not: ");
}

static bool hand_over(Sender *sender) {
    if (await(sender, MIGRATION_READY, false))
        return commit(sender);
    if (sender->result == CHANNEL_CANCELLED || sender->result == CHANNEL_LATE)
        take_back(sender);
    return false;
}

static bool send_rest(Sender *sender) {
    machine_call(sender->migration->machine, stop, sender);
    if (!sender->good || !send_listed(sender, false))
        return false;
    migration_departure_finish(sender->departure, &sender->out);
    return flush(sender, false);
}

static bool send_everything(Sender *sender) {
    Migration *migration = sender->migration;
    MigrationChannel *channel = &migration->channel;
    if (!migration_channel_connect(channel, sender->error))
        return false;
    bool answers = channel->two_way && parameters_of(sender).return_path != 0;
    uint32_t flags = (answers ? MIGRATION_FLAG_ANSWERS : 0u) |
                     (migration->sends_disks ? MIGRATION_FLAG_DISKS : 0u);
    sender->departure = migration_departure_create(migration->machine, flags);
    machine_call(migration->machine, begin, sender);
    pthread_mutex_lock(&migration->lock);
    migration->progress.setup_ms = migration_now_ms() - migration->start_ms;
    pthread_mutex_unlock(&migration->lock);
    if (!sender->good || !send_while_it_runs(sender) || !send_rest(sender))
        return false;
    return answers ? hand_over(sender) : migration_channel_finish(channel, sender->error);
}

/* What the target refused the stream for is the better message. */
static void hear_refusal(Sender *sender) {
    Error reason = {.set = false}, *error = sender->error;
    if (!sender->migration->channel.two_way || sender->result != CHANNEL_BROKEN || sender->gave)
        return;
    sender->error = &reason;
    await(sender, MIGRATION_READY, false);
    sender->error = error;
    if (strncmp(reason.message, "the other end:", 14) == 0)
        *error = reason;
}

static void end(void *opaque) {
    Sender *sender = opaque;
    migration_departure_end(sender->departure);
}

void migration_send_machine(Migration *migration) {
    Sender sender = {.migration = migration, .error = &migration->error};
    bool good = send_everything(&sender);
    if (!good)
        hear_refusal(&sender);
    machine_throttle(migration->machine, 0);
    if (sender.departure != NULL)
        machine_call(migration->machine, end, &sender);
    if (sender.stopped && (good || migration->is_doubted))
        machine_call(migration->machine, leave, &sender);
    else if (sender.stopped && !__atomic_load_n(&migration->abandoned, __ATOMIC_ACQUIRE))
        machine_call(migration->machine, return_machine, &sender);
    pthread_mutex_lock(&migration->lock);
    if (sender.stopped)
        migration->progress.downtime_ms = migration_now_ms() - sender.stop_ms;
    pthread_mutex_unlock(&migration->lock);
    if (sender.departure != NULL)
        tell_progress(&sender);
    Error ignored = {.set = false};
    migration_channel_finish(&migration->channel, &ignored);
    migration_departure_free(sender.departure);
    byte_buffer_free(&sender.out);
}
