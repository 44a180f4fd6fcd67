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
    uint32_t target; /* of the jump taken */
    bool stop;       /* the run loop is wanted after this instruction */
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
uint32_t portable_get_register(const Portable *portable, unsigned reg, unsigned size);
void portable_set_register(Portable *portable, unsigned reg, unsigned size, uint32_t value);

/* base + index * scale + displacement, cut to the address size. */
uint32_t portable_offset(const Portable *portable, const UopAddress *address);

/* Operands. False: cpu->exception is set. */
bool portable_read_src(Portable *portable, const Uop *uop, unsigned size, uint32_t *value);
bool portable_read_dst(Portable *portable, const Uop *uop,
                       uint32_t *value); /* checks for writing too if the row says so */
bool portable_write_dst(Portable *portable, const Uop *uop, uint32_t value);

#endif
