/* See oracle_random_code.h. */
#include "oracle_random_code.h"
#include "cpu.h"
#include "guest_fixture.h"
#include "oracle_tolerance.h"
#include <string.h>

enum { CANDIDATE_BYTES = 24, NO_OFFSET = 0xFF };

/* An instruction being made. */
typedef struct Candidate {
    uint8_t bytes[CANDIDATE_BYTES];
    uint8_t displacement; /* where its 32-bit displacement stands; NO_OFFSET: it has none */
    uint8_t base, index, scale;
    bool on_stack;
    Insn insn;
} Candidate;

/* ---- What is left out ---- */

static bool is_system(const Insn *insn) {
    switch (insn->code) {
    case INSN_IN:
    case INSN_OUT:
    case INSN_INS:
    case INSN_OUTS:
    case INSN_CLI:
    case INSN_STI:
    case INSN_MOV_SREG:
    case INSN_PUSH_SREG:
    case INSN_POP_SREG:
    case INSN_LDS:
    case INSN_LES:
    case INSN_LFS:
    case INSN_LGS:
    case INSN_LSS:
    case INSN_SLDT:
    case INSN_STR:
    case INSN_SGDT:
    case INSN_SIDT:
    case INSN_SMSW:
    case INSN_LAR:
    case INSN_LSL:
    case INSN_VERR:
    case INSN_VERW:
    case INSN_RDTSC:
    case INSN_RDTSCP:
    case INSN_RDPMC:
    case INSN_CPUID:
    case INSN_RDRAND:
    case INSN_RDSEED:
    case INSN_MONITOR:
    case INSN_MWAIT:
    case INSN_CLAC:
    case INSN_STAC:
    case INSN_CLFLUSH:
    case INSN_UD0:
    case INSN_UD1:
    case INSN_UD2:
    case INSN_SYSENTER:
    case INSN_SYSCALL:
    case INSN_SYSRET:
    case INSN_POPF: /* a fitting one is made apart */
    case INSN_ENTER:
    case INSN_LEAVE:
    case INSN_BOUND:
    case INSN_INVALID:
        return true;
    default:
        return false;
    }
}

/* Results that the manuals give bounds for, or that depend on what an earlier one left undefined.
 */
static bool is_inexact(const Insn *insn) {
    if (oracle_is_transcendental(insn) || oracle_is_estimate(insn))
        return true;
    switch (insn->code) {
    case INSN_BSWAP:
        return insn->operand_size == 2;
    case INSN_SHLD:
    case INSN_SHRD: /* 16 bits by more than 16 */
        return insn->operand_size == 2 &&
               (insn->operand[2].kind != OPERAND_IMM || (insn->immediate & 31) > 16);
    case INSN_FBLD: /* of what is no decimal number */
        return true;
    default:
        return false;
    }
}

/* Control words and whole images from random memory: exceptions would come unmasked. */
static bool loads_control(const Insn *insn) {
    switch (insn->code) {
    case INSN_FLDCW:
    case INSN_FLDENV:
    case INSN_FRSTOR:
    case INSN_FXRSTOR:
    case INSN_LDMXCSR:
    case INSN_FNSTENV: /* and the code segment's selector is stored */
    case INSN_FNSAVE:
    case INSN_FXSAVE:
        return true;
    default:
        return false;
    }
}

static bool may_write(const Insn *insn, unsigned operand) {
    return operand == 0 || insn->code == INSN_XCHG || insn->code == INSN_XADD;
}

static bool changes_esp(const Insn *insn) {
    for (unsigned i = 0; i < insn->operand_count; i++)
        if (insn->operand[i].kind == OPERAND_GPR && insn->operand[i].reg == REG_ESP &&
            insn->operand[i].size > 1 && may_write(insn, i) && insn->code != INSN_PUSH)
            return true;
    return false;
}

/* TZCNT, which is BSF in the guest; and hints. */
static bool is_read_otherwise(const Insn *insn) {
    if (insn->map == 1 && insn->opcode == 0x0D)
        return true; /* a NOP with a register is undefined on other hosts */
    return insn->code != INSN_LZCNT && insn->map == 1 &&
           (insn->opcode == 0xBC || insn->opcode == 0xBD) &&
           insn->prefixes & (PREFIX_REP | PREFIX_REPNE);
}

static bool is_usable(const Insn *insn, uint64_t features) {
    const OpcodeRow *row = insn->row;
    if (row->attributes & (ROW_PRIVILEGED | ROW_BRANCH | ROW_PROTECTED))
        return false;
    if ((features >> row->feature & 1) == 0 || insn->address_size != 4)
        return false;
    return !is_system(insn) && !is_inexact(insn) && !loads_control(insn) && !changes_esp(insn) &&
           !is_read_otherwise(insn);
}

/* ---- Making one ---- */

static unsigned below(uint64_t *random, unsigned limit) {
    return (unsigned)(guest_random(random) >> 16) % limit;
}

/* Any but prefixes and escapes to other maps, which would displace what follows. */
static uint8_t choose_byte(uint64_t *random, bool is_first) {
    static const uint8_t not_first[] = {0x0F, 0x26, 0x2E, 0x36, 0x3E, 0x64,
                                        0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3};
    for (;;) {
        uint8_t byte = (uint8_t)below(random, 256);
        if (is_first ? memchr(not_first, byte, sizeof(not_first)) == NULL
                     : byte != 0x38 && byte != 0x3A)
            return byte;
    }
}

static void choose_integer_opcode(uint64_t *random, uint8_t **at) {
    if (below(random, 4) != 0) {
        *(*at)++ = choose_byte(random, true);
        if (below(random, 12) == 0) /* TEST, NOT, NEG, MUL, IMUL, DIV, IDIV */
            (*at)[-1] = 0xF6 | (uint8_t)below(random, 2);
        return;
    }
    static const uint8_t opcodes[] = {0xA3, 0xA4, 0xA5, 0xAB, 0xAC, 0xAD, 0xAF, 0xB0, 0xB1,
                                      0xB3, 0xB6, 0xB7, 0xB8, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE,
                                      0xBF, 0xC0, 0xC1, 0xC3, 0xC7, 0xC8, 0xCB, 0x38};
    unsigned choice = below(random, 3);
    *(*at)++ = 0x0F;
    if (choice == 0) { /* CMOVcc, SETcc */
        *(*at)++ = (uint8_t)((below(random, 2) ? 0x40 : 0x90) | below(random, 16));
        return;
    }
    *(*at)++ = opcodes[below(random, sizeof(opcodes))];
    if ((*at)[-1] == 0x38)
        *(*at)++ = 0xF0 | (uint8_t)below(random, 2);
}

static void choose_opcode(uint64_t *random, RandomKind kind, uint8_t **at) {
    static const uint8_t prefixes[] = {0x66, 0x66, 0x66, 0x66, 0xF2, 0xF3, 0xF0, 0x36};
    if (below(random, 6) == 0)
        kind = RANDOM_INTEGER;
    if (kind == RANDOM_X87) {
        *(*at)++ = (uint8_t)(0xD8 | below(random, 8));
        return;
    }
    unsigned choice = below(random, kind == RANDOM_VECTOR ? 12 : 24);
    if (choice < sizeof(prefixes))
        *(*at)++ = prefixes[choice];
    if (kind == RANDOM_INTEGER) {
        choose_integer_opcode(random, at);
        return;
    }
    *(*at)++ = 0x0F;
    unsigned map = below(random, 8);
    if (map >= 2) {
        *(*at)++ = choose_byte(random, false);
        return;
    }
    *(*at)++ = map == 0 ? 0x38 : 0x3A;
    *(*at)++ = (uint8_t)below(random, 0x64); /* all that there are, but AES and CRC32 */
}

/* A register, or memory in one of the forms that ModRM has; addresses come later. */
static uint8_t *choose_modrm(uint64_t *random, Candidate *candidate, uint8_t *at) {
    unsigned reg = below(random, 8), form = below(random, 8);
    candidate->base = candidate->index = NO_REGISTER;
    if (form < 4) {
        *at++ = (uint8_t)(0xC0 | reg << 3 | below(random, 8));
        return at;
    }
    if (form == 4) { /* [esp + displacement] */
        candidate->on_stack = true;
        *at++ = (uint8_t)(0x44 | reg << 3);
        *at++ = 0x24;
        *at++ = (uint8_t)(below(random, 128) - 64);
        return at;
    }
    unsigned base = below(random, 8), index = below(random, 8);
    if (form == 5 || base == REG_ESP || index == REG_ESP || base == index) { /* [displacement] */
        *at++ = (uint8_t)(0x05 | reg << 3);
    } else if (form == 6) { /* [base + displacement] */
        *at++ = (uint8_t)(0x80 | reg << 3 | base);
        candidate->base = (uint8_t)base;
    } else { /* [base + index * scale + displacement] */
        unsigned scale = below(random, 4);
        *at++ = (uint8_t)(0x84 | reg << 3);
        *at++ = (uint8_t)(scale << 6 | index << 3 | base);
        candidate->base = (uint8_t)base;
        candidate->index = (uint8_t)index;
        candidate->scale = (uint8_t)(1 << scale);
    }
    candidate->displacement = (uint8_t)(at - candidate->bytes);
    return at + 4;
}

static bool make_candidate(uint64_t *random, RandomKind kind, uint64_t features,
                           Candidate *candidate) {
    uint8_t *at = candidate->bytes;
    memset(candidate, 0, sizeof(*candidate));
    for (unsigned i = 0; i < CANDIDATE_BYTES; i++)
        candidate->bytes[i] = (uint8_t)guest_random(random);
    choose_opcode(random, kind, &at);
    candidate->displacement = NO_OFFSET;
    candidate->base = candidate->index = NO_REGISTER;
    choose_modrm(random, candidate, at);
    Insn *insn = &candidate->insn;
    if (insn_decode(candidate->bytes, CANDIDATE_BYTES, DECODE_32, insn) != DECODE_OK ||
        !is_usable(insn, features))
        return false;
    if (!(insn->row->attributes & ROW_MODRM)) { /* then that byte and what follows are others */
        candidate->on_stack = false;
        candidate->displacement = NO_OFFSET;
        candidate->base = candidate->index = NO_REGISTER;
        if (insn->operand[0].kind == OPERAND_MOFFS || insn->operand[1].kind == OPERAND_MOFFS)
            candidate->displacement = (uint8_t)(at - candidate->bytes);
    }
    return true;
}

/* ---- Appending, with what its flags need ---- */

static bool is_shift(const Insn *insn) {
    return insn->code >= INSN_SHL && insn->code <= INSN_SHRD;
}

/* May it leave all flags alone, against what its row says? */
static bool may_skip_flags(const Insn *insn, bool *certainly) {
    *certainly = false;
    if (insn->row->attributes & ROW_STRING)
        return (insn->prefixes & (PREFIX_REP | PREFIX_REPNE)) != 0;
    if (!is_shift(insn))
        return false;
    const Operand *count = &insn->operand[insn->operand_count - 1];
    if (count->kind == OPERAND_ONE)
        return false;
    *certainly = count->kind == OPERAND_IMM && (insn->immediate & 31) == 0;
    return count->kind != OPERAND_IMM || *certainly;
}

static void append(RandomCode *code, const uint8_t *bytes, const Insn *insn) {
    RandomInsn *item = &code->insns[code->count];
    bool certainly, skips = may_skip_flags(insn, &certainly);
    *item = (RandomInsn){.offset = (uint16_t)code->length, .length = insn->length};
    if (code->count > 0)
        item->undefined_before = code->insns[code->count - 1].undefined_after;
    uint32_t undefined = item->undefined_before;
    if (!skips)
        undefined &= ~(uint32_t)insn->row->flags_written;
    if (!certainly)
        undefined |= insn->row->flags_undefined;
    item->undefined_after = (uint16_t)(undefined & FLAG_STATUS);
    memcpy(code->bytes + code->length, bytes, insn->length);
    code->length += insn->length;
    code->count++;
}

static void append_bytes(RandomCode *code, const uint8_t *bytes, size_t size) {
    Insn insn;
    if (insn_decode(bytes, size, DECODE_32, &insn) == DECODE_OK)
        append(code, bytes, &insn);
}

static void append_load(RandomCode *code, unsigned reg, uint32_t value) {
    const uint8_t bytes[] = {(uint8_t)(0xB8 | reg), (uint8_t)value, (uint8_t)(value >> 8),
                             (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    append_bytes(code, bytes, sizeof(bytes));
}

static uint32_t choose_address(uint64_t *random, const Insn *insn) {
    unsigned size = 16, margin = 96; /* bit tests reach to both sides */
    for (unsigned i = 0; i < insn->operand_count; i++)
        if (insn->operand[i].kind == OPERAND_MEM && insn->operand[i].size > size)
            size = insn->operand[i].size;
    uint32_t offset = margin + below(random, RANDOM_DATA_BYTES - 2 * margin - size);
    if (insn->row->attributes & ROW_SSE || insn->prefixes & PREFIX_LOCK ||
        insn->code == INSN_XCHG) /* vectors must be aligned; split locks are slow or refused */
        offset &= ~15u;
    return RANDOM_DATA + offset;
}

/* Registers and displacement such that the operand lies in RANDOM_DATA. */
static void aim(RandomCode *code, uint64_t *random, Candidate *candidate) {
    uint32_t displacement = choose_address(random, &candidate->insn);
    if (candidate->base != NO_REGISTER) {
        uint32_t value = (uint32_t)guest_random(random);
        append_load(code, candidate->base, value);
        displacement -= value;
    }
    if (candidate->index != NO_REGISTER) {
        uint32_t value = (uint32_t)guest_random(random);
        append_load(code, candidate->index, value);
        displacement -= value * candidate->scale;
    }
    memcpy(candidate->bytes + candidate->displacement, &displacement, 4);
}

static void aim_string(RandomCode *code, uint64_t *random, const Insn *insn) {
    append_load(code, REG_ESI, RANDOM_DATA + 256 + below(random, 1024));
    append_load(code, REG_EDI, RANDOM_DATA + 256 + below(random, 1024));
    if (insn->prefixes & (PREFIX_REP | PREFIX_REPNE))
        append_load(code, REG_ECX, below(random, 24));
}

static bool is_bit_test(const Insn *insn) {
    return insn->code >= INSN_BT && insn->code <= INSN_BTC;
}

static bool has_memory(const Insn *insn) {
    return insn->operand[0].kind == OPERAND_MEM || insn->operand[1].kind == OPERAND_MEM;
}

/* Most divisions by random numbers overflow. */
static void tame_division(RandomCode *code, uint64_t *random, const Insn *insn) {
    if ((insn->code != INSN_DIV && insn->code != INSN_IDIV) || below(random, 8) == 0)
        return;
    append_load(code, REG_EDX, below(random, 64));
    if (insn->operand[0].size == 1)
        append_load(code, REG_EAX, below(random, 2048));
}

/* CMP defines all flags. */
static void define_flags(RandomCode *code, uint64_t *random) {
    const uint8_t bytes[] = {(uint8_t)(0x38 | below(random, 4)),
                             (uint8_t)(0xC0 | below(random, 64))};
    append_bytes(code, bytes, sizeof(bytes));
}

/* FCOMI and its kin clear C1 on Intel's processors (SDM vol. 2), and leave it on AMD's: FXAM, as a
 * part of the instruction before, makes it the same. */
static void append_examine(RandomCode *code) {
    static const uint8_t fxam[] = {0xD9, 0xE5};
    memcpy(code->bytes + code->length, fxam, sizeof(fxam));
    code->length += sizeof(fxam);
    code->insns[code->count - 1].length += sizeof(fxam);
}

static bool append_candidate(RandomCode *code, uint64_t *random, Candidate *candidate) {
    const Insn *insn = &candidate->insn;
    bool reads = has_memory(insn);
    if (candidate->on_stack && reads && (insn->row->attributes & ROW_SSE))
        return false; /* it may have to be aligned */
    if (candidate->on_stack && reads && insn->prefixes & PREFIX_LOCK)
        return false;
    tame_division(code, random, insn);
    if (is_bit_test(insn) && reads && insn->operand[1].kind == OPERAND_GPR) {
        if (insn->operand[1].reg == candidate->base || insn->operand[1].reg == candidate->index ||
            insn->operand[1].reg == REG_ESP)
            return false;
        append_load(code, insn->operand[1].reg, below(random, 512) - 256);
    }
    if (insn->row->attributes & ROW_STRING)
        aim_string(code, random, insn);
    if (insn->code == INSN_XLAT)
        append_load(code, REG_EBX, RANDOM_DATA + below(random, 1024));
    if (insn->code == INSN_MASKMOVQ || insn->code == INSN_MASKMOVDQU)
        append_load(code, REG_EDI, RANDOM_DATA + below(random, 1024));
    if (candidate->displacement != NO_OFFSET)
        aim(code, random, candidate);
    uint16_t undefined = code->count > 0 ? code->insns[code->count - 1].undefined_after : 0;
    if (insn->row->flags_read & undefined)
        define_flags(code, random);
    append(code, candidate->bytes, insn);
    if (insn->code >= INSN_FCOMI && insn->code <= INSN_FUCOMIP)
        append_examine(code);
    return true;
}

/* PUSH a flags image, POPF: neither TF nor IOPL nor AC. */
static void append_popf(RandomCode *code, uint64_t *random) {
    uint32_t flags = ((uint32_t)guest_random(random) & (FLAG_STATUS | FLAG_DF)) | FLAG_IF | FLAG_1;
    const uint8_t push[] = {0x68, (uint8_t)flags, (uint8_t)(flags >> 8), 0, 0};
    append_bytes(code, push, sizeof(push));
    append_bytes(code, (const uint8_t[]){0x9D}, 1);
}

/* A control word with other precision and rounding through memory, all exceptions masked. */
static void append_control(RandomCode *code, uint64_t *random) {
    uint32_t address = RANDOM_DATA + below(random, 1024);
    unsigned control = 0x7F | below(random, 16) << 8;
    uint8_t store[] = {0x66, 0xC7, 0x05, 0, 0, 0, 0, (uint8_t)control, (uint8_t)(control >> 8)};
    uint8_t load[] = {0xD9, 0x2D, 0, 0, 0, 0};
    memcpy(store + 3, &address, 4);
    memcpy(load + 2, &address, 4);
    append_bytes(code, store, sizeof(store));
    append_bytes(code, load, sizeof(load));
}

/* A conditional jump over one instruction, with what that needs. */
static bool append_jump(RandomCode *code, uint64_t *random, Candidate *candidate) {
    uint8_t jump[] = {(uint8_t)(0x70 | below(random, 16)), 0};
    Insn insn;
    insn_decode(jump, sizeof(jump), DECODE_32, &insn);
    if (code->count > 0 && insn.row->flags_read & code->insns[code->count - 1].undefined_after)
        define_flags(code, random);
    append(code, jump, &insn);
    uint16_t undefined = code->insns[code->count - 1].undefined_after;
    unsigned start = code->length;
    bool appended = append_candidate(code, random, candidate);
    code->bytes[start - 1] = (uint8_t)(code->length - start);
    code->insns[code->count - 1].undefined_after |= undefined;
    return appended;
}

void random_code_make(RandomCode *code, uint64_t *random, RandomKind kind, unsigned count,
                      uint64_t features) {
    enum { ROOM = 12 }; /* instructions that one step may append */
    code->length = code->count = 0;
    for (unsigned made = 0; made < count && code->count < RANDOM_CODE_INSNS_MAX - ROOM;) {
        Candidate candidate;
        unsigned choice = below(random, 512);
        if (choice == 0) {
            append_popf(code, random);
            made++;
        } else if (choice == 1 && kind == RANDOM_X87) {
            append_control(code, random);
            made++;
        } else if (make_candidate(random, kind, features, &candidate)) {
            made += choice < 40 ? append_jump(code, random, &candidate)
                                : append_candidate(code, random, &candidate);
        }
    }
}
