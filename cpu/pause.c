/* PAUSE: what a program does while it waits in a loop (SDM vol. 2B). It changes nothing. */
#include "helpers.h"

/* The longest way round such a loop; waiting ends where more is done between two. */
#define LOOP_INSTRUCTIONS_MAX 64

HelperResult helper_pause(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    uint64_t count = cpu->state.instruction_count;
    cpu->pauses = count - cpu->paused_at > LOOP_INSTRUCTIONS_MAX ? 1 : cpu->pauses + 1;
    cpu->paused_at = count;
    if (cpu->pauses_looked_at != 0 && cpu->pauses % cpu->pauses_looked_at == 0)
        cpu->break_after = 1;
    cpu->state.eip = cpu->next_eip;
    return HELPER_JUMP;
}
