/* FLDENV, FSTENV, FRSTOR and FSAVE, in the four formats of SDM vol. 1 figures 8-9 to 8-12: 16 or 32
 * bits by operand size, protected or real mode. Real and v8086 mode save linear addresses. */
#include "little_endian.h"
#include "x87_internal.h"

typedef struct Environment {
    uint32_t words[7]; /* as they stand in memory, each 2 or 4 bytes wide */
} Environment;

static Environment make_environment(const Cpu *cpu, unsigned word_size) {
    const FpuState *fpu = &cpu->state.fpu;
    Environment environment = {{fpu->control, fpu->status, fpu->tags}};
    uint32_t *pointers = environment.words + 3;
    if (!cpu_is_real_addressing(cpu)) {
        pointers[0] = fpu->ip;
        pointers[1] = fpu->cs;
        pointers[2] = fpu->dp;
        pointers[3] = fpu->ds;
        if (word_size == 4)
            pointers[1] |= (uint32_t)fpu->opcode << 16;
    } else {
        uint32_t ip = ((uint32_t)fpu->cs << 4) + fpu->ip, dp = ((uint32_t)fpu->ds << 4) + fpu->dp;
        pointers[0] = ip & 0xFFFF;
        pointers[1] = (ip >> 16) << 12 | fpu->opcode;
        pointers[2] = dp & 0xFFFF;
        pointers[3] = (dp >> 16) << 12;
    }
    if (word_size == 4) { /* the reserved halves read as ones */
        for (unsigned i = 0; i < 3; i++)
            environment.words[i] |= 0xFFFF0000;
        if (!cpu_is_real_addressing(cpu)) {
            environment.words[6] |= 0xFFFF0000;
        } else {
            environment.words[3] |= 0xFFFF0000;
            environment.words[5] |= 0xFFFF0000;
        }
    }
    return environment;
}

static void take_environment(Cpu *cpu, const Environment *environment, unsigned word_size) {
    FpuState *fpu = &cpu->state.fpu;
    const uint32_t *pointers = environment->words + 3;
    fpu->control = (uint16_t)((environment->words[0] & X87_CONTROL_MASK) | X87_CONTROL_FIXED);
    fpu->status = (uint16_t)environment->words[1];
    fpu->tags = (uint16_t)environment->words[2];
    if (!cpu_is_real_addressing(cpu)) {
        fpu->ip = pointers[0];
        fpu->cs = (uint16_t)pointers[1];
        fpu->dp = pointers[2];
        fpu->ds = (uint16_t)pointers[3];
        fpu->opcode = word_size == 4 ? pointers[1] >> 16 & 0x7FF : 0;
    } else {
        fpu->ip = (pointers[0] & 0xFFFF) | pointers[1] >> 12 << 16;
        fpu->dp = (pointers[2] & 0xFFFF) | pointers[3] >> 12 << 16;
        fpu->cs = fpu->ds = 0;
        fpu->opcode = pointers[1] & 0x7FF;
    }
}

/* After registers and tag word are loaded: all tags but empty ones follow the contents. */
static void settle(Cpu *cpu) {
    FpuState *fpu = &cpu->state.fpu;
    x87_settle_tags(fpu);
    x87_update_summary(cpu);
}

static unsigned get_word_size(const X87Instruction *insn) {
    return insn->operand_size == 4 ? 4 : 2;
}

static bool write_environment(Cpu *cpu, const X87Instruction *insn) {
    unsigned size = get_word_size(insn);
    Environment environment = make_environment(cpu, size);
    uint8_t bytes[7 * 4];
    for (unsigned i = 0; i < 7; i++)
        store_le(bytes + i * size, size, environment.words[i]);
    return x87_write_words(cpu, insn, 0, size, 7, bytes);
}

static bool read_environment(Cpu *cpu, const X87Instruction *insn, unsigned total,
                             Environment *environment) {
    unsigned size = get_word_size(insn);
    uint32_t linear;
    if (!cpu_check_segment(cpu, insn->segment, insn->offset, total, false, &linear))
        return false;
    uint8_t bytes[7 * 4];
    if (!x87_read_words(cpu, insn, 0, size, 7, bytes))
        return false;
    for (unsigned i = 0; i < 7; i++)
        environment->words[i] = (uint32_t)load_le(bytes + i * size, size);
    return true;
}

HelperResult x87_load_environment(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    Environment environment;
    if (!read_environment(cpu, insn, 7 * get_word_size(insn), &environment))
        return HELPER_FAULT;
    take_environment(cpu, &environment, get_word_size(insn));
    settle(cpu);
    return HELPER_NEXT;
}

/* Masks all exceptions afterwards. */
HelperResult x87_store_environment(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    unsigned total = 7 * get_word_size(insn);
    if (!x87_check_write(cpu, insn->segment, insn->offset, total) || !write_environment(cpu, insn))
        return HELPER_FAULT;
    cpu->state.fpu.control |= FLOAT_EXCEPTIONS;
    x87_update_summary(cpu);
    return HELPER_NEXT;
}

enum { REGISTERS_BYTES = 8 * 10 };

/* The registers follow the environment in stack order. */
HelperResult x87_restore(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    (void)parameter;
    unsigned size = get_word_size(insn);
    Environment environment;
    uint8_t registers[REGISTERS_BYTES];
    if (!read_environment(cpu, insn, 7 * size + REGISTERS_BYTES, &environment) ||
        !x87_read_words(cpu, insn, 7 * size, size, REGISTERS_BYTES / size, registers))
        return HELPER_FAULT;
    FpuState *fpu = &cpu->state.fpu;
    take_environment(cpu, &environment, size);
    for (unsigned i = 0; i < 8; i++) {
        struct FpuRegister *target = &fpu->st[(x87_get_top(fpu) + i) & 7];
        target->significand = load_le64(registers + 10 * i);
        target->sign_exponent = load_le16(registers + 10 * i + 8);
    }
    settle(cpu);
    return HELPER_NEXT;
}

HelperResult x87_save(Cpu *cpu, const X87Instruction *insn, unsigned parameter) {
    unsigned size = get_word_size(insn);
    uint8_t registers[REGISTERS_BYTES];
    for (unsigned i = 0; i < 8; i++) {
        Float80 value = x87_get(&cpu->state.fpu, i);
        store_le64(registers + 10 * i, value.significand);
        store_le16(registers + 10 * i + 8, value.sign_exponent);
    }
    if (!x87_check_write(cpu, insn->segment, insn->offset, 7 * size + REGISTERS_BYTES) ||
        !write_environment(cpu, insn) ||
        !x87_write_words(cpu, insn, 7 * size, size, REGISTERS_BYTES / size, registers))
        return HELPER_FAULT;
    return x87_initialise(cpu, insn, parameter);
}
