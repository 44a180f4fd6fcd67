/* One check for several memory operands.
 *
 * Compiled code spends much of its time on its stack frame and on the members of structures: memory
 * operands of one base register and constant offsets, close to each other. Where a block has
 * several of them, the first looks whether the whole span lies on one page that the TLB has, and
 * leaves the host's address of its start in a register; the others need no check at all.
 *
 * Where that fails (the span crosses a page, or the TLB does not have it yet), execution goes on in
 * another translation of the rest of the block, whose operands are checked one by one. */
#include "vector.h"
#include "x86_64_internal.h"
#include <string.h>

enum { SPAN_MAX = 1024, MEMBERS_MIN = 3, FAR = 0x10000 };

/* Registers that may hold the address: the temporaries, where the block has no use for them. */
static const uint8_t address_registers[2] = {UREG_T1, UREG_T0};

static bool names_register(const Uop *uop, unsigned ureg) {
    return (uop->dst_kind == UOPERAND_REG && uop->dst == ureg) ||
           (uop->src_kind == UOPERAND_REG && uop->src == ureg) || uop->address.base == ureg ||
           uop->address.index == ureg;
}

static bool is_high_byte(unsigned kind, unsigned ureg) {
    return kind == UOPERAND_REG && ureg >= UREG_AH && ureg <= UREG_BH;
}

static bool names_high_byte(const Uop *uop) {
    return is_high_byte(uop->dst_kind, uop->dst) || is_high_byte(uop->src_kind, uop->src);
}

/* Is the temporary wanted for something else here? */
static bool needs_temporary(const Uop *uop, unsigned ureg) {
    if (uop->code == UOP_DIV || uop->code == UOP_IDIV) /* the backend's scratch */
        return ureg == UREG_T1;
    if (uop->code == UOP_JMP_INDIRECT)
        return ureg == UREG_T0;
    return uop->code == UOP_HELPER || names_register(uop, ureg);
}

static bool is_near(int32_t displacement) {
    return displacement >= -FAR && displacement <= FAR;
}

/* An operand at a constant distance from a general register, in a segment without base and limit.
 */
static bool is_candidate(const Translation *translation, const Uop *uop) {
    const UopAddress *address = &uop->address;
    bool aligned = uop->code == UOP_VECTOR && uop->size == 16; /* may have to be looked at */
    return uop_has_memory(uop) && !aligned && address->base < UREG_AH &&
           address->index == UREG_NONE && address->address_size == 4 &&
           address->segment != SEG_CS &&
           context_segment_kind(translation->context, address->segment) == SEGMENT_FLAT &&
           is_near(address->displacement);
}

/* Registers whose value is that of the base register at the group's head plus a constant. */
typedef struct KnownRegisters {
    uint8_t mask;
    int32_t offset[8];
} KnownRegisters;

static bool is_known(const KnownRegisters *known, unsigned ureg) {
    return ureg < 8 && (known->mask >> ureg & 1) != 0;
}

/* Is the register that a full 32-bit write gets a known one plus a constant? */
static bool find_constant(const KnownRegisters *known, const Uop *uop, int32_t *offset) {
    const UopAddress *address = &uop->address;
    if (uop->size != 4)
        return false;
    switch (uop->code) {
    case UOP_LEA:
        if (!is_known(known, address->base) || address->index != UREG_NONE ||
            address->address_size != 4 || !is_near(address->displacement))
            return false;
        *offset = known->offset[address->base] + address->displacement;
        return true;
    case UOP_MOV:
        if (uop->src_kind != UOPERAND_REG || !is_known(known, uop->src))
            return false;
        *offset = known->offset[uop->src];
        return true;
    case UOP_ADD:
    case UOP_SUB:
        if (uop->src_kind != UOPERAND_IMM || !is_known(known, uop->dst) ||
            !is_near((int32_t)uop->imm))
            return false;
        *offset = known->offset[uop->dst] +
                  (uop->code == UOP_ADD ? (int32_t)uop->imm : -(int32_t)uop->imm);
        return true;
    default:
        return false;
    }
}

static bool vector_writes(const Uop *uop, unsigned base) {
    VectorShape shape = vector_find_shape(uop->imm);
    return (shape.reg == VECTOR_BANK_GPR && shape.writes_reg && (uop->imm >> 3 & 7) == base) ||
           (shape.rm == VECTOR_BANK_GPR && shape.writes_rm && (uop->imm & 7) == base);
}

/* Does it write the register without naming it as its destination? */
static bool writes_implicitly(const Uop *uop, unsigned base) {
    switch (uop->code) {
    case UOP_XCHG:
    case UOP_XADD:
        return uop->src_kind == UOPERAND_REG && (uop->src == base || uop->src == UREG_AH + base);
    case UOP_VECTOR:
        return vector_writes(uop, base);
    case UOP_CMPXCHG:
    case UOP_CMPXCHG8B:
    case UOP_MUL:
    case UOP_IMUL:
    case UOP_CWD:
    case UOP_DIV:
    case UOP_IDIV:
    case UOP_LAHF:
    case UOP_SALC:
    case UOP_DAA:
    case UOP_DAS:
    case UOP_AAA:
    case UOP_AAS:
    case UOP_AAM:
    case UOP_AAD:
    case UOP_X87: /* FNSTSW AX */
        return base == REG_EAX || base == REG_EDX;
    default:
        return false;
    }
}

typedef struct Group {
    unsigned count, last;
    int32_t low, high; /* of the span, from the base register's value at the first member */
    bool writes;
} Group;

static bool is_written(const Uop *uop) {
    bool by_unit = uop->code == UOP_X87 || uop->code == UOP_VECTOR;
    return uop->dst_kind == UOPERAND_MEM &&
           (by_unit || (uop_info[uop->code].traits & UOP_WRITES_DST));
}

static int32_t access_size(const Uop *uop) {
    return uop->src_kind == UOPERAND_MEM && uop->src_size != 0 ? uop->src_size : uop->size;
}

/* Takes the operand in if the span stays short. */
static bool join_group(Group *group, const Uop *uop, unsigned index, int32_t moved) {
    int32_t low = uop->address.displacement + moved, high = low + access_size(uop);
    if (group->count != 0) {
        low = low < group->low ? low : group->low;
        high = high > group->high ? high : group->high;
        if (high - low > SPAN_MAX)
            return false;
    }
    group->low = low;
    group->high = high;
    group->last = index;
    group->writes |= is_written(uop);
    group->count++;
    return true;
}

static void forget_register(KnownRegisters *known, unsigned ureg) {
    if (ureg < UREG_T0)
        known->mask &= (uint8_t) ~(1u << (ureg >= UREG_AH ? ureg - UREG_AH : ureg));
}

/* What this micro-op does to the registers. */
static void follow(KnownRegisters *known, const Uop *uop) {
    int32_t offset;
    for (unsigned reg = 0; reg < 8; reg++)
        if (is_known(known, reg) && writes_implicitly(uop, reg))
            forget_register(known, reg);
    if (uop->dst_kind != UOPERAND_REG || !(uop_info[uop->code].traits & UOP_WRITES_DST))
        return;
    bool constant = uop->dst < 8 && find_constant(known, uop, &offset) && offset >= -SPAN_MAX &&
                    offset <= SPAN_MAX;
    forget_register(known, uop->dst);
    if (!constant)
        return;
    known->mask |= (uint8_t)(1u << uop->dst);
    known->offset[uop->dst] = offset;
}

/* Walks from 'first' on as long as a register with a known distance is left and the temporary is
 * free. With what such a walk found, the operands learn that they are in the group. */
static Group walk(Translation *translation, unsigned first, unsigned temporary,
                  const Group *found) {
    const UopBlock *lifted = translation->lifted;
    unsigned base = lifted->uop[first].address.base;
    KnownRegisters known = {.mask = (uint8_t)(1u << base)};
    Group group = {0};
    unsigned end = found != NULL ? found->last + 1 : lifted->uop_count;
    for (unsigned i = first; i < end && known.mask != 0; i++) {
        const Uop *uop = &lifted->uop[i];
        if (needs_temporary(uop, temporary))
            break;
        SharedAccess *access = &translation->shared[i];
        if (access->group == 0 && is_candidate(translation, uop) &&
            is_known(&known, uop->address.base)) {
            int32_t moved = known.offset[uop->address.base];
            if (join_group(&group, uop, i, moved) && found != NULL)
                *access = (SharedAccess){
                    .group = (uint8_t)(translation->group_count - 1),
                    .offset = (int16_t)(uop->address.displacement + moved - found->low)};
        }
        follow(&known, uop);
    }
    return group;
}

/* The check may send execution back to the start of the instruction: nothing of it may have been
 * done by then. */
static bool is_first_access(const UopBlock *lifted, unsigned index) {
    unsigned insn = lifted->uop[index].insn;
    for (unsigned i = index; i-- > 0 && lifted->uop[i].insn == insn;)
        if (uop_has_memory(&lifted->uop[i]) || lifted->uop[i].code == UOP_HELPER)
            return false;
    return true;
}

static void add_group(Translation *translation, unsigned first, unsigned temporary,
                      const Group *group) {
    SharedGroup *entry = &translation->group[translation->group_count++];
    *entry = (SharedGroup){.first = (uint16_t)first,
                           .low = group->low,
                           .high = group->high,
                           .writes = group->writes,
                           .host = (uint8_t)host_register(temporary)};
    walk(translation, first, temporary, group);
}

void x86_find_shared_checks(Translation *translation) {
    const UopBlock *lifted = translation->lifted;
    unsigned free_from[2] = {0, 0};
    translation->group_count = 1; /* group 0: none */
    memset(translation->shared, 0, lifted->uop_count * sizeof translation->shared[0]);
    if (translation->key.limit != 0 || translation->backend->translator->options.no_shared_checks)
        return;
    for (unsigned i = 0; i < lifted->uop_count; i++) {
        if (translation->shared[i].group != 0 || !is_candidate(translation, &lifted->uop[i]) ||
            !is_first_access(lifted, i))
            continue;
        for (unsigned r = 0; r < 2; r++) {
            if (free_from[r] > i || translation->group_count == SHARED_GROUP_MAX)
                continue;
            Group group = walk(translation, i, address_registers[r], NULL);
            if (group.count < MEMBERS_MIN)
                continue;
            add_group(translation, i, address_registers[r], &group);
            free_from[r] = group.last + 1;
            break;
        }
    }
}

/*     lea  ebp, [base + low]
 *     lea  r8d, [base + high - 1]
 *     xor  r8d, ebp
 *     test r8d, 4096              ; the span is shorter than a page
 *     jnz  unshared
 *     shrx r8d, ebp, r14d
 *     mov  address, [r14 + r8*8 + table]
 *     add  address, rbp
 *     js   unshared */
static void emit_check(Translation *translation, SharedGroup *group) {
    Assembler *assembler = &translation->assembler;
    const Uop *uop = translation->uop;
    unsigned base = host_register(uop->address.base);
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    x86_fpu_emit_pointers(translation);
    asm_lea(assembler, 4, HOST_ADDRESS, host_mem(base, group->low));
    asm_lea(assembler, 4, HOST_SCRATCH, host_mem(base, group->high - 1));
    asm_alu(assembler, 4, ALU_XOR, HOST_SCRATCH, host_reg(HOST_ADDRESS));
    asm_test_imm(assembler, 4, host_reg(HOST_SCRATCH), PAGE_SIZE);
    group->crossing_site = asm_jcc(assembler, COND_NZ);
    x86_emit_page_number(translation, HOST_SCRATCH, HOST_ADDRESS);
    asm_mov(assembler, 8, group->host,
            x86_tlb_entry(translation, group->writes ? SITE_WRITE : SITE_READ, HOST_SCRATCH));
    asm_alu(assembler, 8, ALU_ADD, group->host, host_reg(HOST_ADDRESS));
    group->miss_site = translation->backend->translator->options.force_misses
                           ? asm_jmp(assembler)
                           : asm_jcc(assembler, COND_S);
    group->uncounted = (uint8_t)(translation->lifted->insn_count - uop->insn);
    group->link =
        x86_add_link(translation, translation->lifted->insn[uop->insn].eip, BLOCK_UNSHARED);
}

bool x86_emit_shared_operand(Translation *translation) {
    unsigned index = (unsigned)(translation->uop - translation->lifted->uop);
    SharedAccess *access = &translation->shared[index];
    SharedGroup *group = &translation->group[access->group];
    bool is_checked = group->first == index || group->crossing_site != NULL;
    if (access->group == 0 || !is_checked) { /* its first member is left to a single step */
        access->group = 0;
        return false;
    }
    unsigned code = translation->uop->code;
    bool keeps_flags = code == UOP_MOV || code == UOP_MOVZX || code == UOP_MOVSX;
    if (group->first == index)
        emit_check(translation, group);
    else if (!keeps_flags)
        x86_flags_clobber(translation, FLAG_GROUP_ALL);
    translation->memory = host_mem(group->host, access->offset);
    if (names_high_byte(translation->uop)) { /* not beside R10 or R11: no REX prefix */
        asm_lea(&translation->assembler, 8, HOST_ADDRESS, translation->memory);
        translation->memory = host_mem(HOST_ADDRESS, 0);
    }
    return true;
}

/* Behind the block: the instructions that were not run are given back to the counter. */
void x86_emit_unshared_exits(Translation *translation) {
    Assembler *assembler = &translation->assembler;
    for (unsigned i = 1; i < translation->group_count; i++) {
        const SharedGroup *group = &translation->group[i];
        if (group->crossing_site == NULL)
            continue;
        asm_patch(group->crossing_site, assembler->code);
        asm_patch(group->miss_site, assembler->code);
        asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_COUNT), group->uncounted);
        x86_emit_link_jump(translation, -1, group->link);
    }
}
