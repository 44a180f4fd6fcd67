/* See flag_state.h. */
#include "flag_state.h"
#include "flags.h"
#include "host_pages.h"
#include <string.h>

enum { SLOTS = FLAG_STATE_COUNT * 2 };

struct FlagStateTable {
    FlagState state[FLAG_STATE_COUNT];
    uint16_t slot[SLOTS]; /* number + 1; 0: empty */
    uint32_t count;
    uint32_t last; /* the number asked for last: mostly asked for again */
};

void flag_state_table_clear(FlagStateTable *table) {
    if (table->count == 1) /* only that one */
        return;
    memset(table->slot, 0, sizeof(table->slot));
    table->count = table->last = 0;
    FlagState in_memory;
    memset(&in_memory, 0, sizeof(in_memory));
    flag_state_number(table, &in_memory);
}

FlagStateTable *flag_state_table_create(void) {
    FlagStateTable *table = host_pages_map(sizeof(*table));
    if (table != NULL)
        flag_state_table_clear(table);
    return table;
}

void flag_state_table_destroy(FlagStateTable *table) {
    host_pages_unmap(table, sizeof(*table));
}

uint32_t flag_state_number(FlagStateTable *table, const FlagState *state) {
    if (table->count != 0 && memcmp(&table->state[table->last], state, sizeof(*state)) == 0)
        return table->last;
    uint64_t hash = 0;
    uint32_t words[sizeof(*state) / 4];
    memcpy(words, state, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        hash = (hash ^ words[i]) * 0x9E3779B97F4A7C15u;
    uint32_t slot = (uint32_t)(hash >> 40) & (SLOTS - 1);
    while (table->slot[slot] != 0) {
        if (memcmp(&table->state[table->slot[slot] - 1], state, sizeof(*state)) == 0)
            return table->last = table->slot[slot] - 1u;
        slot = (slot + 1) & (SLOTS - 1);
    }
    if (table->count == FLAG_STATE_COUNT)
        return FLAG_STATE_COUNT;
    table->state[table->count] = *state;
    table->slot[slot] = (uint16_t)(table->count + 1);
    return table->last = table->count++;
}

const FlagState *flag_state_get(const FlagStateTable *table, uint32_t number) {
    return &table->state[number];
}

static uint64_t operand_value(const FlagOperand *operand, unsigned size, const Cpu *cpu) {
    uint64_t value = 0;
    switch (operand->kind) {
    case FLAG_OPERAND_REGISTER:
        value = operand->number >= UREG_AH ? cpu->state.gpr[operand->number - UREG_AH] >> 8
                                           : cpu->state.gpr[operand->number];
        break;
    case FLAG_OPERAND_KEPT:
        value = cpu->host_slot[FLAG_KEPT_SLOT + operand->number];
        break;
    case FLAG_OPERAND_SLOT:
        value = cpu->flag_slot[operand->number];
        break;
    case FLAG_OPERAND_IMM:
        value = operand->value;
        break;
    }
    return value & alu_mask(size);
}

static uint32_t image_flags(const FlagSource *source, const Cpu *cpu) {
    uint16_t image =
        source->a.number == 0 ? cpu->state.flags_image : cpu->flag_image[source->a.number];
    uint32_t flags = (image >> 8 & (FLAG_STATUS & 0xFF)) | (image & 1u) << 11;
    if (source->b.kind != FLAG_OPERAND_NONE && (operand_value(&source->b, 4, cpu) & 31) != 0)
        flags &= ~(uint32_t)FLAG_AF;
    return flags;
}

static uint32_t source_flags(const FlagSource *source, const Cpu *cpu) {
    unsigned size = source->size;
    if (source->kind == FLAG_SOURCE_IMAGE)
        return image_flags(source, cpu);
    uint64_t a = operand_value(&source->a, size, cpu), b = operand_value(&source->b, size, cpu);
    uint64_t mask = alu_mask(size);
    uint32_t flags = 0;
    switch (source->kind) {
    case FLAG_SOURCE_COMPARE:
        alu_sub(size, a, b, &flags);
        break;
    case FLAG_SOURCE_ADD:
        alu_add(size, (a - b) & mask, b, &flags);
        break;
    case FLAG_SOURCE_SUBTRACT:
        alu_sub(size, (a + b) & mask, b, &flags);
        break;
    case FLAG_SOURCE_LOGIC:
        alu_logic(size, a, &flags);
        break;
    case FLAG_SOURCE_INCREMENT:
        alu_inc(size, (a - 1) & mask, &flags);
        break;
    case FLAG_SOURCE_DECREMENT:
        alu_dec(size, (a + 1) & mask, &flags);
        break;
    case FLAG_SOURCE_NEGATE:
        alu_neg(size, -a & mask, &flags);
        break;
    case FLAG_SOURCE_SHL:
        alu_shl(size, a, (unsigned)b, &flags);
        break;
    case FLAG_SOURCE_SHR:
        alu_shr(size, a, (unsigned)b, &flags);
        break;
    case FLAG_SOURCE_SAR:
        alu_sar(size, a, (unsigned)b, &flags);
        break;
    case FLAG_SOURCE_CARRY:
        flags = a & 1 ? FLAG_CF | FLAG_OF : 0;
        break;
    case FLAG_SOURCE_BIT_SCAN:
        alu_bsf(size, 0, a, &flags);
        break;
    case FLAG_SOURCE_BIT_SCAN_REVERSE:
        alu_bsr(size, 0, a, &flags);
        break;
    case FLAG_SOURCE_POPCNT:
        flags = a == 0 ? FLAG_ZF : 0;
        break;
    case FLAG_SOURCE_RESULT:
        flags = alu_result_flags(size, a) | (uint32_t)(b & FLAG_AF);
        break;
    case FLAG_SOURCE_LZCNT:
        flags = a == 0 ? FLAG_ZF : a == 8 * size ? FLAG_CF : 0;
        break;
    }
    return flags;
}

uint32_t flag_state_evaluate(const FlagState *state, const Cpu *cpu) {
    static const uint32_t group_flags[FLAG_GROUP_COUNT] = {
        [FLAG_GROUP_INDEX_C] = FLAG_CF,
        [FLAG_GROUP_INDEX_O] = FLAG_OF,
        [FLAG_GROUP_INDEX_S] = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF,
    };
    uint32_t flags = 0, computed = 0;
    for (unsigned g = 0; g < FLAG_GROUP_COUNT; g++) {
        const FlagSource *source = &state->source[g];
        bool same = g > 0 && memcmp(source, source - 1, sizeof(*source)) == 0;
        if (!same)
            computed = source_flags(source, cpu);
        flags |= computed & group_flags[g];
    }
    return flags;
}
