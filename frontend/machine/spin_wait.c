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

int64_t spin_wait_look(SpinWait *spin, int64_t now_ns) {
    const Cpu *cpu = spin->cpu;
    if (cpu->pauses < PAUSES_A_LOOK || cpu->paused_at == spin->seen)
        return 0;
    bool goes_on = cpu->pauses > spin->pauses && spin->pauses != 0;
    spin->seen = cpu->paused_at;
    spin->pauses = cpu->pauses;
    if (!goes_on) {
        spin->start_ns = now_ns;
        return 0;
    }
    int64_t sleep_ns = (now_ns - spin->start_ns) / SHARE;
    if (sleep_ns < SLEEP_NS_MIN)
        return 0;
    spin->sleeps++;
    return sleep_ns < SLEEP_NS_MAX ? sleep_ns : SLEEP_NS_MAX;
}
