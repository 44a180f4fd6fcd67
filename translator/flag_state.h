/* Where the guest's status flags are, at one place in translated code.
 *
 * A status flag that nobody reads is not computed; but a page fault, an interrupt or a changed
 * successor may still push it. So each place where the guest can be interrupted carries a flag
 * state: for each of the three groups, from what it can be recomputed. The states are numbered; a
 * block has one as part of its key ("where are the flags when I am entered"), so that a loop whose
 * flags live in its registers goes round without a store. */
#ifndef REPRISE_FLAG_STATE_H
#define REPRISE_FLAG_STATE_H

#include "cpu.h"
#include "uop.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum FlagSourceKind {
    FLAG_SOURCE_IMAGE,     /* as LAHF and SETO left them: state.flags_image or
                              cpu->flag_image[a.number]; b: a shift count in a slot, or     an
                              immediate,     that makes AF 0 where it is not zero */
    FLAG_SOURCE_COMPARE,   /* a - b */
    FLAG_SOURCE_ADD,       /* a is the sum of something and b */
    FLAG_SOURCE_SUBTRACT,  /* a is something minus b */
    FLAG_SOURCE_LOGIC,     /* a is the result */
    FLAG_SOURCE_INCREMENT, /* a is the result: O and S */
    FLAG_SOURCE_DECREMENT,
    FLAG_SOURCE_NEGATE, /* a is the result */
    FLAG_SOURCE_SHL,    /* a is the value before, b the count (an immediate, not 0) */
    FLAG_SOURCE_SHR,
    FLAG_SOURCE_SAR,
    FLAG_SOURCE_CARRY,    /* bit 0 of a is CF, and OF if that group has this source too */
    FLAG_SOURCE_BIT_SCAN, /* a is what was scanned forwards */
    FLAG_SOURCE_BIT_SCAN_REVERSE,
    FLAG_SOURCE_POPCNT, /* a is the result */
    FLAG_SOURCE_LZCNT,
    FLAG_SOURCE_RESULT, /* of S: a is the result; AF is bit 4 of b, or 0 */
} FlagSourceKind;

typedef enum FlagOperandKind {
    FLAG_OPERAND_NONE,
    FLAG_OPERAND_REGISTER,
    FLAG_OPERAND_KEPT,
    FLAG_OPERAND_SLOT,
    FLAG_OPERAND_IMM
} FlagOperandKind;

/* The kept register's place in cpu->host_slot. */
enum { FLAG_KEPT_SLOT = 9 };

/* REGISTER: a guest register (UREG_*); KEPT: the host register set aside for this; SLOT:
 * cpu->flag_slot[number]. */
typedef struct FlagOperand {
    uint8_t kind, number;
    uint16_t unused;
    uint32_t value;
} FlagOperand;

typedef struct FlagSource {
    uint8_t kind, size;
    uint16_t unused;
    FlagOperand a, b;
} FlagSource;

enum { FLAG_GROUP_INDEX_C, FLAG_GROUP_INDEX_O, FLAG_GROUP_INDEX_S, FLAG_GROUP_COUNT };

typedef struct FlagState {
    FlagSource source[FLAG_GROUP_COUNT];
} FlagState;

enum { FLAG_STATE_IN_MEMORY = 0, FLAG_STATE_COUNT = 1 << 15 };

typedef struct FlagStateTable FlagStateTable;

FlagStateTable *flag_state_table_create(void);
void flag_state_table_destroy(FlagStateTable *table);
void flag_state_table_clear(FlagStateTable *table);

/* The number of this state; FLAG_STATE_COUNT when the table is full. */
uint32_t flag_state_number(FlagStateTable *table, const FlagState *state);
const FlagState *flag_state_get(const FlagStateTable *table, uint32_t number);

/* The status flags in EFLAGS layout, from state.gpr, cpu->host_slot (the register set aside),
 * cpu->flag_slot and the images. */
uint32_t flag_state_evaluate(const FlagState *state, const Cpu *cpu);

static inline bool flag_operand_is_register(const FlagOperand *operand, unsigned gpr) {
    if (operand->kind != FLAG_OPERAND_REGISTER)
        return false;
    unsigned number = operand->number;
    return (number >= UREG_AH ? number - UREG_AH : number) == gpr;
}

#endif
