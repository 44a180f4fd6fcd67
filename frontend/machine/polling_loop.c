/* See polling_loop.h. */
#include "polling_loop.h"
#include <string.h>

enum {
    INT_KEYBOARD = 0x16,
    INT_DOS_IDLE = 0x28,
    INT_MULTIPLEX = 0x2F,
    CALLS_A_ROUND_MAX = 16, /* of a loop: INT 16h and INT 28h in turns, for several devices */
    PAUSE_FIRST = 16,
    PAUSE_MAX = 4096
};

static bool is_poll(const Cpu *cpu, uint8_t vector) {
    uint32_t ax = (uint32_t)cpu->state.gpr[REG_EAX] & 0xFFFF;
    switch (vector) {
    case INT_KEYBOARD:
        return ax >> 8 == 0x01 || ax >> 8 == 0x11;
    case INT_DOS_IDLE:
        return true;
    case INT_MULTIPLEX:
        return ax == 0x1680; /* release the time slice */
    default:
        return false;
    }
}

static void on_software_interrupt(void *opaque, uint8_t vector) {
    PollingLoop *loop = opaque;
    if (loop->proven || !is_poll(loop->cpu, vector))
        return;
    if (loop->calls_to_skip > 0) {
        loop->calls_to_skip--;
        return;
    }
    loop->polled = true;
    loop->cpu->break_after = 1;
}

void polling_loop_watch(PollingLoop *loop, Cpu *cpu, RamHash *ram_hash) {
    *loop = (PollingLoop){.cpu = cpu, .ram_hash = ram_hash};
    cpu->software_interrupt = on_software_interrupt;
    cpu->software_interrupt_opaque = loop;
}

void polling_loop_unwatch(PollingLoop *loop) {
    loop->cpu->software_interrupt = NULL;
    loop->polled = loop->proven = loop->has_start = false;
}

static CpuState present_state(const Cpu *cpu) {
    CpuState state = cpu->state;
    state.instruction_count = 0;
    return state;
}

static void start_round(PollingLoop *loop, const CpuState *state, uint64_t memory) {
    loop->has_start = true;
    loop->start = *state;
    loop->start_memory = memory;
    loop->start_outside = loop->cpu->outside_accesses;
    loop->calls = 0;
}

/* The program does more than wait: leave it alone for a while. */
static void give_up(PollingLoop *loop) {
    loop->has_start = false;
    loop->pause = loop->pause == 0          ? PAUSE_FIRST
                  : loop->pause < PAUSE_MAX ? loop->pause * 2
                                            : PAUSE_MAX;
    loop->calls_to_skip = loop->pause;
}

void polling_loop_look(PollingLoop *loop) {
    if (!loop->polled)
        return;
    loop->polled = false;
    CpuState state = present_state(loop->cpu);
    if (!loop->has_start) {
        start_round(loop, &state, ram_hash_update(loop->ram_hash));
        return;
    }
    loop->calls++;
    bool same = memcmp(&state, &loop->start, sizeof(state)) == 0;
    if (!same && loop->calls < CALLS_A_ROUND_MAX)
        return;
    if (!same || loop->start_outside != loop->cpu->outside_accesses ||
        ram_hash_update(loop->ram_hash) != loop->start_memory) {
        give_up(loop);
        return;
    }
    loop->has_start = false; /* the next event begins another round */
    loop->pause = 0;
    loop->proven = true;
    loop->proofs++;
}

bool polling_loop_take_proof(PollingLoop *loop) {
    bool proven = loop->proven;
    loop->proven = false;
    return proven;
}
