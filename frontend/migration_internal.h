/* What the main thread and the one that moves the bytes share. */
#ifndef REPRISE_MIGRATION_INTERNAL_H
#define REPRISE_MIGRATION_INTERNAL_H

#include "migration.h"
#include "migration_channel.h"
#include "migration_departure.h"

#include <pthread.h>

/* What the thread tells; under the lock. */
typedef struct MigrationProgress {
    MigrationCounts counts;
    uint64_t sent, rounds, dirty_pages_rate;
    int64_t downtime_ms, expected_downtime_ms, setup_ms;
    double megabits;
    unsigned throttle_percent;
} MigrationProgress;

struct Migration {
    Machine *machine;
    EventLoop *loop;
    MigrationObserver observer;
    bool tried, incoming, deferred;
    bool starts_itself; /* atomic: when the state that it waits for is there */
    const char *status;
    bool sends_disks;
    MigrationChannel channel;
    pthread_t thread;
    bool has_thread, thread_wanted;
    bool done;       /* atomic */
    bool cancelled;  /* atomic */
    bool abandoned;  /* atomic: the program ends; nothing goes on here */
    bool is_doubted; /* whether the other end has the machine; set before 'done' */
    Error error;     /* the thread's until it is done */
    int64_t start_ms, total_ms;
    uint64_t told_rounds;
    pthread_mutex_t lock;
    MigrationProgress progress;
    MigrationParameters parameters;
};

int64_t migration_now_ms(void);
/* The threads' work; 'error' is set unless it succeeds. */
void migration_send_machine(Migration *migration);
void migration_receive_machine(Migration *migration);

static inline bool migration_is_cancelled(const Migration *migration) {
    return __atomic_load_n(&migration->cancelled, __ATOMIC_ACQUIRE);
}

#endif
