/* TR3 to TR7 of the 386 and 486: their cache and TLB can be read and written entry by entry, to
 * find faulty cells (386 DX data sheet 2.9.5, i486 data sheet 8). What is written is kept; the
 * tests themselves have nothing here that they could test. */
#include "cpu_feature.h"
#include "helpers.h"

enum { TR3 = 3, TR5 = 5 }; /* TR3 to TR5 test the cache, which the 386 does not have */

static bool exists(const Cpu *cpu, unsigned number) {
    return number > TR5 || (number >= TR3 && cpu_has(cpu, FEATURE_486));
}

HelperResult helper_read_tr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t0;
    (void)t1;
    if (!exists(cpu, a))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.cpl != 0)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu->state.gpr[b] = cpu->state.test_register[a];
    return HELPER_NEXT;
}

HelperResult helper_write_tr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t1;
    if (!exists(cpu, a))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.cpl != 0)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu->state.test_register[a] = t0;
    return HELPER_NEXT;
}
