/* Operands that are fetched from the code when it runs.
 *
 * Some programs store into the immediates, displacements and jump targets of their own code, again
 * and again. To translate it for each value would cost a thousand times what it runs. So where such
 * bytes were stored into more than once, a micro-op loads them into a temporary, which takes the
 * constant's place; the block has a hole there, and a store to it is like any other. */
#include "lift_internal.h"
#include <string.h>

typedef struct Patch {
    Lifter *lifter;
    unsigned first, end; /* the instruction's micro-ops */
    bool taken[2];       /* is T0, T1 in use? */
} Patch;

static Uop *uop_at(const Patch *patch, unsigned index) {
    return &patch->lifter->block->uop[index];
}

static void take_if_named(Patch *patch, unsigned reg) {
    if (reg == UREG_T0 || reg == UREG_T1)
        patch->taken[reg - UREG_T0] = true;
}

/* Which temporaries are free. False: none, whatever the registers say. */
static bool find_free(Patch *patch) {
    for (unsigned i = patch->first; i < patch->end; i++) {
        const Uop *uop = uop_at(patch, i);
        if (uop->dst_kind == UOPERAND_REG)
            take_if_named(patch, uop->dst);
        if (uop->src_kind == UOPERAND_REG)
            take_if_named(patch, uop->src);
        take_if_named(patch, uop->address.base);
        take_if_named(patch, uop->address.index);
        switch (uop->code) {
        case UOP_MOV:
        case UOP_MOVZX:
        case UOP_MOVSX:
        case UOP_LEA:
        case UOP_XCHG:
        case UOP_ADD:
        case UOP_ADC:
        case UOP_SUB:
        case UOP_SBB:
        case UOP_AND:
        case UOP_OR:
        case UOP_XOR:
        case UOP_CMP:
        case UOP_TEST:
        case UOP_INC:
        case UOP_DEC:
        case UOP_NEG:
        case UOP_NOT:
        case UOP_IMUL2:
        case UOP_IMUL3:
        case UOP_SHL:
        case UOP_SHR:
        case UOP_SAR:
        case UOP_ROL:
        case UOP_ROR:
        case UOP_SETCC:
        case UOP_JCC:
        case UOP_JMP:
        case UOP_JMP_INDIRECT:
        case UOP_CHECK_CS:
            break;
        default: /* helpers and the backend's own use of temporaries */
            return false;
        }
    }
    return true;
}

/* A temporary for this; UREG_NONE: there is none. */
static unsigned take_temporary(Patch *patch) {
    for (unsigned i = 0; i < 2; i++)
        if (!patch->taken[i]) {
            patch->taken[i] = true;
            return UREG_T0 + i;
        }
    return UREG_NONE;
}

static bool is_insn_address(const Patch *patch, const Uop *uop) {
    const MemoryOperand *memory = &patch->lifter->insn->memory;
    unsigned base = memory->base == NO_REGISTER ? UREG_NONE : memory->base;
    unsigned index = memory->index == NO_REGISTER ? UREG_NONE : memory->index;
    return (uop_has_memory(uop) || uop->code == UOP_LEA) && uop->address.base == base &&
           uop->address.index == index && uop->address.segment == memory->segment &&
           uop->address.displacement == memory->displacement;
}

/* The one micro-op that has the instruction's address; NULL if there is not exactly one. What goes
 * through ESP is the stack's. */
static Uop *find_addressed(const Patch *patch) {
    Uop *found = NULL;
    if (patch->lifter->insn->memory.base == REG_ESP)
        return NULL;
    for (unsigned i = patch->first; i < patch->end; i++) {
        Uop *uop = uop_at(patch, i);
        bool same = is_insn_address(patch, uop);
        bool other = uop_has_memory(uop) && !same && uop->address.base != REG_ESP;
        if (other || (same && found != NULL))
            return NULL;
        if (same)
            found = uop;
    }
    return found;
}

/* The one micro-op with the immediate as its source; NULL if there is not exactly one. */
static Uop *find_immediate(const Patch *patch) {
    Uop *found = NULL;
    for (unsigned i = patch->first; i < patch->end; i++) {
        Uop *uop = uop_at(patch, i);
        bool operates = uop->code == UOP_MOV || (uop->code >= UOP_ADD && uop->code <= UOP_TEST);
        if (uop->src_kind != UOPERAND_IMM)
            continue;
        if (!operates || found != NULL)
            return NULL;
        found = uop;
    }
    /* AH to BH do not go together with the host's register of a temporary. */
    bool high = found != NULL && found->dst_kind == UOPERAND_REG && found->dst >= UREG_AH &&
                found->dst <= UREG_BH;
    return high ? NULL : found;
}

/* Appends the load of these bytes; it is moved to its place later. */
static void emit_fetch(Patch *patch, const uint8_t *bytes, unsigned size, unsigned temporary) {
    Uop *uop = lift_emit(patch->lifter, UOP_FETCH, 4);
    lift_set_dst_register(uop, temporary);
    uop->src_size = (uint8_t)size;
    uop->imm = (uint32_t)(uintptr_t)bytes;
    uop->imm2 = (uint32_t)((uint64_t)(uintptr_t)bytes >> 32);
}

static bool fetch_displacement(Patch *patch, const uint8_t *bytes, unsigned size) {
    Uop *addressed = find_addressed(patch);
    unsigned temporary = addressed == NULL ? UREG_NONE : take_temporary(patch);
    if (temporary == UREG_NONE)
        return false;
    emit_fetch(patch, bytes, size, temporary);
    UopAddress *address = &addressed->address;
    address->displacement = 0;
    if (address->base == UREG_NONE) {
        address->base = (uint8_t)temporary;
    } else if (address->index == UREG_NONE) {
        address->index = (uint8_t)temporary;
        address->scale = 1;
    } else {
        Uop *sum = lift_emit(patch->lifter, UOP_LEA, 4);
        lift_set_dst_register(sum, temporary);
        lift_set_address(sum, SEG_DS, temporary, 0, 4);
        sum->address.index = address->base;
        address->base = (uint8_t)temporary;
    }
    return true;
}

/* IMUL dst, src, imm: MOV dst, src; FETCH temporary; IMUL dst, temporary. */
static bool fetch_factor(Patch *patch, const uint8_t *bytes, unsigned size) {
    Uop *uop = uop_at(patch, patch->first);
    unsigned temporary = patch->end - patch->first == 1 ? take_temporary(patch) : UREG_NONE;
    if (temporary == UREG_NONE)
        return false;
    emit_fetch(patch, bytes, size, temporary);
    uop = uop_at(patch, patch->first);
    unsigned dst = uop->dst, width = uop->size;
    uop->code = UOP_MOV;
    uop->flags_written = 0;
    uop->imm = 0;
    Uop *multiply = lift_emit(patch->lifter, UOP_IMUL2, width);
    lift_set_dst_register(multiply, dst);
    lift_set_src_register(multiply, temporary);
    return true;
}

static bool fetch_immediate(Patch *patch, const uint8_t *bytes, unsigned size) {
    Uop *operation = find_immediate(patch);
    unsigned temporary = operation == NULL ? UREG_NONE : take_temporary(patch);
    if (temporary == UREG_NONE)
        return false;
    emit_fetch(patch, bytes, size, temporary);
    lift_set_src_register(operation, temporary);
    operation->imm = 0;
    return true;
}

/* The end of a relative jump or call: to where the fetched distance leads. */
static void emit_jump(Patch *patch, const uint8_t *bytes, unsigned size, unsigned temporary) {
    Lifter *lifter = patch->lifter;
    unsigned width = lifter->insn->operand_size;
    uint32_t highest = width == 2 ? 0xFFFF : UINT32_MAX;
    emit_fetch(patch, bytes, size, temporary);
    Uop *target = lift_emit(lifter, UOP_LEA, 4);
    lift_set_dst_register(target, temporary);
    lift_set_address(target, SEG_DS, temporary, (int32_t)lifter->next_eip, width);
    if (lifter->mode->cs_limit < highest)
        lift_set_src_register(lift_emit(lifter, UOP_CHECK_CS, 4), temporary);
}

/* JMP: all before the jump. CALL: the target is checked before anything is pushed. */
static bool fetch_target(Patch *patch, const uint8_t *bytes, unsigned size) {
    Uop *jump = uop_at(patch, patch->end - 1);
    unsigned temporary = jump->code == UOP_JMP ? take_temporary(patch) : UREG_NONE;
    if (temporary == UREG_NONE)
        return false;
    emit_jump(patch, bytes, size, temporary);
    jump = uop_at(patch, patch->end - 1);
    jump->code = UOP_JMP_INDIRECT;
    jump->imm = 0;
    lift_set_src_register(jump, temporary);
    return true;
}

/* Jcc: leave for the next instruction if the condition is false; else the fetched jump. */
static bool fetch_branch_target(Patch *patch, const uint8_t *bytes, unsigned size) {
    Lifter *lifter = patch->lifter;
    Uop *branch = uop_at(patch, patch->first), *next = branch + 1;
    if (patch->end - patch->first != 2 || branch->code != UOP_JCC || next->code != UOP_JMP ||
        branch->imm == lifter->next_eip)
        return false;
    branch->condition ^= 1;
    branch->imm = lifter->next_eip;
    lifter->block->uop_count--;
    emit_jump(patch, bytes, size, UREG_T0);
    lift_set_src_register(lift_emit(lifter, UOP_JMP_INDIRECT, 4), UREG_T0);
    return true;
}

/* What was appended behind the instruction's micro-ops goes before them. */
static void move_to_front(Patch *patch) {
    Uop appended[8];
    UopBlock *block = patch->lifter->block;
    unsigned count = block->uop_count - patch->end, present = patch->end - patch->first;
    memcpy(appended, uop_at(patch, patch->end), count * sizeof(Uop));
    memmove(uop_at(patch, patch->first + count), uop_at(patch, patch->first),
            present * sizeof(Uop));
    memcpy(uop_at(patch, patch->first), appended, count * sizeof(Uop));
    patch->first += count;
    patch->end += count;
}

static void add_hole(Lifter *lifter, size_t position, unsigned size) {
    BlockHoles *holes = &lifter->block->holes;
    holes->hole[holes->count++] = (BlockHole){.offset = (uint16_t)position, .size = (uint16_t)size};
}

static bool fetch_value(Patch *patch, const uint8_t *bytes, unsigned size) {
    switch (patch->lifter->insn->code) {
    case INSN_JMP:
    case INSN_CALL:
        if (!fetch_target(patch, bytes, size))
            return false;
        move_to_front(patch);
        return true;
    case INSN_JCC:
        return fetch_branch_target(patch, bytes, size);
    case INSN_IMUL:
        return fetch_factor(patch, bytes, size);
    case INSN_MOV:
    case INSN_ADD:
    case INSN_ADC:
    case INSN_SUB:
    case INSN_SBB:
    case INSN_AND:
    case INSN_OR:
    case INSN_XOR:
    case INSN_CMP:
    case INSN_TEST:
    case INSN_PUSH:
        if (!fetch_immediate(patch, bytes, size))
            return false;
        move_to_front(patch);
        return true;
    default:
        return false;
    }
}

/* Were bytes stored into that are in neither field? Then it changes what instruction it is. */
static bool changes_otherwise(const Insn *insn, const CodeBytes *stored, uint32_t offset) {
    for (unsigned i = 0; i < insn->length; i++) {
        bool in_displacement = i - insn->displacement_at < insn->displacement_bytes;
        bool in_immediate = i - insn->immediate_at < insn->immediate_bytes;
        if (!in_displacement && !in_immediate && code_bytes_are_stored(stored, offset + i, 1))
            return true;
    }
    return false;
}

void lift_fetch_operands(Lifter *lifter, const uint8_t *bytes, size_t position) {
    const Insn *insn = lifter->insn;
    const CodeBytes *stored = lifter->mode->stored;
    UopBlock *block = lifter->block;
    uint32_t offset = lifter->mode->page_offset + (uint32_t)position;
    if (!code_bytes_are_stored(stored, offset, insn->length) ||
        block->holes.count + 2 > BLOCK_HOLES || changes_otherwise(insn, stored, offset))
        return;
    Patch patch = {.lifter = lifter,
                   .first = block->insn[block->insn_count - 1].first_uop,
                   .end = block->uop_count};
    if (patch.first == patch.end || !find_free(&patch))
        return;
    unsigned at = insn->displacement_at, size = insn->displacement_bytes;
    if (size != 0 && code_bytes_are_stored(stored, offset + at, size) &&
        fetch_displacement(&patch, bytes + position + at, size)) {
        move_to_front(&patch);
        add_hole(lifter, position + at, size);
    }
    at = insn->immediate_at;
    size = insn->immediate_bytes;
    if (size != 0 && size <= 4 && code_bytes_are_stored(stored, offset + at, size) &&
        fetch_value(&patch, bytes + position + at, size))
        add_hole(lifter, position + at, size);
}
