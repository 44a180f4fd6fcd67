/* What the files of the x87 FPU (x87_*.c) share. */
#ifndef REPRISE_X87_INTERNAL_H
#define REPRISE_X87_INTERNAL_H

#include "float80.h"
#include "helpers.h"
#include "x87.h"
#include "x87_fast.h"

/* The status word, SDM vol. 1 8.1.3. Its low six bits are FLOAT_* exceptions. */
enum {
    X87_STACK_FAULT = 1 << 6,
    X87_ERROR_SUMMARY = 1 << 7,
    X87_C0 = 1 << 8,
    X87_C1 = 1 << 9,
    X87_C2 = 1 << 10,
    X87_TOP_SHIFT = 11,
    X87_TOP = 7 << X87_TOP_SHIFT,
    X87_C3 = 1 << 14,
    X87_BUSY = 1 << 15,
    X87_CONDITIONS = X87_C0 | X87_C1 | X87_C2 | X87_C3,
};

/* The tag word, SDM vol. 1 8.1.7. */
enum { X87_TAG_VALID, X87_TAG_ZERO, X87_TAG_SPECIAL, X87_TAG_EMPTY };

#define X87_CONTROL_FIXED 0x0040 /* reads as 1 */
#define X87_CONTROL_MASK 0x1F3F  /* what can be written; bit 12 is kept as on a 287 */

typedef struct X87Instruction {
    uint8_t opcode; /* D8h to DFh */
    uint8_t modrm;
    uint8_t segment; /* of the memory operand */
    uint8_t operand_size;
    uint32_t offset;
} X87Instruction;

/* 'parameter' comes from the row of the opcode table. HELPER_FAULT only with nothing changed. */
typedef HelperResult X87Handler(Cpu *cpu, const X87Instruction *insn, unsigned parameter);

/* Handlers by subject; the opcode table in x87.c names them. */
X87Handler x87_load_float32, x87_load_float64, x87_load_float80, x87_load_integer, x87_load_bcd;
X87Handler x87_load_register, x87_load_constant;
X87Handler x87_store_float32, x87_store_float64, x87_store_float80, x87_store_integer;
X87Handler x87_store_truncated, x87_store_bcd, x87_store_register, x87_store_register_unchecked;
X87Handler x87_exchange, x87_move_conditional;
X87Handler x87_calculate_memory, x87_calculate_register;
X87Handler x87_compare_register, x87_compare_flags, x87_test, x87_examine;
X87Handler x87_change_sign, x87_absolute, x87_square_root, x87_round, x87_scale, x87_extract;
X87Handler x87_remainder, x87_transcendental;
X87Handler x87_nop, x87_rotate_stack, x87_free, x87_clear_exceptions, x87_initialise;
X87Handler x87_load_control, x87_store_control, x87_store_status, x87_store_status_ax;
X87Handler x87_load_environment, x87_store_environment, x87_restore, x87_save;

/* The memory operand's bytes are at hand: loads, arithmetic and comparisons. x87_transfer.c,
 * x87_arithmetic.c */
void x87_load_bits(Cpu *cpu, const X87Instruction *insn, uint64_t low, uint64_t high);
void x87_calculate_bits(Cpu *cpu, const X87Instruction *insn, uint64_t bits);
/* For x87_prepare_store(): status and tags change, no exception is unmasked. x87_transfer.c */
void x87_convert_for_store(Cpu *cpu, uint32_t a, X87Store *store);

/* x87_stack.c: the register stack. 'index' is that of ST(index). */
unsigned x87_get_top(const FpuState *fpu);
void x87_set_top(FpuState *fpu, unsigned top);
unsigned x87_get_tag(const FpuState *fpu, unsigned physical);
void x87_set_tag(FpuState *fpu, unsigned physical, unsigned tag);
/* The tag that describes these contents (never empty). */
unsigned x87_classify(Float80 value);
/* The unit remembers only which registers are empty; the other tags follow their contents
 * (SDM vol. 1 8.1.7), and so they always stand in the tag word here. */
void x87_settle_tags(FpuState *fpu);
Float80 x87_get_physical(const FpuState *fpu, unsigned physical);
bool x87_is_empty(const FpuState *fpu, unsigned index);
Float80 x87_get(const FpuState *fpu, unsigned index);
void x87_set(FpuState *fpu, unsigned index, Float80 value);
void x87_pop(FpuState *fpu);

/* x87_exception.c. */
/* How the next operation is to be done, by the control word. */
FloatStatus x87_begin(const FpuState *fpu);
/* Takes over what an operation raised, with C1. False: an exception before the operation is
 * unmasked, so its result must be dropped. */
bool x87_commit(Cpu *cpu, const FloatStatus *status);
/* Stack faults (C1: 0 and 1). True: masked, go on with the indefinite as the value that was missing
 * or that did not fit. */
bool x87_raise_underflow(Cpu *cpu);
bool x87_raise_overflow(Cpu *cpu);
/* Pushes a value, or handles overflow. */
void x87_push(Cpu *cpu, Float80 value);
/* After status or control word changed: ES and B, and FERR# when nothing is pending any more. */
void x87_update_summary(Cpu *cpu);
void x87_set_conditions(FpuState *fpu, unsigned mask, unsigned values);
/* Before a waiting instruction: HELPER_NEXT, or what a pending exception demands. */
HelperResult x87_check_pending(Cpu *cpu);

/* x87_memory.c: operands in memory that no single access covers. */
bool x87_read_float80(Cpu *cpu, unsigned segment, uint32_t offset, Float80 *value);
bool x87_write_float80(Cpu *cpu, unsigned segment, uint32_t offset, Float80 value);
/* True if a store of that many bytes (at most 512) would succeed. */
bool x87_check_write(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size);
/* All checks of a store of 2, 4, 8 or 10 bytes, without the store: what an unmasked exception keeps
 * from being stored has its address checked first, like any other. */
bool x87_check_store(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size);
/* The host's memory behind an operand, where the TLB has all of it and nothing else is to be done
 * or checked; else NULL. */
uint8_t *x87_find_memory(Cpu *cpu, uint32_t linear, unsigned size, bool write);
/* 'count' words of 2 or 4 bytes from 'at' in the instruction's operand: so are state images
 * accessed, whose alignment is that of their words (SDM vol. 3A table 6-7). */
bool x87_read_words(Cpu *cpu, const X87Instruction *insn, unsigned at, unsigned word_size,
                    unsigned count, uint8_t *bytes);
bool x87_write_words(Cpu *cpu, const X87Instruction *insn, unsigned at, unsigned word_size,
                     unsigned count, const uint8_t *bytes);

#endif
