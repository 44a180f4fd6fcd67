/* What is known of each micro-op; which flags are needed after it; printing and validation. */
#include "uop.h"
#include "cpu.h"
#include "helpers.h"
#include <stddef.h>
#include <stdio.h>

const UopInfo uop_info[UOP_COUNT] = {
#define UOP(name, written, read, traits, meaning) {#name, (written), (read), (traits)},
#include "uop.def"
#undef UOP
};

#define STATE_FIELD(member)                                                                        \
    { offsetof(Cpu, state.member), sizeof(((Cpu *)0)->state.member) }
const UopStateField uop_state_fields[UOP_STATE_COUNT] = {
    [UOP_STATE_CR0] = STATE_FIELD(cr0),
    [UOP_STATE_CR2] = STATE_FIELD(cr2),
    [UOP_STATE_CR3] = STATE_FIELD(cr3),
    [UOP_STATE_CR4] = STATE_FIELD(cr4),
    [UOP_STATE_LDTR] = STATE_FIELD(segment[SEG_LDTR].selector),
    [UOP_STATE_TR] = STATE_FIELD(segment[SEG_TR].selector),
    [UOP_STATE_GDTR_LIMIT] = STATE_FIELD(gdtr.limit),
    [UOP_STATE_GDTR_BASE] = STATE_FIELD(gdtr.base),
    [UOP_STATE_IDTR_LIMIT] = STATE_FIELD(idtr.limit),
    [UOP_STATE_IDTR_BASE] = STATE_FIELD(idtr.base),
};

uint8_t uop_condition_groups(unsigned condition) {
    static const uint8_t groups[8] = {
        FLAG_GROUP_O,                /* O */
        FLAG_GROUP_C,                /* B */
        FLAG_GROUP_S,                /* Z */
        FLAG_GROUP_C | FLAG_GROUP_S, /* BE */
        FLAG_GROUP_S,                /* S */
        FLAG_GROUP_S,                /* P */
        FLAG_GROUP_S | FLAG_GROUP_O, /* L */
        FLAG_GROUP_S | FLAG_GROUP_O, /* LE */
    };
    return groups[condition >> 1 & 7];
}

bool uop_is_interruptible(const Uop *uop) {
    return uop_has_memory(uop) || (uop_info[uop->code].traits & (UOP_EXITS | UOP_CALLS)) != 0;
}

void uop_block_find_needed_flags(UopBlock *block, bool all) {
    uint8_t needed = FLAG_GROUP_ALL;
    for (int i = block->uop_count - 1; i >= 0; i--) {
        Uop *uop = &block->uop[i];
        uop->flags_needed = all ? FLAG_GROUP_ALL : needed;
        if (!uop->may_keep_flags)
            needed &= (uint8_t)~uop->flags_written;
        needed |= uop->flags_read;
        if (uop_is_interruptible(uop))
            needed = FLAG_GROUP_ALL;
    }
}

static const char *const gpr_names[3][8] = {
    {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"},
    {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"},
    {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"},
};
static const char *const segment_names[SEG_COUNT] = {"es", "cs", "ss", "ds", "fs", "gs"};
static const char *const condition_names[16] = {"o", "no", "b", "nb", "z", "nz", "be", "nbe",
                                                "s", "ns", "p", "np", "l", "nl", "le", "nle"};

static void print_register(unsigned reg, unsigned size, ByteBuffer *text) {
    static const char *const high[4] = {"ah", "ch", "dh", "bh"};
    if (reg < 8)
        byte_buffer_print(text, "%s", gpr_names[size == 1 ? 0 : size == 2 ? 1 : 2][reg]);
    else if (reg >= UREG_AH && reg <= UREG_BH)
        byte_buffer_print(text, "%s", high[reg - UREG_AH]);
    else
        byte_buffer_print(text, "t%u.%u", reg - UREG_T0, size);
}

static void print_address(const UopAddress *address, ByteBuffer *text) {
    byte_buffer_print(text, "[%s:", segment_names[address->segment]);
    if (address->base != UREG_NONE)
        print_register(address->base, address->address_size, text);
    if (address->index != UREG_NONE) {
        byte_buffer_print(text, "+");
        print_register(address->index, address->address_size, text);
        byte_buffer_print(text, "*%u", address->scale);
    }
    byte_buffer_print(text, "%+d]", address->displacement);
}

static void print_operand(const Uop *uop, unsigned kind, unsigned reg, unsigned size,
                          ByteBuffer *text) {
    if (kind == UOPERAND_REG)
        print_register(reg, size, text);
    else if (kind == UOPERAND_IMM)
        byte_buffer_print(text, "%Xh", uop->imm);
    else if (kind == UOPERAND_MEM)
        print_address(&uop->address, text);
}

void uop_print(const Uop *uop, ByteBuffer *text) {
    const UopInfo *info = &uop_info[uop->code];
    byte_buffer_print(text, "%s.%u", info->name, uop->size);
    if (uop->code == UOP_JCC || uop->code == UOP_SETCC || uop->code == UOP_CMOV)
        byte_buffer_print(text, ".%s", condition_names[uop->condition]);
    if (uop->code == UOP_HELPER)
        byte_buffer_print(text, " %s(%X, %X)", helper_table[uop->helper].name, uop->imm, uop->imm2);
    if (uop->dst_kind != UOPERAND_NONE) {
        byte_buffer_print(text, " ");
        print_operand(uop, uop->dst_kind, uop->dst, uop->size, text);
    }
    if (uop->src_kind != UOPERAND_NONE) {
        byte_buffer_print(text, uop->dst_kind != UOPERAND_NONE ? ", " : " ");
        print_operand(uop, uop->src_kind, uop->src, uop->src_size ? uop->src_size : uop->size,
                      text);
    }
    if (uop->code == UOP_LEA || uop->code == UOP_BIT_ADDRESS) {
        byte_buffer_print(text, ", ");
        print_address(&uop->address, text);
    }
    if (uop->src_kind != UOPERAND_IMM && uop->code != UOP_HELPER && uop->imm != 0)
        byte_buffer_print(text, " #%X", uop->imm);
    if (uop->flags_written & uop->flags_needed)
        byte_buffer_print(text, "  ; sets %s%s%s",
                          uop->flags_written & uop->flags_needed & FLAG_GROUP_C ? "C" : "",
                          uop->flags_written & uop->flags_needed & FLAG_GROUP_O ? "O" : "",
                          uop->flags_written & uop->flags_needed & FLAG_GROUP_S ? "SZAP" : "");
    byte_buffer_print(text, "\n");
}

void uop_block_print(const UopBlock *block, ByteBuffer *text) {
    unsigned insn = UINT32_MAX;
    for (unsigned i = 0; i < block->uop_count; i++) {
        if (block->uop[i].insn != insn) {
            insn = block->uop[i].insn;
            byte_buffer_print(text, "%08X:\n", block->insn[insn].eip);
        }
        byte_buffer_print(text, "    ");
        uop_print(&block->uop[i], text);
    }
}

static bool register_is_valid(unsigned reg, unsigned size) {
    if (reg >= UREG_AH && reg <= UREG_BH)
        return size == 1;
    if (reg == UREG_T0 || reg == UREG_T1)
        return true;
    return reg < 8 && (size != 1 || reg < 4);
}

static bool operand_is_valid(unsigned kind, unsigned reg, unsigned size) {
    return kind != UOPERAND_REG || register_is_valid(reg, size);
}

static bool uop_validate(const Uop *uop, Error *error) {
    if (uop->code >= UOP_COUNT)
        return error_set(error, "no such micro-op: %u", uop->code);
    const UopInfo *info = &uop_info[uop->code];
    bool is_fpu = uop->code == UOP_X87 || uop->code == UOP_VECTOR;
    bool is_wide = (is_fpu && (uop->size == 8 || uop->size == 10 || uop->size == 16)) ||
                   (uop->code == UOP_CMPXCHG8B && uop->size == 8);
    if (uop->size != 1 && uop->size != 2 && uop->size != 4 && !is_wide)
        return error_set(error, "%s: size %u", info->name, uop->size);
    if (uop->dst_kind == UOPERAND_MEM && uop->src_kind == UOPERAND_MEM)
        return error_set(error, "%s: two memory operands", info->name);
    if (uop->dst_kind == UOPERAND_IMM)
        return error_set(error, "%s: an immediate destination", info->name);
    if ((info->traits & (UOP_READS_DST | UOP_WRITES_DST)) && uop->dst_kind == UOPERAND_NONE)
        return error_set(error, "%s: no destination", info->name);
    if ((info->traits & UOP_READS_SRC) && uop->src_kind == UOPERAND_NONE)
        return error_set(error, "%s: no source", info->name);
    if (!operand_is_valid(uop->dst_kind, uop->dst, uop->size))
        return error_set(error, "%s: destination register %u of size %u", info->name, uop->dst,
                         uop->size);
    if (!operand_is_valid(uop->src_kind, uop->src, uop->src_size ? uop->src_size : uop->size))
        return error_set(error, "%s: source register %u", info->name, uop->src);
    if (uop_has_memory(uop) && uop->address.segment >= SEG_COUNT)
        return error_set(error, "%s: segment %u", info->name, uop->address.segment);
    if (uop_has_memory(uop) && uop->address.address_size != 2 && uop->address.address_size != 4)
        return error_set(error, "%s: address size %u", info->name, uop->address.address_size);
    return true;
}

bool uop_block_validate(const UopBlock *block, Error *error) {
    if (block->insn_count == 0 || block->uop_count == 0)
        return error_set(error, "an empty block");
    unsigned insn = 0;
    for (unsigned i = 0; i < block->uop_count; i++) {
        const Uop *uop = &block->uop[i];
        if (!uop_validate(uop, error))
            return error_prefix(error, "micro-op %u: ", i);
        if (uop->insn < insn || uop->insn >= block->insn_count)
            return error_set(error, "micro-op %u: instruction %u", i, uop->insn);
        insn = uop->insn;
    }
    const Uop *last = &block->uop[block->uop_count - 1];
    if (last->code != UOP_JMP && last->code != UOP_JMP_INDIRECT && last->code != UOP_EXIT &&
        !(last->code == UOP_HELPER && (helper_table[last->helper].attributes & HELPER_ENDS_BLOCK)))
        return error_set(error, "the last micro-op is %s", uop_info[last->code].name);
    return true;
}
