/* Operands and results of micro-ops in the portable backend. */
#ifndef REPRISE_PORTABLE_INTERNAL_H
#define REPRISE_PORTABLE_INTERNAL_H

#include "flags.h"
#include "helpers.h"
#include "portable.h"

typedef struct Portable {
    Cpu *cpu;
    const UopBlock *block;
    uint32_t temporary[2];
    uint32_t target;       /* of the jump taken */
    bool stop;             /* the run loop is wanted after this instruction */
    bool no_room;          /* the rest of the block would run beyond cpu->count_end */
    uint64_t count_before; /* the block: instructions so far, less those of the block */
} Portable;

/* What a micro-op says about going on. */
typedef enum PortableStep {
    STEP_ON,
    STEP_REPEATED, /* on, after a REP string of more than one iteration */
    STEP_LEAVE,
    STEP_LOOK,
    STEP_AGAIN,
    STEP_FAULT
} PortableStep;

typedef PortableStep PortableFunction(Portable *portable, const Uop *uop);

extern PortableFunction *const portable_table[UOP_COUNT];

/* Registers by UREG_* number, cut to size; writing leaves the other bits. */
static inline uint32_t portable_get_register(const Portable *portable, unsigned reg,
                                             unsigned size) {
    if (reg >= UREG_T0)
        return portable->temporary[reg - UREG_T0] & (uint32_t)alu_mask(size);
    if (reg >= UREG_AH)
        return (uint32_t)portable->cpu->state.gpr[reg - UREG_AH] >> 8 & 0xFF;
    return (uint32_t)portable->cpu->state.gpr[reg] & (uint32_t)alu_mask(size);
}

static inline void portable_set_register(Portable *portable, unsigned reg, unsigned size,
                                         uint32_t value) {
    if (reg >= UREG_T0) {
        portable->temporary[reg - UREG_T0] = value;
        return;
    }
    bool high = reg >= UREG_AH;
    uint64_t *gpr = &portable->cpu->state.gpr[high ? reg - UREG_AH : reg];
    uint32_t mask = high ? 0xFF00u : (uint32_t)alu_mask(size);
    *gpr = (((uint32_t)*gpr & ~mask) | ((high ? value << 8 : value) & mask));
}

/* base + index * scale + displacement, cut to the address size. */
static inline uint32_t portable_offset(const Portable *portable, const UopAddress *address) {
    uint32_t offset = (uint32_t)address->displacement;
    if (address->base != UREG_NONE)
        offset += portable_get_register(portable, address->base, 4);
    if (address->index != UREG_NONE)
        offset += portable_get_register(portable, address->index, 4) * address->scale;
    return address->address_size == 2 ? offset & 0xFFFF : offset;
}

/* An instruction begins: whoever looks at the state from within finds it exact. */
static inline void portable_begin_insn(Portable *portable, unsigned insn) {
    Cpu *cpu = portable->cpu;
    const UopInsn *begun = &portable->block->insn[insn];
    cpu->iterations = 0;
    cpu->state.eip = begun->eip;
    cpu->state.instruction_count = portable->count_before + insn;
    cpu->next_eip = begun->eip + begun->length;
}

/* Is the run loop wanted at the end of this instruction? */
static inline bool portable_wants_stop(const Portable *portable) {
    const Cpu *cpu = portable->cpu;
    return (cpu->break_after | cpu->code_changed | cpu->state.pending_debug | portable->stop |
            portable->no_room) != 0;
}

/* After STEP_REPEATED: counts the iterations. False: what is left of the block does not fit any
 * more. */
bool portable_end_repeated(Portable *portable);

/* The block is left from instruction 'insn', which completed unless it faulted or goes on. */
PortableExit portable_leave(Portable *portable, PortableStep step, unsigned insn);

/* Runs the rest of the block from 'uop' on; instruction 'insn' was the last that was begun
 * (UINT32_MAX: none). */
PortableExit portable_run_from(Portable *portable, const Uop *uop, unsigned insn);

/* Operands. False: cpu->exception is set. */
bool portable_read_src(Portable *portable, const Uop *uop, unsigned size, uint32_t *value);
bool portable_read_dst(Portable *portable, const Uop *uop,
                       uint32_t *value); /* checks for writing too if the row says so */
bool portable_write_dst(Portable *portable, const Uop *uop, uint32_t value);

#endif
