/* See spin_wait.h. */
#include "spin_wait.h"

enum {
    PAUSES_A_LOOK = 32,
    SHARE = 2,            /* of the time already waited, a half ... */
    SLEEP_NS_MIN = 20000, /* ... if that is worth a sleep of the host */
    SLEEP_NS_MAX = 10 * 1000000
};

void spin_wait_watch(SpinWait *spin, Cpu *cpu) {
    *spin = (SpinWait){.cpu = cpu};
    cpu->pauses_looked_at = PAUSES_A_LOOK;
}

/* Does the loop go round without counting? What it reads outside, a clock mostly, comes to EAX and
 * EDX. */
static bool is_same_round(SpinWait *spin) {
    const Cpu *cpu = spin->cpu;
    bool outside = cpu->outside_accesses != spin->outside, same = true;
    for (unsigned i = 0; i < 8; i++) {
        bool is_result = i == REG_EAX || i == REG_EDX;
        same &= cpu->state.gpr[i] == spin->gpr[i] || (outside && is_result);
        spin->gpr[i] = cpu->state.gpr[i];
    }
    spin->outside = cpu->outside_accesses;
    if (outside)
        spin->slept_ns = 0;
    return same;
}

int64_t spin_wait_look(SpinWait *spin, int64_t now_ns) {
    const Cpu *cpu = spin->cpu;
    if (cpu->pauses < PAUSES_A_LOOK || cpu->paused_at == spin->seen)
        return 0;
    bool goes_on = cpu->pauses > spin->pauses && spin->pauses != 0;
    spin->seen = cpu->paused_at;
    spin->pauses = cpu->pauses;
    bool same = is_same_round(spin);
    if (!goes_on || !same) {
        spin->start_ns = now_ns;
        spin->slept_ns = 0;
        return 0;
    }
    int64_t sleep_ns = (now_ns - spin->start_ns) / SHARE;
    if (sleep_ns < SLEEP_NS_MIN || spin->slept_ns > SPIN_SLEPT_NS_MAX)
        return 0;
    if (sleep_ns > SLEEP_NS_MAX)
        sleep_ns = SLEEP_NS_MAX;
    spin->sleeps++;
    spin->slept_ns += sleep_ns;
    return sleep_ns;
}
