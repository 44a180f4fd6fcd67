/* Keeping track of the guest's flags while code is emitted.
 *
 * The guest's status flags are first of all in the host's: the host instruction that does the
 * guest's work computes exactly them. They stay there until something clobbers the host's flags (a
 * TLB check, the poll of a block). What is still needed then must have another place. The cheapest
 * is none at all: a source that says from which registers it can be recomputed. So a CMP costs
 * nothing but itself, and is emitted again, a cycle, where a branch behind a memory access wants
 * it. Where no source will do, CF alone is kept by SETC, and all of them by LAHF and SETO: never by
 * PUSHF. */
#include "x86_64_internal.h"
#include <assert.h>
#include <string.h>

static const uint8_t group_bit[FLAG_GROUP_COUNT] = {FLAG_GROUP_C, FLAG_GROUP_O, FLAG_GROUP_S};

static bool source_uses(const FlagSource *source, unsigned operand_kind) {
    return source->a.kind == operand_kind || source->b.kind == operand_kind;
}

static bool groups_use(const Translation *translation, uint8_t groups, unsigned operand_kind) {
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++)
        if ((groups & translation->located & group_bit[g]) &&
            source_uses(&translation->flags.source[g], operand_kind))
            return true;
    return false;
}

bool x86_flags_kept_is_free(const Translation *translation, uint8_t needed) {
    return !groups_use(translation, needed, FLAG_OPERAND_KEPT);
}

void x86_flags_locate(Translation *translation, uint8_t groups, FlagSource source) {
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++)
        if (groups & group_bit[g])
            translation->flags.source[g] = source;
    translation->located |= groups;
}

void x86_flags_written(Translation *translation, uint8_t groups) {
    translation->in_host |= groups;
    translation->located &= (uint8_t)~groups;
    if (groups & FLAG_GROUP_S)
        translation->af_count.kind = FLAG_OPERAND_NONE;
}

/* Groups of before the present micro-op that are still wanted: by what comes later, or by itself.
 */
uint8_t x86_flags_wanted_before(const Translation *translation) {
    const Uop *uop = translation->uop;
    uint8_t replaced = uop->may_keep_flags ? 0 : uop->flags_written;
    return (uop->flags_needed & (uint8_t)~replaced) | uop->flags_read;
}

/* A place for an image that no needed group uses; 0 is state.flags_image. */
static unsigned free_image(const Translation *translation, uint8_t needed) {
    unsigned used = 0;
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        const FlagSource *source = &translation->flags.source[g];
        if ((needed & translation->located & group_bit[g]) && source->kind == FLAG_SOURCE_IMAGE)
            used |= 1u << source->a.number;
    }
    unsigned image = 0;
    while (used >> image & 1)
        image++;
    return image;
}

static int32_t image_offset(unsigned image) {
    return image == 0 ? CPU_OFFSET(state.flags_image)
                      : CPU_OFFSET(flag_image[0]) + 2 * (int32_t)image;
}

static int free_slot(const Translation *translation, uint8_t needed) {
    unsigned used = 0;
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        const FlagSource *source = &translation->flags.source[g];
        if (!(needed & translation->located & group_bit[g]))
            continue;
        if (source->a.kind == FLAG_OPERAND_SLOT)
            used |= 1u << source->a.number;
        if (source->b.kind == FLAG_OPERAND_SLOT)
            used |= 1u << source->b.number;
    }
    for (int slot = 0; slot < X86_AF_COUNT_SLOT; slot++)
        if (!(used >> slot & 1))
            return slot;
    return -1;
}

/* mov r8d, eax; lahf; seto al; mov [image], ax; mov eax, r8d */
static void save_image(Translation *translation, uint8_t groups, uint8_t needed) {
    Assembler *assembler = &translation->assembler;
    unsigned image = free_image(translation, needed & (uint8_t)~groups);
    asm_mov(assembler, 4, HOST_SCRATCH, host_reg(HOST_RAX));
    asm_byte(assembler, 0x9F); /* lahf */
    asm_setcc(assembler, COND_O, host_reg(HOST_RAX));
    asm_mov_to(assembler, 2, cpu_mem(image_offset(image)), HOST_RAX);
    asm_mov(assembler, 4, HOST_RAX, host_reg(HOST_SCRATCH));
    FlagSource source = {.kind = FLAG_SOURCE_IMAGE, .a.number = (uint8_t)image};
    if (groups & FLAG_GROUP_S)
        source.b = translation->af_count;
    x86_flags_locate(translation, groups, source);
}

/* CF alone: setc r9b or setc [slot]. */
static void save_carry(Translation *translation, uint8_t needed) {
    FlagSource source = {.kind = FLAG_SOURCE_CARRY, .size = 1};
    if (x86_flags_kept_is_free(translation, needed)) {
        asm_setcc(&translation->assembler, COND_B, host_reg(HOST_KEPT));
        source.a = flag_kept();
    } else {
        int slot = free_slot(translation, needed);
        if (slot < 0) {
            save_image(translation, FLAG_GROUP_C, needed);
            return;
        }
        asm_setcc(&translation->assembler, COND_B, cpu_mem(CPU_OFFSET(flag_slot[0]) + 4 * slot));
        source.a = (FlagOperand){.kind = FLAG_OPERAND_SLOT, .number = (uint8_t)slot};
    }
    x86_flags_locate(translation, FLAG_GROUP_C, source);
}

void x86_flags_before_clobber(Translation *translation, uint8_t needed) {
    uint8_t missing = needed & (uint8_t)~translation->located;
    assert((missing & ~translation->in_host) == 0);
    if (missing == FLAG_GROUP_C)
        save_carry(translation, needed);
    else if (missing != 0)
        save_image(translation, missing, needed);
}

void x86_flags_keep_carry(Translation *translation) {
    bool in_host_alone = (translation->in_host & ~translation->located & FLAG_GROUP_C) != 0;
    if (!in_host_alone || !x86_flags_kept_is_free(translation, FLAG_GROUP_ALL))
        return;
    asm_setcc(&translation->assembler, COND_B, host_reg(HOST_KEPT));
    x86_flags_locate(translation, FLAG_GROUP_C,
                     (FlagSource){.kind = FLAG_SOURCE_CARRY, .size = 1, .a = flag_kept()});
}

void x86_flags_clobber(Translation *translation, uint8_t needed) {
    x86_flags_before_clobber(translation, needed);
    translation->in_host = 0;
}

/* --- bringing flags back --- */

static bool same_source(const Translation *translation, uint8_t groups, FlagSource *source) {
    bool found = false;
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        if (!(groups & group_bit[g]))
            continue;
        if (found && memcmp(source, &translation->flags.source[g], sizeof(*source)) != 0)
            return false;
        *source = translation->flags.source[g];
        found = true;
    }
    return found;
}

static HostOperand source_operand(const FlagOperand *operand) {
    if (operand->kind == FLAG_OPERAND_REGISTER)
        return host_reg(host_register(operand->number));
    if (operand->kind == FLAG_OPERAND_KEPT)
        return host_reg(HOST_KEPT);
    return cpu_mem(CPU_OFFSET(flag_slot[0]) + 4 * (int32_t)operand->number);
}

static bool is_high(HostOperand operand) {
    return !operand.is_memory && operand.reg >= HOST_AH;
}

/* r8 = operand; the high bytes go through their whole register. */
static void load_scratch(Assembler *assembler, HostOperand operand) {
    if (is_high(operand)) {
        asm_mov(assembler, 4, HOST_SCRATCH, host_reg(operand.reg - HOST_AH));
        asm_shift_imm(assembler, 4, SHIFT_SHR, host_reg(HOST_SCRATCH), 8);
    } else {
        asm_mov(assembler, 4, HOST_SCRATCH, operand);
    }
}

static void operate(Assembler *assembler, unsigned size, unsigned operation, const FlagOperand *b) {
    if (b->kind == FLAG_OPERAND_IMM)
        asm_alu_imm(assembler, size, operation, host_reg(HOST_SCRATCH), b->value);
    else
        asm_alu(assembler, size, operation, HOST_SCRATCH, source_operand(b));
}

static bool b_is_high(const FlagSource *source) {
    return source->b.kind == FLAG_OPERAND_REGISTER && source->b.number >= UREG_AH;
}

/* Emits the instruction (or two) again whose flags these are. False: there is no short way. */
static bool recompute(Translation *translation, const FlagSource *source) {
    Assembler *assembler = &translation->assembler;
    unsigned size = source->size;
    HostOperand a = source_operand(&source->a);
    if (b_is_high(source) && source->kind != FLAG_SOURCE_COMPARE)
        return false;
    switch (source->kind) {
    case FLAG_SOURCE_COMPARE:
        if (source->b.kind == FLAG_OPERAND_IMM) {
            asm_alu_imm(assembler, size, ALU_CMP, a, source->b.value);
            return true;
        }
        if (a.is_memory ||
            (is_high(a) && !b_is_high(source) && source->b.kind != FLAG_OPERAND_REGISTER) ||
            (b_is_high(source) && source->a.kind != FLAG_OPERAND_REGISTER))
            return false;
        asm_alu(assembler, size, ALU_CMP, a.reg, source_operand(&source->b));
        return true;
    case FLAG_SOURCE_LOGIC:
        if (a.is_memory)
            asm_alu_imm(assembler, size, ALU_CMP, a,
                        0); /* CF = OF = AF = 0, the others by the value */
        else
            asm_test(assembler, size, a, a.reg);
        return true;
    case FLAG_SOURCE_ADD:
        load_scratch(assembler, a);
        operate(assembler, size, ALU_SUB, &source->b);
        operate(assembler, size, ALU_ADD, &source->b);
        return true;
    case FLAG_SOURCE_SUBTRACT:
        load_scratch(assembler, a);
        operate(assembler, size, ALU_ADD, &source->b);
        operate(assembler, size, ALU_CMP, &source->b);
        return true;
    case FLAG_SOURCE_NEGATE:
        load_scratch(assembler, a);
        asm_unary(assembler, size, UNARY_NEG, host_reg(HOST_SCRATCH));
        asm_unary(assembler, size, UNARY_NEG, host_reg(HOST_SCRATCH));
        return true;
    default:
        return false;
    }
}

/* O and S of INC and DEC, without touching CF: lea r8d, [a -+ 1]; inc or dec r8. */
static bool recompute_step(Translation *translation, const FlagSource *source) {
    Assembler *assembler = &translation->assembler;
    HostOperand a = source_operand(&source->a);
    if (is_high(a))
        return false;
    bool decrement = source->kind == FLAG_SOURCE_DECREMENT;
    asm_mov(assembler, 4, HOST_SCRATCH, a);
    asm_lea(assembler, 4, HOST_SCRATCH, host_mem(HOST_SCRATCH, decrement ? 1 : -1));
    asm_inc(assembler, source->size, decrement, host_reg(HOST_SCRATCH));
    return true;
}

/* After a shift the image's AF is the host's, not 0 by our rule: test byte [count], 31; jz over;
 * and ah, ~10h. By a constant count it is cleared in any case. */
static void clear_shifted_af(Assembler *assembler, const FlagOperand *count) {
    uint8_t *over = NULL;
    if (count->kind != FLAG_OPERAND_IMM) {
        asm_test_imm(assembler, 1, source_operand(count), 31);
        over = asm_jcc(assembler, COND_Z);
    }
    asm_alu_imm(assembler, 1, ALU_AND, host_reg(HOST_AH), 0xEF);
    asm_patch(over, assembler->code);
}

/* mov r8d, eax; movzx eax, word [image]; add al, 7Fh; sahf; mov eax, r8d */
static bool restore_image(Translation *translation, const FlagSource *source, bool clear_af) {
    Assembler *assembler = &translation->assembler;
    asm_mov(assembler, 4, HOST_SCRATCH, host_reg(HOST_RAX));
    asm_reg_rm(assembler, 4, 0x0FB7, HOST_RAX, cpu_mem(image_offset(source->a.number)));
    if (clear_af)
        clear_shifted_af(assembler, &source->b);
    asm_alu_imm(assembler, 1, ALU_ADD, host_reg(HOST_RAX), 0x7F);
    asm_byte(assembler, 0x9E); /* sahf */
    asm_mov(assembler, 4, HOST_RAX, host_reg(HOST_SCRATCH));
    return true;
}

/* bt operand, bit: CF from a kept SETC or an image. */
static bool restore_carry(Translation *translation, const FlagSource *source) {
    Assembler *assembler = &translation->assembler;
    HostOperand operand;
    unsigned bit = 0;
    if (source->kind == FLAG_SOURCE_CARRY) {
        operand = source_operand(&source->a);
    } else if (source->kind == FLAG_SOURCE_IMAGE) {
        operand = cpu_mem(image_offset(source->a.number));
        bit = 8;
    } else {
        return false;
    }
    asm_reg_rm(assembler, 4, 0x0FBA, 4, operand);
    asm_byte(assembler, bit);
    return true;
}

static void call_materialize(Translation *translation) {
    uint32_t number = x86_flags_number(translation);
    asm_mov_imm(&translation->assembler, 4, host_reg(HOST_SCRATCH), number);
    asm_call_mem(&translation->assembler, cpu_mem(CPU_OFFSET(materialize_flags)));
    FlagSource image;
    memset(&image, 0, sizeof(image));
    translation->in_host = 0;
    x86_flags_locate(translation, FLAG_GROUP_ALL, image);
}

/* Groups that nobody needs may stand nowhere: any place will do where all are asked for. */
static void locate_anywhere(Translation *translation) {
    FlagSource image;
    memset(&image, 0, sizeof(image));
    x86_flags_locate(translation, (uint8_t)~translation->located & FLAG_GROUP_ALL, image);
}

static bool is_step(const FlagSource *source) {
    return source->kind == FLAG_SOURCE_INCREMENT || source->kind == FLAG_SOURCE_DECREMENT;
}

/* All of 'groups' at once from where they are; false if only the long way is left. */
static bool restore(Translation *translation, uint8_t groups, bool exact_af) {
    FlagSource source;
    if (groups == FLAG_GROUP_C &&
        restore_carry(translation, &translation->flags.source[FLAG_GROUP_INDEX_C]))
        return true;
    if (same_source(translation, groups, &source)) {
        if (source.kind == FLAG_SOURCE_IMAGE) {
            bool clear_af =
                source.b.kind != FLAG_OPERAND_NONE && exact_af && (groups & FLAG_GROUP_S) != 0;
            if (!clear_af) /* as wrong in the host's flags as it is in the image */
                translation->af_count = source.b;
            return restore_image(translation, &source, clear_af);
        }
        if (is_step(&source))
            return !(groups & FLAG_GROUP_C) && recompute_step(translation, &source);
        return recompute(translation, &source);
    }
    /* CF from one place, then O and S of an INC or DEC, which leave CF alone. */
    uint8_t others = groups & (uint8_t)~FLAG_GROUP_C;
    if (!(groups & FLAG_GROUP_C) || !same_source(translation, others, &source) ||
        !is_step(&source) || is_high(source_operand(&source.a)))
        return false;
    const FlagSource *carry = &translation->flags.source[FLAG_GROUP_INDEX_C];
    if (!restore_carry(translation, carry) && !recompute(translation, carry))
        return false;
    return recompute_step(translation, &source);
}

static void to_host(Translation *translation, uint8_t groups, bool exact_af) {
    bool wrong_af =
        exact_af && (groups & FLAG_GROUP_S) && translation->af_count.kind != FLAG_OPERAND_NONE;
    if ((groups & ~translation->in_host) == 0 && !wrong_af)
        return;
    /* Groups that stand only in the host's flags would be lost. */
    x86_flags_before_clobber(translation, groups | x86_flags_wanted_before(translation));
    uint8_t *before = translation->assembler.code;
    translation->af_count.kind = FLAG_OPERAND_NONE;
    if (!restore(translation, groups, exact_af)) {
        translation->assembler.code = before;
        locate_anywhere(translation);
        call_materialize(translation);
        restore_image(translation, &translation->flags.source[FLAG_GROUP_INDEX_C], false);
    }
    translation->in_host = groups;
}

void x86_flags_to_host(Translation *translation, uint8_t groups) {
    to_host(translation, groups, true);
}

unsigned x86_flags_condition_to_host(Translation *translation, unsigned condition) {
    uint8_t groups = uop_condition_groups(condition);
    const FlagSource *source = &translation->flags.source[FLAG_GROUP_INDEX_S];
    bool zero_only = (condition >> 1) == 2 && (groups & ~translation->in_host) != 0 &&
                     (translation->located & FLAG_GROUP_S);
    bool by_value = source->kind == FLAG_SOURCE_BIT_SCAN ||
                    source->kind == FLAG_SOURCE_BIT_SCAN_REVERSE ||
                    source->kind == FLAG_SOURCE_POPCNT || source->kind == FLAG_SOURCE_LZCNT;
    if (zero_only && by_value) {
        x86_flags_clobber(translation,
                          x86_flags_wanted_before(translation)); /* the scanned value too */
        asm_alu_imm(&translation->assembler, source->size, ALU_CMP, source_operand(&source->a), 0);
        return condition;
    }
    to_host(translation, groups, false);
    return condition;
}

/* From their sources by way of the host's flags; false, and nothing emitted, if there is no short
 * way. */
static bool save_recomputed(Translation *translation) {
    uint8_t *before = translation->assembler.code;
    FlagOperand af_count = translation->af_count;
    translation->af_count.kind = FLAG_OPERAND_NONE;
    if (!restore(translation, FLAG_GROUP_ALL, true)) {
        translation->assembler.code = before;
        translation->af_count = af_count;
        return false;
    }
    translation->in_host = FLAG_GROUP_ALL;
    translation->located = 0;
    save_image(translation, FLAG_GROUP_ALL, 0);
    return true;
}

void x86_flags_to_memory(Translation *translation) {
    FlagSource image;
    memset(&image, 0, sizeof(image));
    bool there = translation->located == FLAG_GROUP_ALL;
    for (unsigned g = 0; g < FLAG_GROUP_COUNT && there; g++)
        there = memcmp(&translation->flags.source[g], &image, sizeof(image)) == 0;
    if (!there) {
        if (translation->in_host == FLAG_GROUP_ALL &&
            translation->af_count.kind == FLAG_OPERAND_NONE) {
            translation->located = 0;
            save_image(translation, FLAG_GROUP_ALL, 0);
        } else {
            x86_flags_before_clobber(translation, FLAG_GROUP_ALL);
            if (!save_recomputed(translation))
                call_materialize(translation);
        }
    }
    translation->in_host = 0;
}

/* --- registers that sources need --- */

bool x86_flags_keep(Translation *translation, unsigned ureg, FlagOperand *kept) {
    uint8_t needed = x86_flags_wanted_before(translation);
    if (ureg >= UREG_AH && ureg <= UREG_BH)
        return false;
    if (x86_flags_kept_is_free(translation, needed)) {
        asm_mov(&translation->assembler, 4, HOST_KEPT, host_reg(host_register(ureg)));
        *kept = flag_kept();
        return true;
    }
    int slot = free_slot(translation, needed);
    if (slot < 0)
        return false;
    asm_mov_to(&translation->assembler, 4, cpu_mem(CPU_OFFSET(flag_slot[0]) + 4 * slot),
               host_register(ureg));
    *kept = (FlagOperand){.kind = FLAG_OPERAND_SLOT, .number = (uint8_t)slot};
    return true;
}

static bool source_needs(const FlagSource *source, unsigned gpr) {
    return flag_operand_is_register(&source->a, gpr) || flag_operand_is_register(&source->b, gpr);
}

/* Groups that are still wanted and whose source names the register. */
static uint8_t groups_that_need(const Translation *translation, unsigned gpr) {
    uint8_t groups = 0, still = x86_flags_wanted_before(translation);
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++)
        if ((still & translation->located & group_bit[g]) &&
            source_needs(&translation->flags.source[g], gpr))
            groups |= group_bit[g];
    return groups;
}

static void forget_register(Translation *translation, unsigned gpr) {
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++)
        if (source_needs(&translation->flags.source[g], gpr))
            translation->located &= (uint8_t)~group_bit[g];
}

static void replace_operand(Translation *translation, uint8_t groups, unsigned ureg,
                            FlagOperand kept) {
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        FlagSource *source = &translation->flags.source[g];
        if (!(groups & group_bit[g]))
            continue;
        if (source->a.kind == FLAG_OPERAND_REGISTER && source->a.number == ureg)
            source->a = kept;
        if (source->b.kind == FLAG_OPERAND_REGISTER && source->b.number == ureg)
            source->b = kept;
    }
}

static bool names_high_byte(const Translation *translation, uint8_t groups) {
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        const FlagSource *source = &translation->flags.source[g];
        if ((groups & group_bit[g]) &&
            ((source->a.kind == FLAG_OPERAND_REGISTER && source->a.number >= UREG_AH) ||
             (source->b.kind == FLAG_OPERAND_REGISTER && source->b.number >= UREG_AH)))
            return true;
    }
    return false;
}

void x86_flags_before_register_write(Translation *translation, unsigned ureg) {
    if (ureg >= UREG_T0)
        return;
    unsigned gpr = ureg >= UREG_AH ? ureg - UREG_AH : ureg;
    translation->byte_registers &= (uint8_t) ~(1u << gpr);
    if (translation->located == 0)
        return;
    uint8_t groups = groups_that_need(translation, gpr);
    uint8_t elsewhere =
        groups &
        translation->in_host; /* the host has them too: they may be saved later, if at all */
    if (groups != 0 && groups != elsewhere) {
        FlagOperand kept;
        if (!names_high_byte(translation, groups) && x86_flags_keep(translation, gpr, &kept)) {
            replace_operand(translation, groups, gpr, kept);
        } else {
            x86_flags_before_clobber(translation, x86_flags_wanted_before(translation));
            locate_anywhere(translation);
            call_materialize(translation);
        }
    }
    forget_register(translation, gpr);
}

uint32_t x86_flags_number(Translation *translation) {
    assert(translation->located == FLAG_GROUP_ALL);
    uint32_t number = flag_state_number(translation->backend->flag_states, &translation->flags);
    if (number == FLAG_STATE_COUNT) {
        translation->failed = true;
        return 0;
    }
    return number;
}
