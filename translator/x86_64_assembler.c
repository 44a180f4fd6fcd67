/* See x86_64_assembler.h. Encodings: SDM vol. 2A 2.1 and 2.2, vol. 2D appendix A. */
#include "x86_64_assembler.h"
#include "x86_64_registers.h"
#include <assert.h>
#include <string.h>

enum { INSN_BYTES_MAX = 16 }; /* without an immediate there are fewer */

void asm_byte(Assembler *assembler, unsigned byte) {
    if (assembler->code < assembler->end)
        *assembler->code++ = (uint8_t)byte;
    else
        assembler->overflow = true;
}

/* Bytes in the order of this host, which is the one that the code is for. */
static void add_bytes(Assembler *assembler, const void *bytes, size_t size) {
    if ((size_t)(assembler->end - assembler->code) < size) {
        assembler->overflow = true;
        return;
    }
    memcpy(assembler->code, bytes, size);
    assembler->code += size;
}

void asm_dword(Assembler *assembler, uint32_t value) {
    add_bytes(assembler, &value, sizeof(value));
}

void asm_qword(Assembler *assembler, uint64_t value) {
    add_bytes(assembler, &value, sizeof(value));
}

static uint8_t *put_opcode(uint8_t *code, uint32_t opcode) {
    if (opcode > 0xFFFF)
        *code++ = (uint8_t)(opcode >> 16);
    if (opcode > 0xFF)
        *code++ = (uint8_t)(opcode >> 8);
    *code++ = (uint8_t)opcode;
    return code;
}

static uint8_t *put_modrm(uint8_t *code, unsigned reg, HostOperand rm) {
    unsigned digit = (reg & 7) << 3;
    if (!rm.is_memory) {
        *code++ = (uint8_t)(0xC0 | digit | (rm.reg & 7));
        return code;
    }
    bool byte_displacement = rm.displacement >= -128 && rm.displacement <= 127;
    bool none = rm.displacement == 0 && (rm.reg & 7) != 5; /* RBP and R13 cannot do without */
    unsigned mod = none ? 0 : byte_displacement ? 0x40 : 0x80;
    if (rm.reg == HOST_NO_BASE) { /* that form with no displacement: a dword all the same */
        byte_displacement = false;
        mod = 0;
    }
    if (rm.index != HOST_RSP || (rm.reg & 7) == 4) {
        static const uint8_t scale_bits[9] = {[1] = 0x00, [2] = 0x40, [4] = 0x80, [8] = 0xC0};
        *code++ = (uint8_t)(mod | digit | 4);
        *code++ = (uint8_t)(scale_bits[rm.scale] | (unsigned)(rm.index & 7) << 3 | (rm.reg & 7));
    } else {
        *code++ = (uint8_t)(mod | digit | (rm.reg & 7));
    }
    if (none)
        return code;
    memcpy(code, &rm.displacement, sizeof rm.displacement);
    return code + (byte_displacement ? 1 : sizeof rm.displacement);
}

/* AH to BH are encoded as 4 to 7, without REX; SPL to DIL the same with it. */
static unsigned byte_code(unsigned reg) {
    return reg >= HOST_AH ? reg - HOST_AH + 4 : reg;
}

void asm_reg_rm_sized(Assembler *assembler, unsigned size, unsigned rm_size, uint32_t opcode,
                      unsigned reg, HostOperand rm) {
    bool high =
        (size == 1 && reg >= HOST_AH) || (!rm.is_memory && rm_size == 1 && rm.reg >= HOST_AH);
    bool low = (size == 1 && reg >= 4 && reg < HOST_AH) ||
               (!rm.is_memory && rm_size == 1 && rm.reg >= 4 && rm.reg < HOST_AH);
    reg = byte_code(reg);
    if (!rm.is_memory)
        rm.reg = (uint8_t)byte_code(rm.reg);
    unsigned rex = (size == 8 ? 8u : 0) | (reg >> 3 & 1) << 2 | (rm.reg >> 3 & 1u);
    if (rm.is_memory)
        rex |= (rm.index >> 3 & 1u) << 1;
    if (assembler->end - assembler->code < INSN_BYTES_MAX) {
        assembler->overflow = true;
        return;
    }
    uint8_t *code = assembler->code;
    if (size == 2)
        *code++ = 0x66;
    if (opcode > 0xFFFF &&
        (opcode >> 16 == 0xF3 || opcode >> 16 == 0xF2)) { /* a mandatory prefix stands before REX */
        *code++ = (uint8_t)(opcode >> 16);
        opcode &= 0xFFFF;
    }
    if (rex != 0 || low) {
        assert(!high);
        *code++ = (uint8_t)(0x40 | rex);
    }
    (void)high;
    code = put_opcode(code, opcode);
    assembler->code = put_modrm(code, reg, rm);
}

void asm_reg_rm(Assembler *assembler, unsigned size, uint32_t opcode, unsigned reg,
                HostOperand rm) {
    asm_reg_rm_sized(assembler, size, size, opcode, reg, rm);
}

/* Opcodes come in pairs: the even one for bytes, the odd one for the rest. */
static uint32_t sized(uint32_t byte_opcode, unsigned size) {
    return byte_opcode | (size != 1);
}

static void emit_imm(Assembler *assembler, unsigned size, uint32_t value) {
    if (size == 1) {
        asm_byte(assembler, value & 0xFF);
    } else if (size == 2) {
        asm_byte(assembler, value & 0xFF);
        asm_byte(assembler, value >> 8 & 0xFF);
    } else {
        asm_dword(assembler, value);
    }
}

/* /digit operations take any number as reg: a byte operation must not mistake it for SPL to DIL. */
static void emit_digit(Assembler *assembler, unsigned size, uint32_t opcode, unsigned digit,
                       HostOperand rm) {
    asm_reg_rm_sized(assembler, size == 1 ? 4 : size, size, opcode, digit, rm);
}

void asm_mov(Assembler *assembler, unsigned size, unsigned reg, HostOperand source) {
    asm_reg_rm(assembler, size, sized(0x8A, size), reg, source);
}

void asm_mov_to(Assembler *assembler, unsigned size, HostOperand destination, unsigned reg) {
    asm_reg_rm(assembler, size, sized(0x88, size), reg, destination);
}

void asm_mov_imm(Assembler *assembler, unsigned size, HostOperand destination, uint32_t value) {
    emit_digit(assembler, size, sized(0xC6, size), 0, destination);
    emit_imm(assembler, size, value);
}

void asm_mov_imm64(Assembler *assembler, unsigned reg, uint64_t value) {
    asm_byte(assembler, 0x48 | (reg >> 3 & 1));
    asm_byte(assembler, 0xB8 | (reg & 7));
    asm_qword(assembler, value);
}

void asm_lea(Assembler *assembler, unsigned size, unsigned reg, HostOperand address) {
    asm_reg_rm(assembler, size, 0x8D, reg, address);
}

void asm_alu(Assembler *assembler, unsigned size, unsigned operation, unsigned reg,
             HostOperand source) {
    asm_reg_rm(assembler, size, sized(operation << 3 | 2, size), reg, source);
}

void asm_alu_to(Assembler *assembler, unsigned size, unsigned operation, HostOperand destination,
                unsigned reg) {
    asm_reg_rm(assembler, size, sized(operation << 3, size), reg, destination);
}

void asm_alu_imm(Assembler *assembler, unsigned size, unsigned operation, HostOperand destination,
                 uint32_t value) {
    int32_t extended = size == 2 ? (int16_t)value : (int32_t)value;
    if (size != 1 && extended >= -128 && extended <= 127) {
        emit_digit(assembler, size, 0x83, operation, destination);
        asm_byte(assembler, value & 0xFF);
        return;
    }
    emit_digit(assembler, size, sized(0x80, size), operation, destination);
    emit_imm(assembler, size, value);
}

void asm_test(Assembler *assembler, unsigned size, HostOperand rm, unsigned reg) {
    asm_reg_rm(assembler, size, sized(0x84, size), reg, rm);
}

void asm_test_imm(Assembler *assembler, unsigned size, HostOperand rm, uint32_t value) {
    emit_digit(assembler, size, sized(0xF6, size), 0, rm);
    emit_imm(assembler, size, value);
}

void asm_unary(Assembler *assembler, unsigned size, unsigned digit, HostOperand operand) {
    emit_digit(assembler, size, sized(0xF6, size), digit, operand);
}

void asm_inc(Assembler *assembler, unsigned size, bool decrement, HostOperand operand) {
    emit_digit(assembler, size, sized(0xFE, size), decrement, operand);
}

void asm_shift_imm(Assembler *assembler, unsigned size, unsigned digit, HostOperand operand,
                   unsigned count) {
    if (count == 1) {
        emit_digit(assembler, size, sized(0xD0, size), digit, operand);
        return;
    }
    emit_digit(assembler, size, sized(0xC0, size), digit, operand);
    asm_byte(assembler, count);
}

/* VEX.LZ.F2.0F38.W0 F7 /r */
void asm_shrx(Assembler *assembler, unsigned reg, unsigned source, unsigned count) {
    asm_byte(assembler, 0xC4);
    asm_byte(assembler, (~reg >> 3 & 1) << 7 | 1 << 6 | (~source >> 3 & 1) << 5 | 2);
    asm_byte(assembler, (~count & 15) << 3 | 3);
    asm_byte(assembler, 0xF7);
    asm_byte(assembler, 0xC0 | (reg & 7) << 3 | (source & 7));
}

void asm_shift_cl(Assembler *assembler, unsigned size, unsigned digit, HostOperand operand) {
    emit_digit(assembler, size, sized(0xD2, size), digit, operand);
}

void asm_setcc(Assembler *assembler, unsigned condition, HostOperand operand) {
    emit_digit(assembler, 1, 0x0F90 | condition, 0, operand);
}

void asm_call_mem(Assembler *assembler, HostOperand target) {
    asm_reg_rm(assembler, 4, 0xFF, 2, target);
}
void asm_jmp_mem(Assembler *assembler, HostOperand target) {
    asm_reg_rm(assembler, 4, 0xFF, 4, target);
}

static uint8_t *displacement_site(Assembler *assembler) {
    uint8_t *site = assembler->code;
    asm_dword(assembler, 0);
    return site;
}

uint8_t *asm_jcc(Assembler *assembler, unsigned condition) {
    asm_byte(assembler, 0x0F);
    asm_byte(assembler, 0x80 | condition);
    return displacement_site(assembler);
}

uint8_t *asm_jmp(Assembler *assembler) {
    asm_byte(assembler, 0xE9);
    return displacement_site(assembler);
}

uint8_t *asm_call(Assembler *assembler) {
    asm_byte(assembler, 0xE8);
    return displacement_site(assembler);
}

void asm_patch(uint8_t *site, const uint8_t *target) {
    if (site == NULL)
        return;
    int32_t displacement = (int32_t)(target - (site + 4));
    memcpy(site, &displacement, 4);
}
