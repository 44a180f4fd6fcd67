/* The decoder: bytes to Insn, by indexing the tables of opcode_table.c. */
#include "insn.h"
#include "opcode_table.h"
#include <assert.h>
#include <string.h>

typedef struct Decoder {
    const uint8_t *bytes;
    unsigned position, limit;
    Insn *insn;
    uint8_t default_size; /* of operands and addresses, by the code segment: 2 or 4 */
    uint8_t segment;      /* SEG_* of the override, or NO_REGISTER */
    bool has_memory;      /* ModRM names memory, which is in insn->memory */
} Decoder;

/* ---- Fetching: false if the bytes end ---- */

static inline bool fetch_byte(Decoder *decoder, uint8_t *byte) {
    if (decoder->position >= decoder->limit) {
        return false;
    }
    *byte = decoder->bytes[decoder->position++];
    return true;
}

/* Little-endian, zero-extended. */
static inline bool fetch(Decoder *decoder, unsigned size, uint32_t *value) {
    if (decoder->limit - decoder->position < size) {
        decoder->position = decoder->limit;
        return false;
    }
    uint32_t result = 0;
    for (unsigned i = 0; i < size; i++) {
        result |= (uint32_t)decoder->bytes[decoder->position + i] << 8 * i;
    }
    decoder->position += size;
    *value = result;
    return true;
}

static inline bool fetch_signed(Decoder *decoder, unsigned size, uint32_t *value) {
    if (!fetch(decoder, size, value)) {
        return false;
    }
    if (size < 4) {
        uint32_t sign = 1u << (8 * size - 1);
        *value = (*value ^ sign) - sign;
    }
    return true;
}

/* ---- Prefixes and opcode ---- */

static void apply_prefix(Decoder *decoder, const OpcodeRow *row) {
    Insn *insn = decoder->insn;
    uint8_t prefix = row->operands[0];
    if (prefix & (PREFIX_REP | PREFIX_REPNE)) {
        insn->prefixes &= (uint8_t) ~(PREFIX_REP | PREFIX_REPNE); /* the last one counts */
    }
    if (prefix == PREFIX_SEGMENT) {
        decoder->segment = row->operands[1];
    }
    insn->prefixes |= prefix;
}

/* The row of the opcode, which may be a group; NULL if the bytes end. */
static const OpcodeRow *fetch_opcode(Decoder *decoder) {
    Insn *insn = decoder->insn;
    for (;;) {
        if (!fetch_byte(decoder, &insn->opcode)) {
            return NULL;
        }
        const OpcodeRow *row = &opcode_maps[insn->map][insn->opcode];
        if (!(row->attributes & (ROW_PREFIX | ROW_ESCAPE))) {
            return row;
        }
        if (row->attributes & ROW_PREFIX) {
            apply_prefix(decoder, row);
        } else {
            insn->map = row->operands[0];
        }
    }
}

static void apply_sizes(Decoder *decoder) {
    Insn *insn = decoder->insn;
    uint8_t other = decoder->default_size == 2 ? 4 : 2;
    insn->operand_size = insn->prefixes & PREFIX_OPERAND_SIZE ? other : decoder->default_size;
    insn->address_size = insn->prefixes & PREFIX_ADDRESS_SIZE ? other : decoder->default_size;
}

/* ---- Groups ---- */

/* The row that a mandatory prefix selects: F2 and F3 go before 66 (SDM vol. 2A 2.1.2). The prefix
 * has then done its work. */
static const OpcodeRow *select_by_prefix(Decoder *decoder, const OpcodeRow *rows) {
    Insn *insn = decoder->insn;
    if (insn->prefixes & (PREFIX_REP | PREFIX_REPNE)) {
        bool rep = insn->prefixes & PREFIX_REP;
        insn->prefixes &= (uint8_t) ~(PREFIX_REP | PREFIX_REPNE);
        insn->mandatory = rep ? 0xF3 : 0xF2;
        return &rows[rep ? 2 : 3];
    }
    if (insn->prefixes & PREFIX_OPERAND_SIZE) {
        insn->prefixes &= (uint8_t)~PREFIX_OPERAND_SIZE;
        insn->operand_size = decoder->default_size;
        insn->mandatory = 0x66;
        return &rows[1];
    }
    return &rows[0];
}

static const OpcodeRow *select_by_repeat(Decoder *decoder, const OpcodeRow *rows, bool strict) {
    Insn *insn = decoder->insn;
    if (insn->prefixes & (PREFIX_REP | PREFIX_REPNE)) {
        bool rep = insn->prefixes & PREFIX_REP;
        const OpcodeRow *row = &rows[rep ? 1 : 2];
        if (row->code != INSN_INVALID || strict) {
            insn->prefixes &= (uint8_t) ~(PREFIX_REP | PREFIX_REPNE);
            insn->mandatory = rep ? 0xF3 : 0xF2;
            return row;
        }
    }
    return &rows[0];
}

static const OpcodeRow *select_row(Decoder *decoder, const OpcodeRow *row) {
    const Insn *insn = decoder->insn;
    unsigned modrm = insn->modrm;
    while (row->attributes & ROW_GROUP) {
        const OpcodeGroup *group = &opcode_groups[row->operands[0]];
        switch (group->select) {
        case SELECT_REG:
            row = &group->rows[modrm >> 3 & 7];
            break;
        case SELECT_MOD:
            row = &group->rows[modrm >= 0xC0];
            break;
        case SELECT_RM:
            row = &group->rows[modrm & 7];
            break;
        case SELECT_X87:
            row = &group->rows[(insn->opcode & 7) * 72];
            row += modrm >= 0xC0 ? 8 + (modrm & 0x3F) : modrm >> 3 & 7;
            break;
        case SELECT_PREFIX:
            row = select_by_prefix(decoder, group->rows);
            break;
        case SELECT_OPCODE_PREFIX:
            row = select_by_prefix(decoder, &group->rows[insn->opcode * 4]);
            break;
        case SELECT_REPEAT:
            row = select_by_repeat(decoder, group->rows, false);
            break;
        case SELECT_REPEAT_STRICT:
            row = select_by_repeat(decoder, group->rows, true);
            break;
        }
    }
    return row;
}

/* ---- Memory operands ---- */

/* SDM vol. 2A table 2-1. */
static const struct {
    uint8_t base, index, segment;
} address16_table[8] = {
    {REG_EBX, REG_ESI, SEG_DS},     {REG_EBX, REG_EDI, SEG_DS},     {REG_EBP, REG_ESI, SEG_SS},
    {REG_EBP, REG_EDI, SEG_SS},     {REG_ESI, NO_REGISTER, SEG_DS}, {REG_EDI, NO_REGISTER, SEG_DS},
    {REG_EBP, NO_REGISTER, SEG_SS}, {REG_EBX, NO_REGISTER, SEG_DS},
};

static bool decode_memory16(Decoder *decoder) {
    MemoryOperand *memory = &decoder->insn->memory;
    unsigned mod = decoder->insn->modrm >> 6, rm = decoder->insn->modrm & 7;
    uint32_t displacement = 0;
    if (mod == 0 && rm == 6) {
        if (!fetch(decoder, 2, &displacement)) {
            return false;
        }
    } else {
        memory->base = address16_table[rm].base;
        memory->index = address16_table[rm].index;
        memory->segment = address16_table[rm].segment;
        if (mod != 0 && !fetch_signed(decoder, mod, &displacement)) {
            return false;
        }
    }
    memory->displacement = (int32_t)displacement;
    return true;
}

/* SDM vol. 2A tables 2-2 and 2-3. */
static bool decode_memory32(Decoder *decoder) {
    MemoryOperand *memory = &decoder->insn->memory;
    unsigned mod = decoder->insn->modrm >> 6, base = decoder->insn->modrm & 7;
    if (base == 4) {
        uint8_t sib;
        if (!fetch_byte(decoder, &sib)) {
            return false;
        }
        base = sib & 7;
        if ((sib >> 3 & 7) != REG_ESP) {
            memory->index = sib >> 3 & 7;
            memory->scale = (uint8_t)(1 << (sib >> 6));
        }
    }
    unsigned displacement_size = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (mod == 0 && base == REG_EBP) {
        displacement_size = 4;
    } else {
        memory->base = (uint8_t)base;
        memory->segment = base == REG_ESP || base == REG_EBP ? SEG_SS : SEG_DS;
    }
    uint32_t displacement = 0;
    if (displacement_size != 0 && !fetch_signed(decoder, displacement_size, &displacement)) {
        return false;
    }
    memory->displacement = (int32_t)displacement;
    return true;
}

/* What was fetched last. */
static void note_displacement(Decoder *decoder, unsigned bytes) {
    decoder->insn->displacement_at = (uint8_t)(decoder->position - bytes);
    decoder->insn->displacement_bytes = (uint8_t)bytes;
}

static void note_immediate(Decoder *decoder, unsigned bytes) {
    decoder->insn->immediate_at = (uint8_t)(decoder->position - bytes);
    decoder->insn->immediate_bytes = (uint8_t)bytes;
}

static bool decode_memory(Decoder *decoder) {
    Insn *insn = decoder->insn;
    unsigned mod = insn->modrm >> 6, wide = insn->address_size;
    if (!(wide == 2 ? decode_memory16(decoder) : decode_memory32(decoder))) {
        return false;
    }
    bool direct = mod == 0 && insn->memory.base == NO_REGISTER;
    if (mod != 0 || direct) {
        note_displacement(decoder, mod == 1 ? 1 : wide);
    }
    if (decoder->segment != NO_REGISTER) {
        insn->memory.segment = decoder->segment;
    }
    return true;
}

/* ---- Operands ---- */

typedef enum From {
    FROM_RM,
    FROM_REG,
    FROM_OPCODE,
    FROM_OPCODE_SREG,
    FROM_NOWHERE, /* the register is in the table */
    FROM_IMMEDIATE,
    FROM_SIGNED_BYTE,
    FROM_IMMEDIATE2,
    FROM_RELATIVE,
    FROM_FAR_POINTER,
    FROM_OFFSET,
    FROM_REGISTER_MEMORY, /* at the address that the register in the table holds */
} From;

enum { MEMORY_ALLOWED = 1, REGISTER_ALLOWED = 2, EITHER = 3 };

/* For each OperandSource: where it is, what it is, which registers exist. */
static const struct {
    uint8_t from, kind, reg;
    uint8_t allowed; /* FROM_RM: MEMORY_ALLOWED, REGISTER_ALLOWED */
    uint8_t legal;   /* FROM_REG: bit n set if register n exists */
} sources[] = {
    [SOURCE_RM_GPR] = {FROM_RM, OPERAND_GPR, 0, EITHER, 0},
    [SOURCE_RM_GPR_ONLY] = {FROM_RM, OPERAND_GPR, 0, REGISTER_ALLOWED, 0},
    [SOURCE_RM_MEMORY] = {FROM_RM, OPERAND_NONE, 0, MEMORY_ALLOWED, 0},
    [SOURCE_RM_MM] = {FROM_RM, OPERAND_MM, 0, EITHER, 0},
    [SOURCE_RM_MM_ONLY] = {FROM_RM, OPERAND_MM, 0, REGISTER_ALLOWED, 0},
    [SOURCE_RM_XMM] = {FROM_RM, OPERAND_XMM, 0, EITHER, 0},
    [SOURCE_RM_XMM_ONLY] = {FROM_RM, OPERAND_XMM, 0, REGISTER_ALLOWED, 0},
    [SOURCE_RM_ST] = {FROM_RM, OPERAND_ST, 0, REGISTER_ALLOWED, 0},
    [SOURCE_REG_GPR] = {FROM_REG, OPERAND_GPR, 0, 0, 0xFF},
    [SOURCE_REG_MM] = {FROM_REG, OPERAND_MM, 0, 0, 0xFF},
    [SOURCE_REG_XMM] = {FROM_REG, OPERAND_XMM, 0, 0, 0xFF},
    [SOURCE_REG_SREG] = {FROM_REG, OPERAND_SREG, 0, 0, 0x3F},
    [SOURCE_REG_SREG_LOAD] = {FROM_REG, OPERAND_SREG, 0, 0, 0x3F & ~(1 << SEG_CS)},
    [SOURCE_REG_CR] = {FROM_REG, OPERAND_CR, 0, 0, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4},
    [SOURCE_REG_DR] = {FROM_REG, OPERAND_DR, 0, 0, 0xFF}, /* DR4 and DR5: CR4.DE decides */
    [SOURCE_REG_TR] = {FROM_REG, OPERAND_TR, 0, 0, 0xF8},
    [SOURCE_OPCODE_GPR] = {FROM_OPCODE, OPERAND_GPR, 0, 0, 0},
    [SOURCE_OPCODE_SREG] = {FROM_OPCODE_SREG, OPERAND_SREG, 0, 0, 0},
    [SOURCE_ACCUMULATOR] = {FROM_NOWHERE, OPERAND_GPR, REG_EAX, 0, 0},
    [SOURCE_COUNT] = {FROM_NOWHERE, OPERAND_GPR, REG_ECX, 0, 0},
    [SOURCE_PORT] = {FROM_NOWHERE, OPERAND_DX, REG_EDX, 0, 0},
    [SOURCE_ONE] = {FROM_NOWHERE, OPERAND_ONE, 0, 0, 0},
    [SOURCE_ST0] = {FROM_NOWHERE, OPERAND_ST, 0, 0, 0},
    [SOURCE_XMM0] = {FROM_NOWHERE, OPERAND_XMM, 0, 0, 0},
    [SOURCE_IMMEDIATE] = {FROM_IMMEDIATE, OPERAND_IMM, 0, 0, 0},
    [SOURCE_IMMEDIATE_SIGNED_BYTE] = {FROM_SIGNED_BYTE, OPERAND_IMM, 0, 0, 0},
    [SOURCE_IMMEDIATE2] = {FROM_IMMEDIATE2, OPERAND_IMM2, 0, 0, 0},
    [SOURCE_RELATIVE] = {FROM_RELATIVE, OPERAND_REL, 0, 0, 0},
    [SOURCE_FAR_POINTER] = {FROM_FAR_POINTER, OPERAND_FAR, 0, 0, 0},
    [SOURCE_OFFSET] = {FROM_OFFSET, OPERAND_MOFFS, 0, 0, 0},
    [SOURCE_STRING_SOURCE] = {FROM_NOWHERE, OPERAND_STRING_SOURCE, REG_ESI, 0, 0},
    [SOURCE_STRING_DESTINATION] = {FROM_NOWHERE, OPERAND_STRING_DESTINATION, REG_EDI, 0, 0},
    [SOURCE_MEMORY_AT_EBX] = {FROM_REGISTER_MEMORY, OPERAND_MEM, REG_EBX, 0, 0},
    [SOURCE_MEMORY_AT_EDI] = {FROM_REGISTER_MEMORY, OPERAND_MEM, REG_EDI, 0, 0},
    [SOURCE_MEMORY_AT_EAX] = {FROM_REGISTER_MEMORY, OPERAND_MEM, REG_EAX, 0, 0},
};

/* For each OperandForm its source, and sizes with 16-bit and 32-bit operands. */
static const struct {
    uint8_t source;
    uint16_t memory_size[2];
    uint8_t register_size[2];
} forms[FORM_COUNT] = {
#define FORM(name, source, memory16, memory32, register16, register32)                             \
    [FORM_##name] = {SOURCE_##source, {memory16, memory32}, {register16, register32}},
#include "operand_forms.def"
#undef FORM
};

static DecodeStatus decode_rm(Decoder *decoder, unsigned source, unsigned memory_size,
                              Operand *operand) {
    unsigned allowed = sources[source].allowed;
    if (decoder->has_memory) {
        operand->kind = OPERAND_MEM;
        operand->size = (uint16_t)memory_size;
        return allowed & MEMORY_ALLOWED ? DECODE_OK : DECODE_INVALID;
    }
    operand->reg = decoder->insn->modrm & 7;
    return allowed & REGISTER_ALLOWED ? DECODE_OK : DECODE_INVALID;
}

/* The operands that are bytes of the instruction. DECODE_TRUNCATED stands for too long as well
 * here. */
static DecodeStatus decode_immediate(Decoder *decoder, From from, Operand *operand) {
    Insn *insn = decoder->insn;
    bool fetched = true;
    switch (from) {
    case FROM_IMMEDIATE:
        fetched = fetch(decoder, operand->size, &insn->immediate);
        break;
    case FROM_SIGNED_BYTE:
        fetched = fetch_signed(decoder, 1, &insn->immediate);
        insn->immediate &= operand->size == 2 ? 0xFFFF : 0xFFFFFFFF;
        break;
    case FROM_IMMEDIATE2:
        fetched = fetch(decoder, operand->size, &insn->immediate2);
        break;
    case FROM_RELATIVE:
        fetched = fetch_signed(decoder, operand->size, &insn->immediate);
        break;
    case FROM_FAR_POINTER:
        fetched = fetch(decoder, operand->size - 2, &insn->immediate) &&
                  fetch(decoder, 2, &insn->immediate2);
        break;
    default: { /* FROM_OFFSET */
        uint32_t offset = 0;
        fetched = fetch(decoder, insn->address_size, &offset);
        insn->memory.displacement = (int32_t)offset;
        break;
    }
    }
    if (!fetched) {
        return DECODE_TRUNCATED;
    }
    if (from == FROM_OFFSET) {
        note_displacement(decoder, insn->address_size);
    } else if (from == FROM_SIGNED_BYTE) {
        note_immediate(decoder, 1);
    } else if (from == FROM_IMMEDIATE || from == FROM_RELATIVE) {
        note_immediate(decoder, operand->size);
    }
    return DECODE_OK;
}

static DecodeStatus decode_operand(Decoder *decoder, unsigned form, Operand *operand) {
    Insn *insn = decoder->insn;
    unsigned wide = insn->operand_size == 4;
    unsigned source = forms[form].source;
    unsigned memory_size = forms[form].memory_size[wide];
    operand->kind = sources[source].kind;
    operand->reg = sources[source].reg;
    operand->size = forms[form].register_size[wide];
    switch ((From)sources[source].from) {
    case FROM_RM:
        return decode_rm(decoder, source, memory_size, operand);
    case FROM_REG:
        operand->reg = insn->modrm >> 3 & 7;
        return sources[source].legal >> operand->reg & 1 ? DECODE_OK : DECODE_INVALID;
    case FROM_OPCODE:
        operand->reg = insn->opcode & 7;
        return DECODE_OK;
    case FROM_OPCODE_SREG:
        operand->reg = insn->opcode >> 3 & 7;
        return DECODE_OK;
    case FROM_NOWHERE:
        if (memory_size != 0) { /* strings */
            operand->size = (uint16_t)memory_size;
        }
        return DECODE_OK;
    case FROM_REGISTER_MEMORY:
        operand->size = (uint16_t)memory_size;
        insn->memory.base = operand->reg;
        return DECODE_OK;
    default:
        if (memory_size != 0) {
            operand->size = (uint16_t)memory_size;
        }
        return decode_immediate(decoder, (From)sources[source].from, operand);
    }
}

static DecodeStatus decode_operands(Decoder *decoder) {
    Insn *insn = decoder->insn;
    DecodeStatus all = DECODE_OK;
    unsigned i;
    /* After an operand that does not exist too: all bytes are fetched before that is #UD. */
    for (i = 0; i < 4 && insn->row->operands[i] != FORM_NONE; i++) {
        DecodeStatus status = decode_operand(decoder, insn->row->operands[i], &insn->operand[i]);
        if (status == DECODE_TRUNCATED) {
            return status;
        }
        if (status != DECODE_OK) {
            all = status;
        }
    }
    insn->operand_count = (uint8_t)i;
    return all;
}

/* ---- The whole ---- */

static void decode_condition(Insn *insn) {
    if (!(insn->row->attributes & ROW_CONDITION)) {
        return;
    }
    if (insn->row->attributes & ROW_X87) {
        insn->condition = (insn->modrm >> 3 & 3) | (insn->opcode & 1) << 2;
    } else {
        insn->condition = insn->opcode & 15;
    }
}

/* The last byte of a 3DNow! instruction is its opcode, and no operand. */
static bool select_by_suffix(Insn *insn) {
    insn->row = &opcode_rows_3dnow[insn->immediate];
    insn->code = insn->row->code;
    insn->operand[--insn->operand_count] = (Operand){0};
    return insn->code != INSN_INVALID;
}

/* LOCK is legal only where memory is the destination of one of a few instructions (SDM vol. 2A,
 * LOCK). */
static bool is_lock_legal(const Insn *insn) {
    return (insn->row->attributes & ROW_LOCK) && insn->operand[0].kind == OPERAND_MEM;
}

static DecodeStatus decode(Decoder *decoder) {
    Insn *insn = decoder->insn;
    const OpcodeRow *row = fetch_opcode(decoder);
    if (row == NULL) {
        return DECODE_TRUNCATED;
    }
    apply_sizes(decoder);
    if (decoder->segment != NO_REGISTER) {
        insn->memory.segment = decoder->segment;
    }
    bool has_modrm = row->attributes & ROW_MODRM;
    if (has_modrm && !fetch_byte(decoder, &insn->modrm)) {
        return DECODE_TRUNCATED;
    }
    row = select_row(decoder, row);
    insn->row = row;
    insn->code = row->code;
    /* Also where there is no such instruction: being too long goes before being undefined. */
    if (has_modrm && insn->modrm < 0xC0 && !(row->attributes & ROW_REGISTER_FORM)) {
        decoder->has_memory = true;
        if (!decode_memory(decoder)) {
            return DECODE_TRUNCATED;
        }
    }
    if (row->code == INSN_INVALID && !(row->attributes & ROW_SUFFIX)) {
        return DECODE_INVALID;
    }
    DecodeStatus status = decode_operands(decoder);
    if (status != DECODE_OK) {
        return status;
    }
    if (row->attributes & ROW_SUFFIX && !select_by_suffix(insn)) {
        return DECODE_INVALID;
    }
    decode_condition(insn);
    return insn->prefixes & PREFIX_LOCK && !is_lock_legal(insn) ? DECODE_INVALID : DECODE_OK;
}

DecodeStatus insn_decode(const uint8_t *bytes, size_t available, DecodeMode mode, Insn *insn) {
    assert(mode != DECODE_64);
    memset(insn, 0, sizeof *insn);
    Decoder decoder = {
        .bytes = bytes,
        .limit = available < INSN_LENGTH_MAX ? (unsigned)available : INSN_LENGTH_MAX,
        .insn = insn,
        .default_size = mode == DECODE_16 ? 2 : 4,
        .segment = NO_REGISTER,
    };
    insn->memory.base = insn->memory.index = NO_REGISTER;
    insn->memory.scale = 1;
    insn->memory.segment = SEG_DS;
    DecodeStatus status = decode(&decoder);
    insn->length = (uint8_t)decoder.position;
    if (status == DECODE_TRUNCATED && available >= INSN_LENGTH_MAX) {
        return DECODE_TOO_LONG;
    }
    return status;
}
