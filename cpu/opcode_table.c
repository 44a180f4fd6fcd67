/* The one-byte opcode map (SDM vol. 2D table A-2) and the list of all groups.
 *
 * How the tables hang together. insn_decode() looks an opcode byte up in opcode_maps[map]. The row
 * that it finds is an instruction (its code, operand forms, flag effects, feature), or INVALID, or
 * one of the decoder's own: a prefix; an escape to another map; a group, which says by what of the
 * instruction to find the row (ModRM.reg, ModRM.mod, a mandatory prefix ...), which may be a group
 * again. So every look-up is an index; nothing is searched.
 *
 * Flags: what the manual leaves undefined is defined by the rules at the head of flags.h. A flag
 * that stays as it was by such a rule is in a row's flags_undefined but not in its flags_written
 * (DIV, BT, MOV CR).
 */
#include "opcode_table.h"

// clang-format off

const OpcodeRow opcode_rows[256] = {
    [0x00] = ROW(ADD, Eb, Gb, NONE, ROW_MODRM | ROW_LOCK, FLAGS_ARITHMETIC, 386),
    [0x01] = ROW(ADD, Ev, Gv, NONE, ROW_MODRM | ROW_LOCK, FLAGS_ARITHMETIC, 386),
    [0x02] = ROW(ADD, Gb, Eb, NONE, ROW_MODRM, FLAGS_ARITHMETIC, 386),
    [0x03] = ROW(ADD, Gv, Ev, NONE, ROW_MODRM, FLAGS_ARITHMETIC, 386),
    [0x04] = ROW(ADD, AL, Ib, NONE, 0, FLAGS_ARITHMETIC, 386),
    [0x05] = ROW(ADD, eAX, Iz, NONE, 0, FLAGS_ARITHMETIC, 386),
    [0x06] = ROW(PUSH_SREG, Zs, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x07] = ROW(POP_SREG, Zs, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x08] = ROW(OR, Eb, Gb, NONE, ROW_MODRM | ROW_LOCK, FLAGS_LOGIC, 386),
    [0x09] = ROW(OR, Ev, Gv, NONE, ROW_MODRM | ROW_LOCK, FLAGS_LOGIC, 386),
    [0x0A] = ROW(OR, Gb, Eb, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    [0x0B] = ROW(OR, Gv, Ev, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    [0x0C] = ROW(OR, AL, Ib, NONE, 0, FLAGS_LOGIC, 386),
    [0x0D] = ROW(OR, eAX, Iz, NONE, 0, FLAGS_LOGIC, 386),
    [0x0E] = ROW(PUSH_SREG, Zs, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x0F] = ESCAPE(1),

    [0x10] = ROW(ADC, Eb, Gb, NONE, ROW_MODRM | ROW_LOCK, FLAGS_CARRY, 386),
    [0x11] = ROW(ADC, Ev, Gv, NONE, ROW_MODRM | ROW_LOCK, FLAGS_CARRY, 386),
    [0x12] = ROW(ADC, Gb, Eb, NONE, ROW_MODRM, FLAGS_CARRY, 386),
    [0x13] = ROW(ADC, Gv, Ev, NONE, ROW_MODRM, FLAGS_CARRY, 386),
    [0x14] = ROW(ADC, AL, Ib, NONE, 0, FLAGS_CARRY, 386),
    [0x15] = ROW(ADC, eAX, Iz, NONE, 0, FLAGS_CARRY, 386),
    [0x16] = ROW(PUSH_SREG, Zs, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x17] = ROW(POP_SREG, Zs, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x18] = ROW(SBB, Eb, Gb, NONE, ROW_MODRM | ROW_LOCK, FLAGS_CARRY, 386),
    [0x19] = ROW(SBB, Ev, Gv, NONE, ROW_MODRM | ROW_LOCK, FLAGS_CARRY, 386),
    [0x1A] = ROW(SBB, Gb, Eb, NONE, ROW_MODRM, FLAGS_CARRY, 386),
    [0x1B] = ROW(SBB, Gv, Ev, NONE, ROW_MODRM, FLAGS_CARRY, 386),
    [0x1C] = ROW(SBB, AL, Ib, NONE, 0, FLAGS_CARRY, 386),
    [0x1D] = ROW(SBB, eAX, Iz, NONE, 0, FLAGS_CARRY, 386),
    [0x1E] = ROW(PUSH_SREG, Zs, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x1F] = ROW(POP_SREG, Zs, NONE, NONE, 0, FLAGS_NONE, 386),

    [0x20] = ROW(AND, Eb, Gb, NONE, ROW_MODRM | ROW_LOCK, FLAGS_LOGIC, 386),
    [0x21] = ROW(AND, Ev, Gv, NONE, ROW_MODRM | ROW_LOCK, FLAGS_LOGIC, 386),
    [0x22] = ROW(AND, Gb, Eb, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    [0x23] = ROW(AND, Gv, Ev, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    [0x24] = ROW(AND, AL, Ib, NONE, 0, FLAGS_LOGIC, 386),
    [0x25] = ROW(AND, eAX, Iz, NONE, 0, FLAGS_LOGIC, 386),
    [0x26] = PREFIX(PREFIX_SEGMENT, SEG_ES),
    [0x27] = ROW(DAA, NONE, NONE, NONE, 0, FLAGS_DECIMAL, 386),
    [0x28] = ROW(SUB, Eb, Gb, NONE, ROW_MODRM | ROW_LOCK, FLAGS_ARITHMETIC, 386),
    [0x29] = ROW(SUB, Ev, Gv, NONE, ROW_MODRM | ROW_LOCK, FLAGS_ARITHMETIC, 386),
    [0x2A] = ROW(SUB, Gb, Eb, NONE, ROW_MODRM, FLAGS_ARITHMETIC, 386),
    [0x2B] = ROW(SUB, Gv, Ev, NONE, ROW_MODRM, FLAGS_ARITHMETIC, 386),
    [0x2C] = ROW(SUB, AL, Ib, NONE, 0, FLAGS_ARITHMETIC, 386),
    [0x2D] = ROW(SUB, eAX, Iz, NONE, 0, FLAGS_ARITHMETIC, 386),
    [0x2E] = PREFIX(PREFIX_SEGMENT, SEG_CS),
    [0x2F] = ROW(DAS, NONE, NONE, NONE, 0, FLAGS_DECIMAL, 386),

    [0x30] = ROW(XOR, Eb, Gb, NONE, ROW_MODRM | ROW_LOCK, FLAGS_LOGIC, 386),
    [0x31] = ROW(XOR, Ev, Gv, NONE, ROW_MODRM | ROW_LOCK, FLAGS_LOGIC, 386),
    [0x32] = ROW(XOR, Gb, Eb, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    [0x33] = ROW(XOR, Gv, Ev, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    [0x34] = ROW(XOR, AL, Ib, NONE, 0, FLAGS_LOGIC, 386),
    [0x35] = ROW(XOR, eAX, Iz, NONE, 0, FLAGS_LOGIC, 386),
    [0x36] = PREFIX(PREFIX_SEGMENT, SEG_SS),
    [0x37] = ROW(AAA, NONE, NONE, NONE, 0, FLAGS_ASCII, 386),
    [0x38] = ROW(CMP, Eb, Gb, NONE, ROW_MODRM, FLAGS_ARITHMETIC, 386),
    [0x39] = ROW(CMP, Ev, Gv, NONE, ROW_MODRM, FLAGS_ARITHMETIC, 386),
    [0x3A] = ROW(CMP, Gb, Eb, NONE, ROW_MODRM, FLAGS_ARITHMETIC, 386),
    [0x3B] = ROW(CMP, Gv, Ev, NONE, ROW_MODRM, FLAGS_ARITHMETIC, 386),
    [0x3C] = ROW(CMP, AL, Ib, NONE, 0, FLAGS_ARITHMETIC, 386),
    [0x3D] = ROW(CMP, eAX, Iz, NONE, 0, FLAGS_ARITHMETIC, 386),
    [0x3E] = PREFIX(PREFIX_SEGMENT, SEG_DS),
    [0x3F] = ROW(AAS, NONE, NONE, NONE, 0, FLAGS_ASCII, 386),

    [0x40] = ROW(INC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x41] = ROW(INC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x42] = ROW(INC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x43] = ROW(INC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x44] = ROW(INC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x45] = ROW(INC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x46] = ROW(INC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x47] = ROW(INC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x48] = ROW(DEC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x49] = ROW(DEC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x4A] = ROW(DEC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x4B] = ROW(DEC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x4C] = ROW(DEC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x4D] = ROW(DEC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x4E] = ROW(DEC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),
    [0x4F] = ROW(DEC, Zv, NONE, NONE, 0, FLAGS_INCREMENT, 386),

    [0x50] = ROW(PUSH, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x51] = ROW(PUSH, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x52] = ROW(PUSH, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x53] = ROW(PUSH, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x54] = ROW(PUSH, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x55] = ROW(PUSH, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x56] = ROW(PUSH, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x57] = ROW(PUSH, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x58] = ROW(POP, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x59] = ROW(POP, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x5A] = ROW(POP, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x5B] = ROW(POP, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x5C] = ROW(POP, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x5D] = ROW(POP, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x5E] = ROW(POP, Zv, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x5F] = ROW(POP, Zv, NONE, NONE, 0, FLAGS_NONE, 386),

    [0x60] = ROW(PUSHA, NONE, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x61] = ROW(POPA, NONE, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x62] = ROW(BOUND, Gv, Ma, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0x63] = ROW(ARPL, Ew, Gw, NONE, ROW_MODRM | ROW_PROTECTED, FLAGS(0, FLAG_ZF, 0), 386),
    [0x64] = PREFIX(PREFIX_SEGMENT, SEG_FS),
    [0x65] = PREFIX(PREFIX_SEGMENT, SEG_GS),
    [0x66] = PREFIX(PREFIX_OPERAND_SIZE, 0),
    [0x67] = PREFIX(PREFIX_ADDRESS_SIZE, 0),
    [0x68] = ROW(PUSH, Iz, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x69] = ROW(IMUL, Gv, Ev, Iz, ROW_MODRM, FLAGS_MULTIPLY, 386),
    [0x6A] = ROW(PUSH, sIb, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x6B] = ROW(IMUL, Gv, Ev, sIb, ROW_MODRM, FLAGS_MULTIPLY, 386),
    [0x6C] = ROW(INS, Yb, DX, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0x6D] = ROW(INS, Yv, DX, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0x6E] = ROW(OUTS, Xb, DX, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0x6F] = ROW(OUTS, Xv, DX, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),

    [0x70] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_OF, 0, 0), 386),
    [0x71] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_OF, 0, 0), 386),
    [0x72] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_CF, 0, 0), 386),
    [0x73] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_CF, 0, 0), 386),
    [0x74] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_ZF, 0, 0), 386),
    [0x75] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_ZF, 0, 0), 386),
    [0x76] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_CF | FLAG_ZF, 0, 0), 386),
    [0x77] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_CF | FLAG_ZF, 0, 0), 386),
    [0x78] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_SF, 0, 0), 386),
    [0x79] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_SF, 0, 0), 386),
    [0x7A] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_PF, 0, 0), 386),
    [0x7B] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_PF, 0, 0), 386),
    [0x7C] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_SF | FLAG_OF, 0, 0), 386),
    [0x7D] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_SF | FLAG_OF, 0, 0), 386),
    [0x7E] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_ZF | FLAG_SF | FLAG_OF, 0, 0), 386),
    [0x7F] = ROW(JCC, Jb, NONE, NONE, ROW_BRANCH | ROW_CONDITION, FLAGS(FLAG_ZF | FLAG_SF | FLAG_OF, 0, 0), 386),

    [0x80] = GROUP(80, ROW_MODRM),
    [0x81] = GROUP(81, ROW_MODRM),
    [0x82] = GROUP(82, ROW_MODRM),
    [0x83] = GROUP(83, ROW_MODRM),
    [0x84] = ROW(TEST, Eb, Gb, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    [0x85] = ROW(TEST, Ev, Gv, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    [0x86] = ROW(XCHG, Eb, Gb, NONE, ROW_MODRM | ROW_LOCK, FLAGS_NONE, 386),
    [0x87] = ROW(XCHG, Ev, Gv, NONE, ROW_MODRM | ROW_LOCK, FLAGS_NONE, 386),
    [0x88] = ROW(MOV, Eb, Gb, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0x89] = ROW(MOV, Ev, Gv, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0x8A] = ROW(MOV, Gb, Eb, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0x8B] = ROW(MOV, Gv, Ev, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0x8C] = ROW(MOV_SREG, EvMw, Sw, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0x8D] = ROW(LEA, Gv, M, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0x8E] = ROW(MOV_SREG, SwLoad, Ew, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0x8F] = GROUP(8F, ROW_MODRM),

    [0x90] = GROUP(90, 0),
    [0x91] = ROW(XCHG, eAX, Zv, NONE, 0, FLAGS_NONE, 386),
    [0x92] = ROW(XCHG, eAX, Zv, NONE, 0, FLAGS_NONE, 386),
    [0x93] = ROW(XCHG, eAX, Zv, NONE, 0, FLAGS_NONE, 386),
    [0x94] = ROW(XCHG, eAX, Zv, NONE, 0, FLAGS_NONE, 386),
    [0x95] = ROW(XCHG, eAX, Zv, NONE, 0, FLAGS_NONE, 386),
    [0x96] = ROW(XCHG, eAX, Zv, NONE, 0, FLAGS_NONE, 386),
    [0x97] = ROW(XCHG, eAX, Zv, NONE, 0, FLAGS_NONE, 386),
    [0x98] = ROW(CBW, NONE, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x99] = ROW(CWD, NONE, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x9A] = ROW(CALL_FAR, Ap, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0x9B] = ROW(WAIT, NONE, NONE, NONE, 0, FLAGS_NONE, 386),
    [0x9C] = ROW(PUSHF, NONE, NONE, NONE, 0, FLAGS(FLAG_STATUS | FLAG_DF | FLAG_IF, 0, 0), 386),
    [0x9D] = ROW(POPF, NONE, NONE, NONE, 0, FLAGS(0, FLAG_STATUS | FLAG_DF | FLAG_IF, 0), 386),
    [0x9E] = ROW(SAHF, NONE, NONE, NONE, 0, FLAGS(0, FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF, 0), 386),
    [0x9F] = ROW(LAHF, NONE, NONE, NONE, 0, FLAGS(FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF, 0, 0), 386),

    [0xA0] = ROW(MOV, AL, Ob, NONE, 0, FLAGS_NONE, 386),
    [0xA1] = ROW(MOV, eAX, Ov, NONE, 0, FLAGS_NONE, 386),
    [0xA2] = ROW(MOV, Ob, AL, NONE, 0, FLAGS_NONE, 386),
    [0xA3] = ROW(MOV, Ov, eAX, NONE, 0, FLAGS_NONE, 386),
    [0xA4] = ROW(MOVS, Yb, Xb, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0xA5] = ROW(MOVS, Yv, Xv, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0xA6] = ROW(CMPS, Xb, Yb, NONE, ROW_STRING, FLAGS(FLAG_DF, FLAG_STATUS, 0), 386),
    [0xA7] = ROW(CMPS, Xv, Yv, NONE, ROW_STRING, FLAGS(FLAG_DF, FLAG_STATUS, 0), 386),
    [0xA8] = ROW(TEST, AL, Ib, NONE, 0, FLAGS_LOGIC, 386),
    [0xA9] = ROW(TEST, eAX, Iz, NONE, 0, FLAGS_LOGIC, 386),
    [0xAA] = ROW(STOS, Yb, AL, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0xAB] = ROW(STOS, Yv, eAX, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0xAC] = ROW(LODS, AL, Xb, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0xAD] = ROW(LODS, eAX, Xv, NONE, ROW_STRING, FLAGS(FLAG_DF, 0, 0), 386),
    [0xAE] = ROW(SCAS, AL, Yb, NONE, ROW_STRING, FLAGS(FLAG_DF, FLAG_STATUS, 0), 386),
    [0xAF] = ROW(SCAS, eAX, Yv, NONE, ROW_STRING, FLAGS(FLAG_DF, FLAG_STATUS, 0), 386),

    [0xB0] = ROW(MOV, Zb, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xB1] = ROW(MOV, Zb, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xB2] = ROW(MOV, Zb, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xB3] = ROW(MOV, Zb, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xB4] = ROW(MOV, Zb, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xB5] = ROW(MOV, Zb, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xB6] = ROW(MOV, Zb, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xB7] = ROW(MOV, Zb, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xB8] = ROW(MOV, Zv, Iz, NONE, 0, FLAGS_NONE, 386),
    [0xB9] = ROW(MOV, Zv, Iz, NONE, 0, FLAGS_NONE, 386),
    [0xBA] = ROW(MOV, Zv, Iz, NONE, 0, FLAGS_NONE, 386),
    [0xBB] = ROW(MOV, Zv, Iz, NONE, 0, FLAGS_NONE, 386),
    [0xBC] = ROW(MOV, Zv, Iz, NONE, 0, FLAGS_NONE, 386),
    [0xBD] = ROW(MOV, Zv, Iz, NONE, 0, FLAGS_NONE, 386),
    [0xBE] = ROW(MOV, Zv, Iz, NONE, 0, FLAGS_NONE, 386),
    [0xBF] = ROW(MOV, Zv, Iz, NONE, 0, FLAGS_NONE, 386),

    [0xC0] = GROUP(C0, ROW_MODRM),
    [0xC1] = GROUP(C1, ROW_MODRM),
    [0xC2] = ROW(RET, Iw, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xC3] = ROW(RET, NONE, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xC4] = ROW(LES, Gv, Mp, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0xC5] = ROW(LDS, Gv, Mp, NONE, ROW_MODRM, FLAGS_NONE, 386),
    [0xC6] = GROUP(C6, ROW_MODRM),
    [0xC7] = GROUP(C7, ROW_MODRM),
    [0xC8] = ROW(ENTER, Iw, I2b, NONE, 0, FLAGS_NONE, 386),
    [0xC9] = ROW(LEAVE, NONE, NONE, NONE, 0, FLAGS_NONE, 386),
    [0xCA] = ROW(RET_FAR, Iw, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xCB] = ROW(RET_FAR, NONE, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xCC] = ROW(INT3, NONE, NONE, NONE, ROW_BRANCH, FLAGS(FLAG_STATUS | FLAG_DF | FLAG_IF, FLAG_IF, 0), 386),
    [0xCD] = ROW(INT, Ib, NONE, NONE, ROW_BRANCH, FLAGS(FLAG_STATUS | FLAG_DF | FLAG_IF, FLAG_IF, 0), 386),
    [0xCE] = ROW(INTO, NONE, NONE, NONE, ROW_BRANCH, FLAGS(FLAG_STATUS | FLAG_DF | FLAG_IF, FLAG_IF, 0), 386),
    [0xCF] = ROW(IRET, NONE, NONE, NONE, ROW_BRANCH, FLAGS(0, FLAG_STATUS | FLAG_DF | FLAG_IF, 0), 386),

    [0xD0] = GROUP(D0, ROW_MODRM),
    [0xD1] = GROUP(D1, ROW_MODRM),
    [0xD2] = GROUP(D2, ROW_MODRM),
    [0xD3] = GROUP(D3, ROW_MODRM),
    [0xD4] = ROW(AAM, Ib, NONE, NONE, 0, FLAGS_ADJUST, 386),
    [0xD5] = ROW(AAD, Ib, NONE, NONE, 0, FLAGS_ADJUST, 386),
    [0xD6] = ROW(SALC, NONE, NONE, NONE, ROW_UNDOCUMENTED, FLAGS(FLAG_CF, 0, 0), 386),
    [0xD7] = ROW(XLAT, BXb, NONE, NONE, 0, FLAGS_NONE, 386),
    [0xD8] = GROUP(X87, ROW_MODRM),
    [0xD9] = GROUP(X87, ROW_MODRM),
    [0xDA] = GROUP(X87, ROW_MODRM),
    [0xDB] = GROUP(X87, ROW_MODRM),
    [0xDC] = GROUP(X87, ROW_MODRM),
    [0xDD] = GROUP(X87, ROW_MODRM),
    [0xDE] = GROUP(X87, ROW_MODRM),
    [0xDF] = GROUP(X87, ROW_MODRM),

    [0xE0] = ROW(LOOPNE, Jb, NONE, NONE, ROW_BRANCH, FLAGS(FLAG_ZF, 0, 0), 386),
    [0xE1] = ROW(LOOPE, Jb, NONE, NONE, ROW_BRANCH, FLAGS(FLAG_ZF, 0, 0), 386),
    [0xE2] = ROW(LOOP, Jb, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xE3] = ROW(JCXZ, Jb, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xE4] = ROW(IN, AL, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xE5] = ROW(IN, eAX, Ib, NONE, 0, FLAGS_NONE, 386),
    [0xE6] = ROW(OUT, Ib, AL, NONE, 0, FLAGS_NONE, 386),
    [0xE7] = ROW(OUT, Ib, eAX, NONE, 0, FLAGS_NONE, 386),
    [0xE8] = ROW(CALL, Jz, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xE9] = ROW(JMP, Jz, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xEA] = ROW(JMP_FAR, Ap, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xEB] = ROW(JMP, Jb, NONE, NONE, ROW_BRANCH, FLAGS_NONE, 386),
    [0xEC] = ROW(IN, AL, DX, NONE, 0, FLAGS_NONE, 386),
    [0xED] = ROW(IN, eAX, DX, NONE, 0, FLAGS_NONE, 386),
    [0xEE] = ROW(OUT, DX, AL, NONE, 0, FLAGS_NONE, 386),
    [0xEF] = ROW(OUT, DX, eAX, NONE, 0, FLAGS_NONE, 386),

    [0xF0] = PREFIX(PREFIX_LOCK, 0),
    [0xF1] = ROW(INT1, NONE, NONE, NONE, ROW_BRANCH | ROW_UNDOCUMENTED, FLAGS(FLAG_STATUS | FLAG_DF | FLAG_IF, FLAG_IF, 0), 386),
    [0xF2] = PREFIX(PREFIX_REPNE, 0),
    [0xF3] = PREFIX(PREFIX_REP, 0),
    [0xF4] = ROW(HLT, NONE, NONE, NONE, ROW_PRIVILEGED | ROW_BRANCH, FLAGS_NONE, 386),
    [0xF5] = ROW(CMC, NONE, NONE, NONE, 0, FLAGS(FLAG_CF, FLAG_CF, 0), 386),
    [0xF6] = GROUP(F6, ROW_MODRM),
    [0xF7] = GROUP(F7, ROW_MODRM),
    [0xF8] = ROW(CLC, NONE, NONE, NONE, 0, FLAGS(0, FLAG_CF, 0), 386),
    [0xF9] = ROW(STC, NONE, NONE, NONE, 0, FLAGS(0, FLAG_CF, 0), 386),
    [0xFA] = ROW(CLI, NONE, NONE, NONE, 0, FLAGS(0, FLAG_IF, 0), 386),
    [0xFB] = ROW(STI, NONE, NONE, NONE, 0, FLAGS(0, FLAG_IF, 0), 386),
    [0xFC] = ROW(CLD, NONE, NONE, NONE, 0, FLAGS(0, FLAG_DF, 0), 386),
    [0xFD] = ROW(STD, NONE, NONE, NONE, 0, FLAGS(0, FLAG_DF, 0), 386),
    [0xFE] = GROUP(FE, ROW_MODRM),
    [0xFF] = GROUP(FF, ROW_MODRM),
};

/* ---- Groups of the one-byte map ---- */

#define ALU_GROUP(e, i, attributes) \
    { \
        ROW(ADD, e, i, NONE, ROW_MODRM | ROW_LOCK | (attributes), FLAGS_ARITHMETIC, 386), \
        ROW(OR, e, i, NONE, ROW_MODRM | ROW_LOCK | (attributes), FLAGS_LOGIC, 386), \
        ROW(ADC, e, i, NONE, ROW_MODRM | ROW_LOCK | (attributes), FLAGS_CARRY, 386), \
        ROW(SBB, e, i, NONE, ROW_MODRM | ROW_LOCK | (attributes), FLAGS_CARRY, 386), \
        ROW(AND, e, i, NONE, ROW_MODRM | ROW_LOCK | (attributes), FLAGS_LOGIC, 386), \
        ROW(SUB, e, i, NONE, ROW_MODRM | ROW_LOCK | (attributes), FLAGS_ARITHMETIC, 386), \
        ROW(XOR, e, i, NONE, ROW_MODRM | ROW_LOCK | (attributes), FLAGS_LOGIC, 386), \
        ROW(CMP, e, i, NONE, ROW_MODRM | (attributes), FLAGS_ARITHMETIC, 386), \
    }
static const OpcodeRow group_80[8] = ALU_GROUP(Eb, Ib, 0);
static const OpcodeRow group_81[8] = ALU_GROUP(Ev, Iz, 0);
static const OpcodeRow group_82[8] = ALU_GROUP(Eb, Ib, ROW_UNDOCUMENTED);
static const OpcodeRow group_83[8] = ALU_GROUP(Ev, sIb, 0);

#define SHIFT_GROUP(e, count, by) \
    { \
        ROW(ROL, e, count, NONE, ROW_MODRM, FLAGS_ROTATE_##by, 386), \
        ROW(ROR, e, count, NONE, ROW_MODRM, FLAGS_ROTATE_##by, 386), \
        ROW(RCL, e, count, NONE, ROW_MODRM, FLAGS_ROTATE_CARRY_##by, 386), \
        ROW(RCR, e, count, NONE, ROW_MODRM, FLAGS_ROTATE_CARRY_##by, 386), \
        ROW(SHL, e, count, NONE, ROW_MODRM, FLAGS_SHIFT_##by, 386), \
        ROW(SHR, e, count, NONE, ROW_MODRM, FLAGS_SHIFT_##by, 386), \
        ROW(SHL, e, count, NONE, ROW_MODRM | ROW_UNDOCUMENTED, FLAGS_SHIFT_##by, 386), \
        ROW(SAR, e, count, NONE, ROW_MODRM, FLAGS_SHIFT_##by, 386), \
    }
static const OpcodeRow group_c0[8] = SHIFT_GROUP(Eb, Ib, BY_COUNT);
static const OpcodeRow group_c1[8] = SHIFT_GROUP(Ev, Ib, BY_COUNT);
static const OpcodeRow group_d0[8] = SHIFT_GROUP(Eb, ONE, BY_ONE);
static const OpcodeRow group_d1[8] = SHIFT_GROUP(Ev, ONE, BY_ONE);
static const OpcodeRow group_d2[8] = SHIFT_GROUP(Eb, CL, BY_COUNT);
static const OpcodeRow group_d3[8] = SHIFT_GROUP(Ev, CL, BY_COUNT);

static const OpcodeRow group_8f[8] = {
    ROW(POP, Ev, NONE, NONE, ROW_MODRM, FLAGS_NONE, 386),
};
static const OpcodeRow group_90[3] = {
    ROW(NOP, NONE, NONE, NONE, 0, FLAGS_NONE, 386),
    ROW(PAUSE, NONE, NONE, NONE, 0, FLAGS_NONE, 386),
};
static const OpcodeRow group_c6[8] = {
    ROW(MOV, Eb, Ib, NONE, ROW_MODRM, FLAGS_NONE, 386),
};
static const OpcodeRow group_c7[8] = {
    ROW(MOV, Ev, Iz, NONE, ROW_MODRM, FLAGS_NONE, 386),
};
static const OpcodeRow group_f6[8] = {
    ROW(TEST, Eb, Ib, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    ROW(TEST, Eb, Ib, NONE, ROW_MODRM | ROW_UNDOCUMENTED, FLAGS_LOGIC, 386),
    ROW(NOT, Eb, NONE, NONE, ROW_MODRM | ROW_LOCK, FLAGS_NONE, 386),
    ROW(NEG, Eb, NONE, NONE, ROW_MODRM | ROW_LOCK, FLAGS_ARITHMETIC, 386),
    ROW(MUL, Eb, NONE, NONE, ROW_MODRM, FLAGS_MULTIPLY, 386),
    ROW(IMUL, Eb, NONE, NONE, ROW_MODRM, FLAGS_MULTIPLY, 386),
    ROW(DIV, Eb, NONE, NONE, ROW_MODRM, FLAGS_DIVIDE, 386),
    ROW(IDIV, Eb, NONE, NONE, ROW_MODRM, FLAGS_DIVIDE, 386),
};
static const OpcodeRow group_f7[8] = {
    ROW(TEST, Ev, Iz, NONE, ROW_MODRM, FLAGS_LOGIC, 386),
    ROW(TEST, Ev, Iz, NONE, ROW_MODRM | ROW_UNDOCUMENTED, FLAGS_LOGIC, 386),
    ROW(NOT, Ev, NONE, NONE, ROW_MODRM | ROW_LOCK, FLAGS_NONE, 386),
    ROW(NEG, Ev, NONE, NONE, ROW_MODRM | ROW_LOCK, FLAGS_ARITHMETIC, 386),
    ROW(MUL, Ev, NONE, NONE, ROW_MODRM, FLAGS_MULTIPLY, 386),
    ROW(IMUL, Ev, NONE, NONE, ROW_MODRM, FLAGS_MULTIPLY, 386),
    ROW(DIV, Ev, NONE, NONE, ROW_MODRM, FLAGS_DIVIDE, 386),
    ROW(IDIV, Ev, NONE, NONE, ROW_MODRM, FLAGS_DIVIDE, 386),
};
static const OpcodeRow group_fe[8] = {
    ROW(INC, Eb, NONE, NONE, ROW_MODRM | ROW_LOCK, FLAGS_INCREMENT, 386),
    ROW(DEC, Eb, NONE, NONE, ROW_MODRM | ROW_LOCK, FLAGS_INCREMENT, 386),
};
static const OpcodeRow group_ff[8] = {
    ROW(INC, Ev, NONE, NONE, ROW_MODRM | ROW_LOCK, FLAGS_INCREMENT, 386),
    ROW(DEC, Ev, NONE, NONE, ROW_MODRM | ROW_LOCK, FLAGS_INCREMENT, 386),
    ROW(CALL, Ev, NONE, NONE, ROW_MODRM | ROW_BRANCH, FLAGS_NONE, 386),
    ROW(CALL_FAR, Mp, NONE, NONE, ROW_MODRM | ROW_BRANCH, FLAGS_NONE, 386),
    ROW(JMP, Ev, NONE, NONE, ROW_MODRM | ROW_BRANCH, FLAGS_NONE, 386),
    ROW(JMP_FAR, Mp, NONE, NONE, ROW_MODRM | ROW_BRANCH, FLAGS_NONE, 386),
    ROW(PUSH, Ev, NONE, NONE, ROW_MODRM, FLAGS_NONE, 386),
};

const OpcodeGroup opcode_groups[GROUP_COUNT] = {
    [GROUP_80] = {group_80, SELECT_REG},
    [GROUP_81] = {group_81, SELECT_REG},
    [GROUP_82] = {group_82, SELECT_REG},
    [GROUP_83] = {group_83, SELECT_REG},
    [GROUP_C0] = {group_c0, SELECT_REG},
    [GROUP_C1] = {group_c1, SELECT_REG},
    [GROUP_D0] = {group_d0, SELECT_REG},
    [GROUP_D1] = {group_d1, SELECT_REG},
    [GROUP_D2] = {group_d2, SELECT_REG},
    [GROUP_D3] = {group_d3, SELECT_REG},
    [GROUP_8F] = {group_8f, SELECT_REG},
    [GROUP_90] = {group_90, SELECT_REPEAT},
    [GROUP_C6] = {group_c6, SELECT_REG},
    [GROUP_C7] = {group_c7, SELECT_REG},
    [GROUP_F6] = {group_f6, SELECT_REG},
    [GROUP_F7] = {group_f7, SELECT_REG},
    [GROUP_FE] = {group_fe, SELECT_REG},
    [GROUP_FF] = {group_ff, SELECT_REG},
    [GROUP_0F00] = {opcode_group_0f00, SELECT_REG},
    [GROUP_0F01] = {opcode_group_0f01, SELECT_REG},
    [GROUP_0F01_1] = {opcode_group_0f01_1, SELECT_MOD},
    [GROUP_0F01_1_REGISTER] = {opcode_group_0f01_1_register, SELECT_RM},
    [GROUP_0F01_7] = {opcode_group_0f01_7, SELECT_MOD},
    [GROUP_0F01_7_REGISTER] = {opcode_group_0f01_7_register, SELECT_RM},
    [GROUP_0F0D] = {opcode_group_0f0d, SELECT_REG},
    [GROUP_0F0D_0] = {opcode_group_0f0d_0, SELECT_MOD},
    [GROUP_0F0D_1] = {opcode_group_0f0d_1, SELECT_MOD},
    [GROUP_0F18] = {opcode_group_0f18, SELECT_REG},
    [GROUP_0F18_0] = {opcode_group_0f18_0, SELECT_MOD},
    [GROUP_0F18_1] = {opcode_group_0f18_1, SELECT_MOD},
    [GROUP_0F18_2] = {opcode_group_0f18_2, SELECT_MOD},
    [GROUP_0F18_3] = {opcode_group_0f18_3, SELECT_MOD},
    [GROUP_0FAE] = {opcode_group_0fae, SELECT_PREFIX},
    [GROUP_0FAE_PLAIN] = {opcode_group_0fae_plain, SELECT_REG},
    [GROUP_0FAE_5] = {opcode_group_0fae_5, SELECT_MOD},
    [GROUP_0FAE_6] = {opcode_group_0fae_6, SELECT_MOD},
    [GROUP_0FAE_7] = {opcode_group_0fae_7, SELECT_MOD},
    [GROUP_0FAE_66] = {opcode_group_0fae_66, SELECT_REG},
    [GROUP_0FAE_66_6] = {opcode_group_0fae_66_6, SELECT_MOD},
    [GROUP_0FAE_66_7] = {opcode_group_0fae_66_7, SELECT_MOD},
    [GROUP_0FB8] = {opcode_group_0fb8, SELECT_REPEAT},
    [GROUP_0FBA] = {opcode_group_0fba, SELECT_REG},
    [GROUP_0FBC] = {opcode_group_0fbc, SELECT_REPEAT},
    [GROUP_0FBD] = {opcode_group_0fbd, SELECT_REPEAT},
    [GROUP_0FC7] = {opcode_group_0fc7, SELECT_REG},
    [GROUP_0FC7_6] = {opcode_group_0fc7_6, SELECT_REPEAT_STRICT},
    [GROUP_0FC7_7] = {opcode_group_0fc7_7, SELECT_REPEAT_STRICT},
    [GROUP_0F38F0] = {opcode_group_0f38f0, SELECT_REPEAT_STRICT},
    [GROUP_0F38F1] = {opcode_group_0f38f1, SELECT_REPEAT_STRICT},
    [GROUP_X87] = {opcode_rows_x87[0], SELECT_X87},
    [GROUP_SSE_0F] = {opcode_rows_sse_0f[0], SELECT_OPCODE_PREFIX},
    [GROUP_SSE_0F38] = {opcode_rows_sse_0f38[0], SELECT_OPCODE_PREFIX},
    [GROUP_SSE_0F3A] = {opcode_rows_sse_0f3a[0], SELECT_OPCODE_PREFIX},
    [GROUP_SSE_12] = {opcode_group_sse_12, SELECT_MOD},
    [GROUP_SSE_16] = {opcode_group_sse_16, SELECT_MOD},
    [GROUP_71_MMX] = {opcode_group_71_mmx, SELECT_REG},
    [GROUP_71_SSE] = {opcode_group_71_sse, SELECT_REG},
    [GROUP_72_MMX] = {opcode_group_72_mmx, SELECT_REG},
    [GROUP_72_SSE] = {opcode_group_72_sse, SELECT_REG},
    [GROUP_73_MMX] = {opcode_group_73_mmx, SELECT_REG},
    [GROUP_73_SSE] = {opcode_group_73_sse, SELECT_REG},
};

const OpcodeRow *const opcode_maps[4] = {opcode_rows, opcode_rows_0f, opcode_rows_0f38, opcode_rows_0f3a};
