/* Two processes that take turns by a futex in memory they share, and then by yielding: each turn is
 * a switch of the address space. */
#include "program_runtime.h"

enum { TURNS = 25000, YIELDS = 30000, PAGE_BYTES = 4096 };

typedef struct {
    uint32_t volatile turn; /* whose it is: 0 or 1 */
    uint32_t volatile value;
} Shared;

static void take_turns(Shared *shared, uint32_t self, uint32_t turns) {
    enum { WAIT = 0, WAKE = 1 };
    for (; turns; turns--) {
        while (shared->turn != self) {
            system_call(CALL_FUTEX, (long)&shared->turn, WAIT, (long)!self, 0);
        }
        shared->value = shared->value * 33 + self + 1;
        shared->turn = !self;
        system_call(CALL_FUTEX, (long)&shared->turn, WAKE, 1, 0);
    }
}

static void yield(uint32_t times) {
    for (; times; times--) {
        system_call(CALL_SCHED_YIELD, 0, 0, 0, 0);
    }
}

uint32_t benchmark(uint32_t scale, char **argv) {
    (void)argv;
    Shared *shared = map_shared_memory(PAGE_BYTES);
    uint32_t turns = scaled(TURNS, scale);
    uint32_t yields = scaled(YIELDS, scale);
    long child = system_call(CALL_FORK, 0, 0, 0, 0);
    take_turns(shared, child == 0, turns);
    yield(yields);
    if (child == 0) {
        system_call(CALL_EXIT, 0, 0, 0, 0);
    }
    system_call(CALL_WAIT4, child, 0, 0, 0);
    return shared->value;
}
