/* Which memory operands share a check.
 *
 * Compiled code spends much of its time on its stack frame, on the members of structures and in
 * loops over arrays: memory operands whose addresses differ by constants, close to each other.
 * Where a block (a loop that is unrolled, mostly: hot_path.h) has several of them, the first looks
 * whether the whole span lies on one page that the TLB has, and leaves the host's address of its
 * start in a register, or in memory if there is none free; the others need no check at all.
 *
 * A table that is indexed by a byte (XLAT, MOVZX before the access) has all its entries in the
 * span, so the check waits for the table's address alone, and many look-ups share it.
 *
 * Where that fails (the span crosses a page, or the TLB does not have it yet), execution goes on in
 * another translation of the rest of the block, whose operands are checked one by one. */
#include "shared_checks.h"
#include "vector.h"
#include <string.h>

enum {
    SPAN_MAX = 512,        /* of an operand's distance from the first, in bytes */
    TABLE_SPAN_MAX = 1280, /* of a group with tables that are indexed by bytes */
    CHECK_COST = 9,        /* host instructions of a check for all */
    OWN_COST = 6,          /* of an operand's own, of a byte: two less for its alignment */
    OWN_BYTE_COST = 4,
    SLOT_COST = 1, /* of fetching the address from memory */
    GAIN_MIN = 3,
};

static bool is_general_or_none(unsigned ureg) {
    return ureg < UREG_AH || ureg == UREG_NONE;
}

static bool must_be_aligned(const Uop *uop) {
    return uop->code == UOP_VECTOR && uop->size == 16 && vector_find_shape(uop->imm).aligned;
}

/* An operand whose address general registers give, in a segment without base and limit. 'address':
 * without what indexes a table. */
static bool is_candidate(const SharedChecks *checks, const Uop *uop, const UopAddress *address) {
    return uop_has_memory(uop) && !must_be_aligned(uop) && is_general_or_none(address->base) &&
           is_general_or_none(address->index) &&
           (address->base != UREG_NONE || address->index != UREG_NONE) &&
           address->address_size == 4 && address->segment != SEG_CS &&
           context_segment_kind(checks->context, address->segment) == SEGMENT_FLAT;
}

/* What is known of the registers: their value is what one of them (UREG_NONE: not known) held at
 * the group's head, plus a constant. */
typedef struct KnownRegisters {
    uint8_t origin[GPR_COUNT];
    int32_t offset[GPR_COUNT];
} KnownRegisters;

static bool is_known(const KnownRegisters *known, unsigned ureg) {
    return ureg < 8 && known->origin[ureg] != UREG_NONE;
}

/* Is the register that a full 32-bit write gets a known one plus a constant? Which, and the sum. */
static bool find_constant(const KnownRegisters *known, const Uop *uop, uint8_t *origin,
                          int32_t *offset) {
    const UopAddress *address = &uop->address;
    unsigned source = uop->dst;
    int64_t added = 0;
    if (uop->size != 4)
        return false;
    switch (uop->code) {
    case UOP_LEA:
        source = address->index == UREG_NONE && address->address_size == 4 ? address->base : 8;
        added = address->displacement;
        break;
    case UOP_MOV:
        source = uop->src_kind == UOPERAND_REG ? uop->src : 8;
        break;
    case UOP_INC:
    case UOP_DEC:
        added = uop->code == UOP_INC ? 1 : -1;
        break;
    case UOP_ADD:
    case UOP_SUB:
        if (uop->src_kind != UOPERAND_IMM)
            return false;
        added = uop->code == UOP_ADD ? (int32_t)uop->imm : -(int64_t)(int32_t)uop->imm;
        break;
    default:
        return false;
    }
    if (!is_known(known, source))
        return false;
    added += known->offset[source];
    if (added < -SPAN_MAX || added > SPAN_MAX)
        return false;
    *origin = known->origin[source];
    *offset = (int32_t)added;
    return true;
}

static unsigned vector_writes(const Uop *uop) {
    VectorShape shape = vector_find_shape(uop->imm);
    unsigned reg = shape.reg == VECTOR_BANK_GPR && shape.writes_reg ? 1u << (uop->imm >> 3 & 7) : 0;
    unsigned rm = shape.rm == VECTOR_BANK_GPR && shape.writes_rm ? 1u << (uop->imm & 7) : 0;
    return reg | rm;
}

static unsigned full_register(unsigned ureg) {
    return ureg >= UREG_AH ? ureg - UREG_AH : ureg;
}

/* What micro-ops write without naming it as their destination. */
enum { WRITES_SOURCE = 1, WRITES_ACCUMULATOR, WRITES_VECTOR };
static const uint8_t implicit_kind[UOP_COUNT] = {
    [UOP_XCHG] = WRITES_SOURCE,           [UOP_XADD] = WRITES_SOURCE,
    [UOP_VECTOR] = WRITES_VECTOR,         [UOP_CMPXCHG] = WRITES_ACCUMULATOR,
    [UOP_CMPXCHG8B] = WRITES_ACCUMULATOR, [UOP_MUL] = WRITES_ACCUMULATOR,
    [UOP_IMUL] = WRITES_ACCUMULATOR,      [UOP_CWD] = WRITES_ACCUMULATOR,
    [UOP_DIV] = WRITES_ACCUMULATOR,       [UOP_IDIV] = WRITES_ACCUMULATOR,
    [UOP_LAHF] = WRITES_ACCUMULATOR,      [UOP_SALC] = WRITES_ACCUMULATOR,
    [UOP_DAA] = WRITES_ACCUMULATOR,       [UOP_DAS] = WRITES_ACCUMULATOR,
    [UOP_AAA] = WRITES_ACCUMULATOR,       [UOP_AAS] = WRITES_ACCUMULATOR,
    [UOP_AAM] = WRITES_ACCUMULATOR,       [UOP_AAD] = WRITES_ACCUMULATOR,
    [UOP_X87] = WRITES_ACCUMULATOR, /* FNSTSW AX */
};

/* Those registers, as a bit each. */
static unsigned implicit_writes(const Uop *uop) {
    unsigned kind = implicit_kind[uop->code];
    if (kind == 0)
        return 0;
    if (kind == WRITES_ACCUMULATOR)
        return 1u << REG_EAX | 1u << REG_EDX;
    if (kind == WRITES_VECTOR)
        return vector_writes(uop);
    return uop->src_kind == UOPERAND_REG && uop->src < UREG_T0 ? 1u << full_register(uop->src) : 0;
}

/* Operands whose address differs from the first one's by constants: that has the values of these
 * registers at the group's head. */
typedef struct Group {
    unsigned first, last, count;
    unsigned base, index, scale;
    int saved;         /* host instructions, by what the operands' own checks would have cost */
    int64_t low, high; /* of the span, from the sum of the registers at the head */
    bool writes, has_table;
} Group;

static bool is_written(const Uop *uop) {
    bool by_unit = uop->code == UOP_X87 || uop->code == UOP_VECTOR;
    return uop->dst_kind == UOPERAND_MEM &&
           (by_unit || (uop_info[uop->code].traits & UOP_WRITES_DST));
}

static int32_t access_size(const Uop *uop) {
    return uop->src_kind == UOPERAND_MEM && uop->src_size != 0 ? uop->src_size : uop->size;
}

/* How far the operand lies from the sum of the group's registers; false: nobody knows. */
static bool find_distance(const Group *group, const KnownRegisters *known,
                          const UopAddress *address, int64_t *distance) {
    unsigned base = address->base, index = address->index;
    *distance = address->displacement;
    if (base != UREG_NONE) {
        base = known->origin[address->base];
        *distance += known->offset[address->base];
        if (base == UREG_NONE)
            return false;
    }
    if (index != UREG_NONE) {
        index = known->origin[address->index];
        *distance += (int64_t)known->offset[address->index] * address->scale;
        if (index == UREG_NONE || address->scale != group->scale)
            return false;
    }
    return base == group->base && index == group->index;
}

/* Takes the operand in if the span stays short. */
static bool join_group(Group *group, const Uop *uop, unsigned scale, unsigned position,
                       int64_t distance) {
    int64_t low = distance, high = low + access_size(uop) + 0xFF * scale;
    bool has_table = group->has_table || scale != 0;
    if (group->count != 0) {
        low = low < group->low ? low : group->low;
        high = high > group->high ? high : group->high;
    }
    if (high - low > (has_table ? TABLE_SPAN_MAX : SPAN_MAX))
        return false;
    group->has_table = has_table;
    group->low = low;
    group->high = high;
    group->last = position;
    group->writes |= is_written(uop);
    group->count++;
    group->saved += access_size(uop) == 1 ? OWN_BYTE_COST : OWN_COST;
    return true;
}

/* True: it may have been the last that told one of the group's registers. */
static bool forget_register(KnownRegisters *known, unsigned reg, const Group *group) {
    uint8_t origin = known->origin[reg];
    known->origin[reg] = UREG_NONE;
    return origin != UREG_NONE && (origin == group->base || origin == group->index);
}

/* What this micro-op does to the registers. True: as above. */
static bool follow(KnownRegisters *known, const Uop *uop, const Group *group) {
    bool lost = false;
    for (unsigned left = implicit_writes(uop); left != 0; left &= left - 1)
        lost |= forget_register(known, (unsigned)__builtin_ctz(left), group);
    if (uop->dst_kind != UOPERAND_REG || !(uop_info[uop->code].traits & UOP_WRITES_DST) ||
        uop->dst >= UREG_T0)
        return lost;
    uint8_t origin;
    int32_t offset;
    bool constant = uop->dst < 8 && find_constant(known, uop, &origin, &offset);
    unsigned reg = full_register(uop->dst);
    lost |= forget_register(known, reg, group);
    if (constant) {
        known->origin[reg] = origin;
        known->offset[reg] = offset;
    }
    return lost;
}

/* Can an address of the group still be told? */
static bool is_alive(const Group *group, const KnownRegisters *known) {
    bool base = group->base == UREG_NONE, index = group->index == UREG_NONE;
    for (unsigned reg = 0; reg < 8; reg++) {
        base |= known->origin[reg] == group->base;
        index |= known->origin[reg] == group->index;
    }
    return base && index;
}

/* What a look for operands has to know of each micro-op, found once. */
enum {
    SHARED_CANDIDATE = 1, /* its memory operand may share a check */
    SHARED_BARRIER = 2,   /* it may change the TLB: a helper, the read of a descriptor */
    SHARED_MOVES = 4,     /* a register may get another one plus a constant */
};

/* The registers, as a bit each, that it writes. */
static unsigned find_writes(const Uop *uop) {
    unsigned writes = implicit_writes(uop);
    if (uop->dst_kind == UOPERAND_REG && uop->dst < UREG_T0 &&
        (uop_info[uop->code].traits & UOP_WRITES_DST))
        writes |= 1u << full_register(uop->dst);
    return writes;
}

/* Does the register hold less than 256? 'bytes': general ones that do, as a bit each. */
static bool is_byte(const UopBlock *lifted, unsigned position, unsigned bytes, unsigned ureg) {
    if (ureg < 8)
        return bytes >> ureg & 1;
    const Uop *before = &lifted->uop[position == 0 ? 0 : position - 1];
    return position != 0 && ureg != UREG_NONE && before->code == UOP_MOVZX && before->size == 4 &&
           before->src_size == 1 && before->dst == ureg && before->insn == before[1].insn;
}

/* What may be fetched with base, index and displacement: not the FPU's operands. */
static bool takes_index(const Uop *uop) {
    return uop->code <= UOP_MOVSX || (uop->code >= UOP_ADD && uop->code <= UOP_TEST);
}

/* The operand's address; where a byte indexes a table the table's, and the byte is noted. */
static UopAddress find_table(SharedChecks *checks, unsigned position, unsigned bytes) {
    const Uop *uop = &checks->lifted->uop[position];
    UopAddress address = uop->address;
    SharedAccess *access = &checks->access[position];
    if (address.base == UREG_NONE || address.index == UREG_NONE || !takes_index(uop))
        return address;
    if (address.scale == 1 && is_byte(checks->lifted, position, bytes, address.base)) {
        access->index = address.base;
        address.base = address.index;
    } else if (address.scale <= 4 && is_byte(checks->lifted, position, bytes, address.index)) {
        access->index = address.index;
    } else {
        return address;
    }
    access->scale = address.scale;
    address.index = UREG_NONE;
    address.scale = 1;
    return address;
}

/* Of the registers 'bytes' that hold less than 256, those that do so after this micro-op, too. */
static unsigned follow_bytes(const Uop *uop, unsigned writes, unsigned bytes) {
    if (uop->code == UOP_HELPER)
        return 0;
    bytes &= ~writes;
    bool extends = uop->code == UOP_MOVZX && uop->src_size == 1;
    bool masks = uop->code == UOP_AND && uop->src_kind == UOPERAND_IMM && uop->imm <= 0xFF;
    bool is_byte_now = uop->size == 4 && uop->dst_kind == UOPERAND_REG && uop->dst < 8;
    return is_byte_now && (extends || masks) ? bytes | 1u << uop->dst : bytes;
}

static bool has_two_operands(const UopBlock *lifted) {
    unsigned count = 0;
    for (unsigned i = 0; i < lifted->uop_count && count < 2; i++)
        count += uop_has_memory(&lifted->uop[i]);
    return count == 2;
}

static void summarize(SharedChecks *checks) {
    const UopBlock *lifted = checks->lifted;
    unsigned bytes = 0;
    for (unsigned i = 0; i < lifted->uop_count; i++) {
        const Uop *uop = &lifted->uop[i];
        unsigned writes = find_writes(uop), traits = 0;
        if (uop_has_memory(uop)) {
            checks->address[i] = find_table(checks, i, bytes);
            if (is_candidate(checks, uop, &checks->address[i]))
                traits |= SHARED_CANDIDATE;
        }
        if (uop->code == UOP_HELPER || uop->code == UOP_LOAD_SREG ||
            checks->host->calls_helper(uop))
            traits |= SHARED_BARRIER;
        if (uop->dst_kind == UOPERAND_REG && (uop->code == UOP_LEA || uop->code == UOP_MOV))
            traits |= SHARED_MOVES;
        checks->traits[i] = (uint8_t)traits;
        checks->writes[i] = (uint8_t)writes;
        bytes = follow_bytes(uop, writes, bytes);
    }
}

/* Registers that are known, as a bit each. */
static unsigned known_mask(const KnownRegisters *known) {
    unsigned mask = 0;
    for (unsigned reg = 0; reg < 8; reg++)
        mask |= (known->origin[reg] != UREG_NONE) << reg;
    return mask;
}

static void know_itself(KnownRegisters *known, unsigned reg) {
    if (reg == UREG_NONE)
        return;
    known->origin[reg] = (uint8_t)reg;
    known->offset[reg] = 0;
}

/* Walks from 'first' on as long as the registers are known; a helper and the read of a descriptor
 * may change the TLB. With 'number', the operands up to 'last' learn that they are in that group.
 */
static Group walk(SharedChecks *checks, unsigned first, unsigned last, unsigned number) {
    const UopBlock *lifted = checks->lifted;
    const UopAddress *address = &checks->address[first];
    Group group = {
        .first = first, .base = address->base, .index = address->index, .scale = address->scale};
    KnownRegisters known;
    memset(known.origin, UREG_NONE, sizeof known.origin);
    know_itself(&known, group.base);
    know_itself(&known, group.index);
    unsigned mask = known_mask(&known);
    for (unsigned i = first; i <= last; i++) {
        unsigned traits = checks->traits[i];
        if (traits == 0 && !(checks->writes[i] & mask))
            continue;
        if (traits & SHARED_BARRIER)
            break;
        const Uop *uop = &lifted->uop[i];
        int64_t distance;
        SharedAccess *access = &checks->access[i];
        if (access->group == 0 && (traits & SHARED_CANDIDATE) &&
            find_distance(&group, &known, &checks->address[i], &distance) &&
            join_group(&group, uop, access->scale, i, distance) && number != 0) {
            access->group = (uint8_t)number;
            access->offset = (int16_t)((int32_t)(uint32_t)distance - checks->group[number].low);
        }
        if (!(traits & SHARED_MOVES) && !(checks->writes[i] & mask))
            continue;
        if (follow(&known, uop, &group) && !is_alive(&group, &known))
            break;
        mask = known_mask(&known);
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

/* Is the register free from the group's first member to its last? */
static bool is_free(const SharedChecks *checks, const Group *group, unsigned reg) {
    for (unsigned i = 1; i < checks->group_count; i++) {
        const SharedGroup *other = &checks->group[i];
        if (other->host == reg && other->last >= group->first)
            return false;
    }
    for (unsigned i = group->first; i <= group->last; i++)
        if (checks->host->needs_register(&checks->lifted->uop[i], reg))
            return false;
    return true;
}

static unsigned choose_register(const SharedChecks *checks, const Group *group) {
    for (unsigned i = 0; i < checks->host->register_count; i++)
        if (is_free(checks, group, checks->host->registers[i]))
            return checks->host->registers[i];
    return SHARED_IN_MEMORY;
}

static void try_group(SharedChecks *checks, unsigned first) {
    Group group = walk(checks, first, checks->lifted->uop_count - 1u, 0);
    if (group.count < 2)
        return;
    unsigned host = choose_register(checks, &group);
    int slots = host == SHARED_IN_MEMORY ? SLOT_COST * (int)group.count : 0;
    if (group.saved - slots - CHECK_COST < GAIN_MIN)
        return;
    unsigned number = checks->group_count++;
    checks->group[number] = (SharedGroup){.first = (uint16_t)first,
                                          .last = (uint16_t)group.last,
                                          .low = (int32_t)(uint32_t)group.low,
                                          .high = (int32_t)(uint32_t)group.high,
                                          .writes = group.writes,
                                          .host = (uint8_t)host};
    walk(checks, first, group.last, number);
}

void shared_checks_find(SharedChecks *checks, const SharedHost *host, const UopBlock *lifted,
                        const Context *context, bool enabled) {
    checks->host = host;
    checks->lifted = lifted;
    checks->context = context;
    checks->group_count = 1; /* group 0: none */
    memset(checks->access, 0, lifted->uop_count * sizeof checks->access[0]);
    if (!enabled || !has_two_operands(lifted))
        return;
    summarize(checks);
    for (unsigned i = 0; i < lifted->uop_count && checks->group_count < SHARED_GROUP_MAX; i++)
        if (checks->access[i].group == 0 && (checks->traits[i] & SHARED_CANDIDATE) &&
            is_first_access(lifted, i))
            try_group(checks, i);
}

SharedGroup *shared_checks_group(SharedChecks *checks, unsigned position) {
    SharedAccess *access = &checks->access[position];
    SharedGroup *group = &checks->group[access->group];
    if (access->group != 0 && (group->first == position || group->crossing_site != NULL))
        return group;
    access->group = 0; /* its first member is left to a single step */
    return NULL;
}

bool shared_checks_names_register(const Uop *uop, unsigned ureg) {
    return (uop->dst_kind == UOPERAND_REG && uop->dst == ureg) ||
           (uop->src_kind == UOPERAND_REG && uop->src == ureg) || uop->address.base == ureg ||
           uop->address.index == ureg;
}
