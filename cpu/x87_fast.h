/* x87 instructions for translated code on hosts that have no such unit. Memory is accessed by the
 * translated code; FIP and the other pointers are its affair, too. Only where the unit is ready
 * (fpu_find_ready_units()). 'a' is what helper_x87 takes. */
#ifndef REPRISE_X87_FAST_H
#define REPRISE_X87_FAST_H

#include "cpu.h"

/* Does an instruction; the bytes of a memory operand are in 'low' and 'high'. */
typedef void X87Entry(Cpu *cpu, uint32_t a, uint64_t low, uint64_t high);

/* What does this one; NULL: nothing but helper_x87. */
X87Entry *x87_find_entry(uint32_t a);

/* What an instruction stores, and status and tags as it leaves them, which are still to be set. */
typedef struct X87Store {
    uint64_t low, high;
    uint32_t status_and_tags; /* the tags in the upper half */
} X87Store;

/* FST, FSTP, FIST, FISTP and FISTTP to memory; nothing changes yet. */
X87Store x87_prepare_store(Cpu *cpu, uint32_t a);

/* Entries. The first does all of them, slowly. */
X87Entry x87_run_loaded;
X87Entry x87_fast_load_float32, x87_fast_load_float64, x87_fast_load_integer;
X87Entry x87_fast_load_register, x87_fast_store_register, x87_fast_exchange;
X87Entry x87_fast_calculate_register, x87_fast_calculate_memory;
X87Entry x87_fast_compare_register, x87_fast_compare_flags;

#endif
