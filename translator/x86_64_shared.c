/* One check for several memory operands (shared_checks.h). */
#include "x86_64_internal.h"

static bool is_high_byte(unsigned kind, unsigned ureg) {
    return kind == UOPERAND_REG && ureg >= UREG_AH && ureg <= UREG_BH;
}

static bool names_high_byte(const Uop *uop) {
    return is_high_byte(uop->dst_kind, uop->dst) || is_high_byte(uop->src_kind, uop->src);
}

/* The temporaries may hold the address of a span. Is one wanted for something else here? */
static bool needs_temporary(const Uop *uop, unsigned reg) {
    unsigned ureg = reg == HOST_R11 ? UREG_T1 : UREG_T0;
    if (uop->code == UOP_DIV || uop->code == UOP_IDIV) /* the backend's scratch */
        return ureg == UREG_T1;
    if (uop->code == UOP_JMP_INDIRECT)
        return ureg == UREG_T0 || uop->imm2 == UOP_FAR;
    return uop->code == UOP_HELPER || shared_checks_names_register(uop, ureg);
}

static bool calls_helper(const Uop *uop) {
    (void)uop;
    return false;
}

void x86_find_shared_checks(Translation *translation) {
    static const SharedHost host = {.registers = {HOST_R11, HOST_R10},
                                    .register_count = 2,
                                    .needs_register = needs_temporary,
                                    .calls_helper = calls_helper};
    bool enabled =
        translation->key.limit == 0 && !translation->backend->translator->options.no_shared_checks;
    shared_checks_find(&translation->shared, &host, translation->lifted, translation->context,
                       enabled);
}

static void emit_sum(Translation *translation, unsigned host, int32_t distance) {
    UopAddress address = translation->shared.address[translation->uop - translation->lifted->uop];
    address.displacement = distance;
    x86_emit_offset(translation, host, &address);
}

/* Where a group without a register keeps its address. */
static HostOperand slot_of(const Translation *translation, const SharedGroup *group) {
    size_t number = (size_t)(group - translation->shared.group);
    return cpu_mem(CPU_OFFSET(shared_host[0]) + (int32_t)(number * sizeof(uint64_t)));
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
    x86_flags_clobber(translation, FLAG_GROUP_ALL);
    x86_fpu_emit_pointers(translation);
    emit_sum(translation, HOST_ADDRESS, group->low);
    emit_sum(translation, HOST_SCRATCH, (int32_t)((uint32_t)group->high - 1));
    asm_alu(assembler, 4, ALU_XOR, HOST_SCRATCH, host_reg(HOST_ADDRESS));
    asm_test_imm(assembler, 4, host_reg(HOST_SCRATCH), PAGE_SIZE);
    group->crossing_site = asm_jcc(assembler, COND_NZ);
    x86_emit_page_number(translation, HOST_SCRATCH, HOST_ADDRESS);
    HostOperand entry =
        x86_tlb_entry(translation, group->writes ? SITE_WRITE : SITE_READ, HOST_SCRATCH);
    if (group->host == SHARED_IN_MEMORY) {
        asm_alu(assembler, 8, ALU_ADD, HOST_ADDRESS, entry);
    } else {
        asm_mov(assembler, 8, group->host, entry);
        asm_alu(assembler, 8, ALU_ADD, group->host, host_reg(HOST_ADDRESS));
    }
    group->miss_site = translation->backend->translator->options.force_misses
                           ? asm_jmp(assembler)
                           : asm_jcc(assembler, COND_S);
    if (group->host == SHARED_IN_MEMORY)
        asm_mov_to(assembler, 8, slot_of(translation, group), HOST_ADDRESS);
    group->uncounted = (uint8_t)(translation->lifted->insn_count - uop->insn);
    group->link =
        x86_add_link(translation, translation->lifted->insn[uop->insn].eip, BLOCK_UNSHARED);
}

bool x86_emit_shared_operand(Translation *translation) {
    unsigned index = (unsigned)(translation->uop - translation->lifted->uop);
    const SharedAccess *access = &translation->shared.access[index];
    SharedGroup *group = shared_checks_group(&translation->shared, index);
    if (group == NULL)
        return false;
    unsigned code = translation->uop->code;
    bool keeps_flags = code == UOP_MOV || code == UOP_MOVZX || code == UOP_MOVSX;
    if (group->first == index)
        emit_check(translation, group);
    else if (!keeps_flags)
        x86_flags_clobber(translation, FLAG_GROUP_ALL);
    unsigned host = group->host == SHARED_IN_MEMORY ? HOST_ADDRESS : group->host;
    if (group->host == SHARED_IN_MEMORY && group->first != index)
        asm_mov(&translation->assembler, 8, HOST_ADDRESS, slot_of(translation, group));
    translation->memory = host_mem(host, access->offset);
    if (access->scale != 0) {
        translation->memory.index = (uint8_t)host_register(access->index);
        translation->memory.scale = access->scale;
    }
    if (host != HOST_ADDRESS && names_high_byte(translation->uop)) { /* R10, R11 want a prefix */
        asm_lea(&translation->assembler, 8, HOST_ADDRESS, translation->memory);
        translation->memory = host_mem(HOST_ADDRESS, 0);
    }
    return true;
}

/* Behind the block: the instructions that were not run are given back to the counter. */
void x86_emit_unshared_exits(Translation *translation) {
    Assembler *assembler = &translation->assembler;
    for (unsigned i = 1; i < translation->shared.group_count; i++) {
        const SharedGroup *group = &translation->shared.group[i];
        if (group->crossing_site == NULL)
            continue;
        asm_patch(group->crossing_site, assembler->code);
        asm_patch(group->miss_site, assembler->code);
        asm_alu_imm(assembler, 8, ALU_ADD, host_reg(HOST_COUNT), group->uncounted);
        x86_emit_link_jump(translation, -1, group->link);
    }
}
