/* See machine_observer.h. */
#include "machine_observer.h"
#include "machine_parts.h"

static void arm_from_now(Machine *machine) {
    MachineObserver *observer = &machine->observer;
    observer->next_ns = clock_now_ns(&machine->clock) + observer->period_ns;
    timer_arm(&observer->timer, observer->next_ns);
}

/* With the host's clock this may come late: the next time stays where it belongs. */
static void look_is_due(void *opaque) {
    Machine *machine = opaque;
    MachineObserver *observer = &machine->observer;
    observer->next_ns += observer->period_ns;
    timer_arm(&observer->timer, observer->next_ns);
    observer->look(observer->opaque);
}

void machine_observer_init(Machine *machine) {
    MachineObserver *observer = &machine->observer;
    timer_init(&observer->timer, &machine->clock, "observer", &observer->due_ns, look_is_due,
               machine);
}

void machine_observe(Machine *machine, int64_t period_ns, void (*look)(void *opaque),
                     void *opaque) {
    MachineObserver *observer = &machine->observer;
    observer->period_ns = period_ns;
    observer->look = look;
    observer->opaque = opaque;
    if (look != NULL)
        arm_from_now(machine);
    else
        timer_cancel(&observer->timer);
}

void machine_observer_resume(Machine *machine) {
    MachineObserver *observer = &machine->observer;
    int64_t left_ns = observer->next_ns - clock_now_ns(&machine->clock);
    if (observer->look != NULL && (left_ns < 0 || left_ns > observer->period_ns))
        arm_from_now(machine);
}
