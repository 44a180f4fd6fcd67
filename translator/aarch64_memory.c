/* Memory operands: address, checks, the TLB inline; and the slow paths behind the block.
 *
 * What a load of four bytes from a flat segment costs:
 *
 *     add   w0, base, #displacement ; not for a register alone
 *     lsr   w1, w0, #12
 *     ldr   x1, [table, x1, lsl #3]
 *     adds  x1, x1, x0              ; host address, or negative
 *     b.mi  slow
 *     tst   w0, #3                  ; an unaligned access may cross a page:
 *     b.ne  unaligned               ; a detour behind the block looks
 *     ldr   w19, [x1]
 *
 * Everything before the last instruction leaves the guest's state alone, so that a fault needs no
 * undoing. */
#include "aarch64_internal.h"
#include "little_endian.h"

static unsigned write_index(unsigned kind) {
    return kind != SITE_READ;
}

unsigned arm_table_register(const ArmTranslation *translation, unsigned kind) {
    bool user = context_cpl(translation->context) == 3;
    return ARM_TABLES + (user ? (write_index(kind) ? TLB_USER_WRITE : TLB_USER_READ)
                              : (write_index(kind) ? TLB_SUPER_WRITE : TLB_SUPER_READ));
}

static void add_constant(ArmAssembler *assembler, unsigned d, unsigned n, int32_t value) {
    if (value < 0 && value != INT32_MIN)
        arm_sum_imm(assembler, false, ARM_SUB, d, n, (uint32_t)-value);
    else
        arm_sum_imm(assembler, false, ARM_ADD, d, n, (uint32_t)value);
}

void arm_emit_offset(ArmTranslation *translation, unsigned d, const UopAddress *address) {
    ArmAssembler *assembler = &translation->assembler;
    bool has_base = address->base != UREG_NONE, has_index = address->index != UREG_NONE;
    int32_t displacement = address->displacement;
    bool word = address->address_size == 2;
    if (!has_base && !has_index) {
        arm_mov_imm(assembler, d, word ? (uint32_t)displacement & 0xFFFF : (uint32_t)displacement);
        return;
    }
    unsigned sum = has_base ? arm_register(address->base) : ARM_ZERO;
    if (has_index) {
        arm_sum(assembler, false, ARM_ADD, d, sum, arm_register(address->index), ARM_LSL,
                (unsigned)__builtin_ctz(address->scale));
        sum = d;
    }
    if (displacement != 0) {
        add_constant(assembler, d, sum, displacement);
        sum = d;
    }
    if (word)
        arm_extract(assembler, false, d, sum, 0, 16);
    else if (sum != d)
        arm_mov(assembler, d, sum);
}

/* A REAL segment takes any 16-bit offset; only an unaligned access at its end is beyond, and those
 * take the detour. A code segment is never writable, and not always readable. */
static bool needs_limit_check(const ArmTranslation *translation, const UopAddress *address) {
    unsigned kind = context_segment_kind(translation->context, address->segment);
    return kind == SEGMENT_GENERIC || (kind == SEGMENT_REAL && address->address_size == 4) ||
           (kind == SEGMENT_FLAT && address->segment == SEG_CS);
}

static bool has_segment_base(const ArmTranslation *translation, const UopAddress *address) {
    return context_segment_kind(translation->context, address->segment) != SEGMENT_FLAT;
}

/* An address that is a guest's register as it stands is not copied. */
static unsigned find_address(const ArmTranslation *translation, const UopAddress *address) {
    bool plain = address->base != UREG_NONE && address->index == UREG_NONE &&
                 address->displacement == 0 && address->address_size == 4;
    return plain && !has_segment_base(translation, address) ? arm_register(address->base)
                                                            : ARM_ADDRESS;
}

static void emit_segment_base(ArmTranslation *translation, const UopAddress *address) {
    if (!has_segment_base(translation, address))
        return;
    arm_load_cpu(translation, 4, ARM_HOST,
                 CPU_OFFSET(state.segment[0].base) + (int32_t)(address->segment * sizeof(Segment)));
    arm_sum(&translation->assembler, false, ARM_ADD, ARM_ADDRESS, ARM_ADDRESS, ARM_HOST, ARM_LSL,
            0);
}

void arm_memory_begin(ArmTranslation *translation, unsigned kind, unsigned size) {
    ArmAssembler *assembler = &translation->assembler;
    const UopAddress *address = &translation->uop->address;
    if (arm_emit_shared_operand(translation, size))
        return;
    translation->memory_base = ARM_HOST;
    translation->memory_offset = 0;
    ArmSlowPath *slow = &translation->slow[translation->slow_count];
    *slow = (ArmSlowPath){.uop = translation->uop,
                          .site = arm_add_site(translation, kind, size, address->segment)};
    const unsigned linear = find_address(translation, address);
    slow->address = (uint8_t)linear;
    if (linear == ARM_ADDRESS)
        arm_emit_offset(translation, ARM_ADDRESS, address);
    if (needs_limit_check(translation, address)) {
        int32_t limit = CPU_OFFSET(segment_limit[0][0]) +
                        (int32_t)(8 * (write_index(kind) * SEG_COUNT + address->segment));
        arm_sum_imm(assembler, true, ARM_ADD, ARM_HOST, linear, size - 1);
        arm_load_cpu(translation, 8, ARM_SCRATCH, limit);
        arm_sum(assembler, true, ARM_SUBS, ARM_ZERO, ARM_HOST, ARM_SCRATCH, ARM_LSL, 0);
        slow->limit_site = arm_branch_if(assembler, ARM_GT);
    }
    emit_segment_base(translation, address);
    if (translation->backend->translator->options.force_misses) {
        slow->miss_site = arm_branch(assembler);
    } else {
        arm_shift_imm(assembler, false, ARM_LSR, ARM_HOST, linear, PAGE_BITS);
        arm_load_indexed(assembler, ARM_HOST, arm_table_register(translation, kind), ARM_HOST);
        arm_sum(assembler, true, ARM_ADDS, ARM_HOST, ARM_HOST, linear, ARM_LSL, 0);
        slow->miss_site = arm_branch_if(assembler, ARM_MI);
        if (size > 1) { /* of 10 bytes, a multiple of 16 is enough */
            unsigned mask = size == 10 ? 15 : size - 1;
            arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, linear, mask);
            slow->unaligned_site = arm_branch_if(assembler, ARM_NE);
        }
    }
    slow->operation = assembler->code;
}

void arm_load_memory(ArmTranslation *translation, unsigned size, unsigned t, unsigned offset) {
    arm_load(&translation->assembler, size, t, translation->memory_base,
             translation->memory_offset + offset);
}
void arm_load_memory_signed(ArmTranslation *translation, unsigned size, unsigned t,
                            unsigned offset) {
    arm_load_signed(&translation->assembler, size, t, translation->memory_base,
                    translation->memory_offset + offset);
}
void arm_store_memory(ArmTranslation *translation, unsigned size, unsigned t, unsigned offset) {
    arm_store(&translation->assembler, size, t, translation->memory_base,
              translation->memory_offset + offset);
}
void arm_load_memory_vector(ArmTranslation *translation, unsigned size, unsigned t,
                            unsigned offset) {
    arm_load_vector(&translation->assembler, size, t, translation->memory_base,
                    translation->memory_offset + offset);
}
void arm_store_memory_vector(ArmTranslation *translation, unsigned size, unsigned t,
                             unsigned offset) {
    arm_store_vector(&translation->assembler, size, t, translation->memory_base,
                     translation->memory_offset + offset);
}

void arm_memory_end(ArmTranslation *translation) {
    if (translation->shared.access[translation->uop - translation->lifted->uop].group != 0)
        return;
    translation->slow[translation->slow_count].operation_end = translation->assembler.code;
    translation->slow_count++;
}

/* An unaligned access within its page and segment goes back to the operation; one over the page's
 * end goes on to what follows. Gives the jump of what is beyond the segment; NULL: there is none.
 */
static uint8_t *emit_unaligned(ArmTranslation *translation, const ArmSlowPath *slow,
                               unsigned size) {
    ArmAssembler *assembler = &translation->assembler;
    const UopAddress *address = &slow->uop->address;
    uint8_t *beyond = NULL;
    arm_land_here(translation, slow->unaligned_site);
    if (context_segment_kind(translation->context, address->segment) == SEGMENT_REAL &&
        address->address_size == 2) {
        arm_emit_offset(translation, ARM_SCRATCH, address);
        arm_sum_imm(assembler, false, ARM_SUBS, ARM_ZERO, ARM_SCRATCH, 0x10000 - size);
        beyond = arm_branch_if(assembler, ARM_HI);
    }
    arm_sum_imm(assembler, false, ARM_ADD, ARM_SCRATCH, slow->address, size - 1);
    arm_logic(assembler, false, ARM_EOR, false, ARM_SCRATCH, ARM_SCRATCH, slow->address, ARM_LSL,
              0);
    arm_logic_imm(assembler, ARM_ANDS, ARM_ZERO, ARM_SCRATCH, PAGE_SIZE);
    arm_land(translation, arm_branch_if(assembler, ARM_EQ), slow->operation);
    return beyond;
}

static void copy_operation(ArmAssembler *assembler, const ArmSlowPath *slow) {
    for (const uint8_t *code = slow->operation; code < slow->operation_end; code += 4)
        arm_emit(assembler, load_le32(code));
}

/* The stub for a store that may lie beside code; where one is not to be used, slow_access. */
static const uint8_t *find_store_stub(const ArmTranslation *translation, const Site *site) {
    const JitBackend *backend = translation->backend;
    const TranslatorOptions *options = &backend->translator->options;
    if (site->kind == SITE_READ || site->aligned || options->force_misses ||
        options->no_side_stores)
        return backend->slow_access;
    return arm_store_stub(backend, context_cpl(translation->context) == 3, site->size);
}

static void emit_look_up(ArmTranslation *translation, const ArmSlowPath *slow,
                         const uint8_t *function) {
    if (slow->address != ARM_ADDRESS)
        arm_mov(&translation->assembler, ARM_ADDRESS, slow->address);
    arm_emit_call(translation, function, slow->site);
}

/* What the segment has a say in: beyond its limit, where the base is not added yet, or its end. */
static void land_outside(ArmTranslation *translation, const ArmSlowPath *slow, uint8_t *beyond) {
    arm_land_here(translation, slow->limit_site);
    if (slow->limit_site != NULL)
        emit_segment_base(translation, &slow->uop->address);
    arm_land_here(translation, beyond);
}

static void emit_slow_path(ArmTranslation *translation, const ArmSlowPath *slow) {
    ArmAssembler *assembler = &translation->assembler;
    const Site *site = &translation->backend->sites[slow->site];
    const uint8_t *slow_access = translation->backend->slow_access;
    const uint8_t *look_up = find_store_stub(translation, site);
    uint8_t *beyond =
        slow->unaligned_site == NULL ? NULL : emit_unaligned(translation, slow, site->size);
    bool outside = slow->limit_site != NULL || beyond != NULL;
    bool apart = look_up != slow_access && outside;
    if (!apart && outside) {
        uint8_t *over = arm_branch(assembler);
        land_outside(translation, slow, beyond);
        arm_land_here(translation, over);
    }
    arm_land_here(translation, slow->miss_site);
    emit_look_up(translation, slow, look_up);
    uint8_t *found = assembler->code;
    if (site->kind == SITE_READ) {
        arm_land(translation, arm_branch(assembler), slow->operation);
        return;
    }
    arm_land(translation, arm_branch_zero(assembler, false, false, ARM_LEAVE), slow->operation);
    copy_operation(assembler, slow);
    arm_emit_call(translation, translation->backend->flush_bounce, slow->site);
    arm_land(translation, arm_branch(assembler), slow->operation_end);
    if (apart) {
        land_outside(translation, slow, beyond);
        emit_look_up(translation, slow, slow_access);
        arm_land(translation, arm_branch(assembler), found);
    }
}

void arm_emit_slow_paths(ArmTranslation *translation) {
    for (unsigned i = 0; i < translation->slow_count && !translation->assembler.overflow; i++)
        emit_slow_path(translation, &translation->slow[i]);
}
