#include "parallel_work.h"
#include "host_thread.h"

#define HELPERS_MAX 7

typedef struct Work {
    uint32_t pieces;
    uint32_t next; /* atomic */
    void (*run)(void *opaque, uint32_t piece);
    void *opaque;
} Work;

static void *take_pieces(void *opaque) {
    Work *work = opaque;
    uint32_t piece;
    while ((piece = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED)) < work->pieces)
        work->run(work->opaque, piece);
    return NULL;
}

static uint32_t count_helpers(uint32_t pieces) {
    uint32_t helpers = host_thread_processors() - 1;
    if (helpers > HELPERS_MAX)
        helpers = HELPERS_MAX;
    return pieces == 0 ? 0 : helpers < pieces - 1 ? helpers : pieces - 1;
}

/* A thread that the host does not give is one helper less. */
void parallel_work(uint32_t pieces, void (*run)(void *opaque, uint32_t piece), void *opaque) {
    Work work = {.pieces = pieces, .run = run, .opaque = opaque};
    pthread_t helper[HELPERS_MAX];
    uint32_t helpers = 0;
    for (uint32_t wanted = count_helpers(pieces); helpers < wanted; helpers++)
        if (pthread_create(&helper[helpers], NULL, take_pieces, &work) != 0)
            break;
    take_pieces(&work);
    for (uint32_t i = 0; i < helpers; i++)
        pthread_join(helper[i], NULL);
}
