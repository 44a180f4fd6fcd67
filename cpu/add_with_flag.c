/* ADCX and ADOX: SDM vol. 2A. */
#include "helpers.h"

HelperResult helper_add_with_flag(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t1;
    uint32_t flag = a == 0 ? FLAG_CF : FLAG_OF, flags = cpu_get_status_flags(cpu);
    uint64_t sum = (uint64_t)(uint32_t)cpu->state.gpr[b] + t0 + ((flags & flag) != 0);
    cpu->state.gpr[b] = (uint32_t)sum;
    cpu_set_status_flags(cpu, (flags & ~flag) | (sum >> 32 != 0 ? flag : 0));
    return HELPER_NEXT;
}
