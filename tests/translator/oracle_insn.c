/* See oracle_insn.h. */
#include "oracle_insn.h"
#include "cpu.h"
#include "guest_fixture.h"
#include "oracle_operands.h"
#include <string.h>

typedef struct Writer {
    OracleInsn *made;
    uint64_t *random;
} Writer;

static void put(Writer *writer, unsigned byte) {
    writer->made->bytes[writer->made->length++] = (uint8_t)byte;
}

static bool one_in(Writer *writer, unsigned count) {
    return oracle_below(writer->random, count) == 0;
}

/* Those that the row asks for, and others in any order. Where a prefix selects the row, 66 and the
 * repeat prefixes are left to that. */
static void put_prefixes(Writer *writer, const OracleRow *row) {
    static const uint8_t segments[] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x65, 0x65};
    static const uint8_t mandatory[] = {0, 0, 0x66, 0xF3, 0xF2};
    uint8_t chosen[6];
    unsigned count = 0;
    bool is_string = (row->row->attributes & ROW_STRING) != 0;
    bool is_free = row->prefix == ROW_PREFIX_FREE;
    if (mandatory[row->prefix] != 0)
        chosen[count++] = mandatory[row->prefix];
    if (one_in(writer, is_free ? 3 : row->prefix == ROW_PREFIX_NONE ? UINT16_MAX : 12))
        chosen[count++] = 0x66;
    if (one_in(writer, 5))
        chosen[count++] = 0x67;
    if (one_in(writer, 4))
        chosen[count++] = segments[oracle_below(writer->random, sizeof(segments))];
    if (one_in(writer, row->row->attributes & ROW_LOCK ? 4 : 24))
        chosen[count++] = 0xF0;
    if (is_free && one_in(writer, is_string ? 2 : 24))
        chosen[count++] = one_in(writer, 2) ? 0xF2 : 0xF3;
    while (count > 0) {
        unsigned next = oracle_below(writer->random, count);
        put(writer, chosen[next]);
        chosen[next] = chosen[--count];
    }
}

/* Register fields of MOV to and from control registers reach what is not there; others take all. */
static void put_modrm(Writer *writer, const OracleRow *row, unsigned address_size) {
    uint64_t *random = writer->random;
    OracleInsn *made = writer->made;
    unsigned mod = oracle_below(random, 8);
    unsigned reg = row->reg >= 0 ? (unsigned)row->reg : oracle_below(random, 8);
    unsigned rm = row->rm >= 0 ? (unsigned)row->rm : oracle_below(random, 8);
    mod = mod < 4 ? 3 : mod < 6 ? 2 : mod - 6;
    if (row->mod == ROW_MOD_REGISTER || row->row->attributes & ROW_REGISTER_FORM)
        mod = 3;
    else if (row->mod == ROW_MOD_MEMORY && mod == 3)
        mod = oracle_below(random, 3);
    put(writer, mod << 6 | reg << 3 | rm);
    if (mod == 3)
        return;
    unsigned full = address_size, base = rm;
    if (address_size == 4 && rm == 4) {
        unsigned sib = oracle_below(random, 256);
        put(writer, sib);
        base = sib & 7;
    }
    bool is_absolute = mod == 0 && base == (address_size == 4 ? 5 : 6);
    made->displacement_size = (uint8_t)(is_absolute || mod == 2 ? full : mod);
    made->displacement = (uint8_t)made->length;
    for (unsigned i = 0; i < made->displacement_size; i++)
        put(writer, oracle_below(random, 256));
}

static void put_opcode(Writer *writer, const OracleRow *row) {
    if (row->map != 0)
        put(writer, 0x0F);
    if (row->map >= 2)
        put(writer, row->map == 2 ? 0x38 : 0x3A);
    put(writer, row->opcode);
}

void oracle_insn_decode(OracleInsn *made) {
    made->status = insn_decode(made->bytes, sizeof(made->bytes), made->mode, &made->insn);
    made->length = made->insn.length;
}

static bool has_direct_address(const Insn *insn) {
    return insn->operand[0].kind == OPERAND_MOFFS || insn->operand[1].kind == OPERAND_MOFFS;
}

bool oracle_insn_make(OracleInsn *made, const OracleRow *row, DecodeMode mode, uint64_t *random) {
    Writer writer = {made, random};
    memset(made, 0, sizeof(*made));
    made->mode = mode;
    put_prefixes(&writer, row);
    bool changed = memchr(made->bytes, 0x67, made->length) != NULL;
    unsigned address_size = (mode == DECODE_16) != changed ? 2 : 4;
    put_opcode(&writer, row);
    if (row->has_modrm)
        put_modrm(&writer, row, address_size);
    if (row->suffix >= 0)
        put(&writer, (unsigned)row->suffix);
    made->immediate = (uint8_t)made->length;
    for (unsigned i = made->length; i < ORACLE_INSN_BYTES; i += 4) {
        uint32_t value = oracle_choose_integer(random);
        memcpy(made->bytes + i, &value, ORACLE_INSN_BYTES - i < 4 ? ORACLE_INSN_BYTES - i : 4);
    }
    oracle_insn_decode(made);
    if (has_direct_address(&made->insn)) {
        made->displacement = made->immediate;
        made->displacement_size = made->insn.address_size;
    }
    return made->insn.row == row->row || made->status == DECODE_TOO_LONG;
}
