/* One check for several memory operands (shared_checks.h). */
#include "aarch64_internal.h"
#include "x87_fast.h"

/* ARM_FRAME, and the temporaries where the block has no use for them. */
static bool needs_register(const Uop *uop, unsigned reg) {
    if (reg == ARM_FRAME)
        return false;
    unsigned ureg = reg == ARM_T1 ? UREG_T1 : UREG_T0;
    return uop->code == UOP_HELPER || uop->code == UOP_X87 || uop->code == UOP_JMP_INDIRECT ||
           shared_checks_names_register(uop, ureg);
}

/* What aarch64_x87.c leaves to the handlers. */
static bool calls_helper(const Uop *uop) {
    return uop->code == UOP_X87 && uop->dst_kind != UOPERAND_MEM &&
           x87_find_entry(uop->imm) == NULL;
}

void arm_find_shared_checks(ArmTranslation *translation) {
    static const SharedHost host = {.registers = {ARM_FRAME, ARM_T1, ARM_T0},
                                    .register_count = 3,
                                    .needs_register = needs_register,
                                    .calls_helper = calls_helper};
    bool enabled =
        translation->key.limit == 0 && !translation->backend->translator->options.no_shared_checks;
    shared_checks_find(&translation->shared, &host, translation->lifted, translation->context,
                       enabled);
}

static int32_t slot_of(const ArmTranslation *translation, const SharedGroup *group) {
    size_t number = (size_t)(group - translation->shared.group);
    return CPU_OFFSET(shared_host[0]) + (int32_t)(number * sizeof(uint64_t));
}

/* The lowest address of the span: a guest's register, if it is that, or ARM_ADDRESS. */
static unsigned emit_low(ArmTranslation *translation, const SharedGroup *group) {
    UopAddress address = translation->shared.address[group->first];
    address.displacement = group->low;
    if (group->low == 0 && address.index == UREG_NONE)
        return arm_register(address.base);
    arm_emit_offset(translation, ARM_ADDRESS, &address);
    return ARM_ADDRESS;
}

/*     add  w0, base, #low
 *     add  w1, w0, #span - 1
 *     eor  w1, w1, w0
 *     tbnz w1, #12, unshared       ; the span is shorter than a page
 *     lsr  w1, w0, #12
 *     ldr  x1, [table, x1, lsl #3]
 *     adds host, x1, x0
 *     b.mi unshared */
static void emit_check(ArmTranslation *translation, SharedGroup *group) {
    ArmAssembler *assembler = &translation->assembler;
    const Uop *uop = translation->uop;
    arm_emit_x87_pointers(translation);
    unsigned low = emit_low(translation, group);
    arm_sum_imm(assembler, false, ARM_ADD, ARM_HOST, low,
                (uint32_t)group->high - (uint32_t)group->low - 1);
    arm_logic(assembler, false, ARM_EOR, false, ARM_HOST, ARM_HOST, low, ARM_LSL, 0);
    ArmTest crosses = {.kind = ARM_TEST_BIT, .reg = ARM_HOST, .bit = PAGE_BITS};
    group->crossing_site = arm_test_branch(translation, crosses);
    unsigned host = group->host == SHARED_IN_MEMORY ? ARM_HOST : group->host;
    arm_shift_imm(assembler, false, ARM_LSR, ARM_HOST, low, PAGE_BITS);
    arm_load_indexed(assembler, ARM_HOST,
                     arm_table_register(translation, group->writes ? SITE_WRITE : SITE_READ),
                     ARM_HOST);
    arm_sum(assembler, true, ARM_ADDS, host, ARM_HOST, low, ARM_LSL, 0);
    group->miss_site = translation->backend->translator->options.force_misses
                           ? arm_branch(assembler)
                           : arm_branch_if(assembler, ARM_MI);
    if (group->host == SHARED_IN_MEMORY)
        arm_store_cpu(translation, 8, ARM_HOST, slot_of(translation, group));
    group->uncounted = (uint8_t)(translation->lifted->insn_count - uop->insn);
    group->link =
        arm_new_link(translation, translation->lifted->insn[uop->insn].eip, BLOCK_UNSHARED);
}

/* Loads and stores reach so far by an immediate, at any alignment or at their own. */
static bool is_encodable(unsigned offset, unsigned size) {
    enum { UNSCALED_MAX = 255 - 8 };
    return offset <= UNSCALED_MAX || (size != 10 && offset % size == 0);
}

bool arm_emit_shared_operand(ArmTranslation *translation, unsigned size) {
    ArmAssembler *assembler = &translation->assembler;
    unsigned index = (unsigned)(translation->uop - translation->lifted->uop);
    const SharedAccess *access = &translation->shared.access[index];
    SharedGroup *group = shared_checks_group(&translation->shared, index);
    if (group == NULL)
        return false;
    unsigned host = group->host == SHARED_IN_MEMORY ? ARM_HOST : group->host;
    if (group->first == index)
        emit_check(translation, group);
    else if (group->host == SHARED_IN_MEMORY)
        arm_load_cpu(translation, 8, ARM_HOST, slot_of(translation, group));
    if (access->scale != 0) {
        arm_sum(assembler, true, ARM_ADD, ARM_HOST, host, arm_register(access->index), ARM_LSL,
                (unsigned)__builtin_ctz(access->scale));
        host = ARM_HOST;
    }
    unsigned offset = (unsigned)access->offset;
    if (!is_encodable(offset, size)) {
        arm_sum_imm(assembler, true, ARM_ADD, ARM_HOST, host, offset);
        host = ARM_HOST;
        offset = 0;
    }
    translation->memory_base = (uint8_t)host;
    translation->memory_offset = offset;
    return true;
}

/* Behind the block: the instructions that were not run are given back to the counter. */
void arm_emit_unshared_exits(ArmTranslation *translation) {
    ArmAssembler *assembler = &translation->assembler;
    for (unsigned i = 1; i < translation->shared.group_count && !assembler->overflow; i++) {
        const SharedGroup *group = &translation->shared.group[i];
        if (group->crossing_site == NULL || translation->failed)
            continue;
        arm_land_here(translation, group->crossing_site);
        arm_land_here(translation, group->miss_site);
        arm_sum_imm(assembler, true, ARM_ADD, ARM_COUNT, ARM_COUNT, group->uncounted);
        arm_emit_link_stub(translation, group->link);
    }
}
