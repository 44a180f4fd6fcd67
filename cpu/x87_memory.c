/* x87 operands in memory that are larger than one access. */
#include "linear.h"
#include "little_endian.h"
#include "x87_internal.h"
#include <string.h>

bool x87_read_float80(Cpu *cpu, unsigned segment, uint32_t offset, Float80 *value) {
    uint64_t significand, sign_exponent;
    uint32_t linear;
    if (!cpu_check_segment(cpu, segment, offset, 10, false, &linear) ||
        !cpu_read(cpu, segment, offset, 8, &significand) ||
        !cpu_read(cpu, segment, offset + 8, 2, &sign_exponent))
        return false;
    *value = (Float80){significand, (uint16_t)sign_exponent};
    return true;
}

bool x87_check_write(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size) {
    uint32_t linear;
    bool user = cpu->state.cpl == 3;
    if (!cpu_check_segment(cpu, segment, offset, size, true, &linear) ||
        !linear_check_write(cpu, linear, 1, user))
        return false;
    /* At most two pages; CR2 gets the first byte of the one that is missing. */
    uint32_t last_page = (linear + size - 1) & ~PAGE_OFFSET_MASK;
    return last_page == (linear & ~PAGE_OFFSET_MASK) || linear_check_write(cpu, last_page, 1, user);
}

bool x87_check_store(Cpu *cpu, unsigned segment, uint32_t offset, unsigned size) {
    uint32_t linear;
    return cpu_check_segment(cpu, segment, offset, size, true, &linear) &&
           cpu_check_alignment(cpu, linear, size == 10 ? 8 : size) &&
           x87_check_write(cpu, segment, offset, size);
}

uint8_t *x87_find_memory(Cpu *cpu, uint32_t linear, unsigned size, bool write) {
    unsigned table = (cpu->state.cpl == 3 ? TLB_USER_READ : TLB_SUPER_READ) + write;
    return cpu_checks_alignment(cpu) ? NULL : tlb_find_plain(&cpu->tlb, table, linear, size);
}

bool x87_read_words(Cpu *cpu, const X87Instruction *insn, unsigned at, unsigned word_size,
                    unsigned count, uint8_t *bytes) {
    uint32_t linear;
    if (!cpu_check_segment(cpu, insn->segment, insn->offset + at, count * word_size, false,
                           &linear))
        return false;
    const uint8_t *host = x87_find_memory(cpu, linear, count * word_size, false);
    if (host != NULL) {
        memcpy(bytes, host, count * word_size);
        return true;
    }
    for (unsigned i = 0; i < count * word_size; i += word_size) {
        uint64_t word;
        if (!cpu_read(cpu, insn->segment, insn->offset + at + i, word_size, &word))
            return false;
        store_le(bytes + i, word_size, word);
    }
    return true;
}

bool x87_write_words(Cpu *cpu, const X87Instruction *insn, unsigned at, unsigned word_size,
                     unsigned count, const uint8_t *bytes) {
    uint32_t linear;
    if (!cpu_check_segment(cpu, insn->segment, insn->offset + at, count * word_size, true, &linear))
        return false;
    uint8_t *host = x87_find_memory(cpu, linear, count * word_size, true);
    if (host != NULL) {
        memcpy(host, bytes, count * word_size);
        return true;
    }
    for (unsigned i = 0; i < count * word_size; i += word_size) {
        uint64_t word = load_le(bytes + i, word_size);
        if (!cpu_write(cpu, insn->segment, insn->offset + at + i, word_size, word))
            return false;
    }
    return true;
}

bool x87_write_float80(Cpu *cpu, unsigned segment, uint32_t offset, Float80 value) {
    return x87_check_write(cpu, segment, offset, 10) &&
           cpu_write(cpu, segment, offset, 8, value.significand) &&
           cpu_write(cpu, segment, offset + 8, 2, value.sign_exponent);
}
