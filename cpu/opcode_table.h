/* The opcode tables, private to the decoder. See the head of opcode_table.c for how they hang
 * together. */
#ifndef REPRISE_OPCODE_TABLE_H
#define REPRISE_OPCODE_TABLE_H

#include "cpu.h"
#include "cpu_feature.h"
#include "insn.h"

typedef enum OperandForm {
    FORM_NONE,
#define FORM(name, source, memory16, memory32, register16, register32) FORM_##name,
#include "operand_forms.def"
#undef FORM
    FORM_COUNT
} OperandForm;

/* Where an operand comes from. */
typedef enum OperandSource {
    SOURCE_NONE,
    SOURCE_RM_GPR, /* register or memory by ModRM.mod */
    SOURCE_RM_GPR_ONLY,
    SOURCE_RM_MEMORY,
    SOURCE_RM_MM,
    SOURCE_RM_MM_ONLY,
    SOURCE_RM_XMM,
    SOURCE_RM_XMM_ONLY,
    SOURCE_RM_ST,
    SOURCE_REG_GPR,
    SOURCE_REG_MM,
    SOURCE_REG_XMM,
    SOURCE_REG_SREG,
    SOURCE_REG_SREG_LOAD,
    SOURCE_REG_CR,
    SOURCE_REG_DR,
    SOURCE_REG_TR,
    SOURCE_OPCODE_GPR,
    SOURCE_OPCODE_SREG,
    SOURCE_ACCUMULATOR,
    SOURCE_COUNT,
    SOURCE_PORT,
    SOURCE_ONE,
    SOURCE_ST0,
    SOURCE_XMM0,
    SOURCE_IMMEDIATE,
    SOURCE_IMMEDIATE_SIGNED_BYTE,
    SOURCE_IMMEDIATE2,
    SOURCE_RELATIVE,
    SOURCE_FAR_POINTER,
    SOURCE_OFFSET,
    SOURCE_STRING_SOURCE,
    SOURCE_STRING_DESTINATION,
    SOURCE_MEMORY_AT_EBX,
    SOURCE_MEMORY_AT_EDI,
    SOURCE_MEMORY_AT_EAX,
} OperandSource;

/* How a group finds the row of an instruction. */
typedef enum GroupSelect {
    SELECT_REG,    /* rows[ModRM.reg] */
    SELECT_MOD,    /* rows[0] for memory, rows[1] for a register */
    SELECT_RM,     /* rows[ModRM.rm] */
    SELECT_X87,    /* rows[opcode & 7][ModRM.reg for memory, 8 + the low six bits of ModRM for a
                      register] */
    SELECT_PREFIX, /* rows[mandatory prefix: none, 66, F3, F2] */
    SELECT_OPCODE_PREFIX, /* rows[opcode][mandatory prefix] */
    SELECT_REPEAT, /* rows[none, F3, F2]; an empty row means that the prefix is ignored; 66 is
                      operand size */
    SELECT_REPEAT_STRICT, /* likewise, but an empty row is #UD */
} GroupSelect;

typedef struct OpcodeGroup {
    const OpcodeRow *rows;
    GroupSelect select;
} OpcodeGroup;

// clang-format off
typedef enum OpcodeGroupId {
    GROUP_80, GROUP_81, GROUP_82, GROUP_83, GROUP_8F, GROUP_90, GROUP_C0, GROUP_C1, GROUP_C6, GROUP_C7,
    GROUP_D0, GROUP_D1, GROUP_D2, GROUP_D3, GROUP_F6, GROUP_F7, GROUP_FE, GROUP_FF,
    GROUP_0F00, GROUP_0F01, GROUP_0F01_1, GROUP_0F01_1_REGISTER, GROUP_0F01_7, GROUP_0F01_7_REGISTER,
    GROUP_0F0D, GROUP_0F0D_0, GROUP_0F0D_1, GROUP_0F18, GROUP_0F18_0, GROUP_0F18_1, GROUP_0F18_2, GROUP_0F18_3,
    GROUP_0FAE, GROUP_0FAE_PLAIN, GROUP_0FAE_5, GROUP_0FAE_6, GROUP_0FAE_7, GROUP_0FAE_66, GROUP_0FAE_66_6, GROUP_0FAE_66_7, GROUP_0FB8, GROUP_0FBA, GROUP_0FBC,
    GROUP_0FBD, GROUP_0FC7, GROUP_0FC7_6, GROUP_0FC7_7, GROUP_0F38F0, GROUP_0F38F1,
    GROUP_X87, GROUP_SSE_0F, GROUP_SSE_0F38, GROUP_SSE_0F3A, GROUP_SSE_12, GROUP_SSE_16,
    GROUP_71_MMX, GROUP_71_SSE, GROUP_72_MMX, GROUP_72_SSE, GROUP_73_MMX, GROUP_73_SSE,
    GROUP_COUNT
} OpcodeGroupId;
// clang-format on

/* One byte, 0F, 0F 38, 0F 3A. operands[0] of a ROW_ESCAPE row is a map's number, of a ROW_GROUP row
 * a group's. */
extern const OpcodeRow *const opcode_maps[4];
extern const OpcodeGroup opcode_groups[GROUP_COUNT];

/* The parts, a file each. */
extern const OpcodeRow opcode_rows[256];
extern const OpcodeRow opcode_rows_0f[256];
extern const OpcodeRow opcode_rows_0f38[256];
extern const OpcodeRow opcode_rows_0f3a[256];
extern const OpcodeRow opcode_rows_x87[8][72];
extern const OpcodeRow opcode_rows_3dnow[256]; /* 0F 0F: by the byte behind the operands */
extern const OpcodeRow opcode_rows_sse_0f[256][4];
extern const OpcodeRow opcode_rows_sse_0f38[256][4];
extern const OpcodeRow opcode_rows_sse_0f3a[256][4];
extern const OpcodeRow opcode_group_0f00[8], opcode_group_0f01[8], opcode_group_0f01_1[2],
    opcode_group_0f01_1_register[8], opcode_group_0f01_7[2], opcode_group_0f01_7_register[8],
    opcode_group_0f0d[8], opcode_group_0f0d_0[2], opcode_group_0f0d_1[2], opcode_group_0f18[8],
    opcode_group_0f18_0[2], opcode_group_0f18_1[2], opcode_group_0f18_2[2], opcode_group_0f18_3[2],
    opcode_group_0fae[4], opcode_group_0fae_plain[8], opcode_group_0fae_5[2],
    opcode_group_0fae_6[2], opcode_group_0fae_7[2], opcode_group_0fae_66[8],
    opcode_group_0fae_66_6[2], opcode_group_0fae_66_7[2], opcode_group_0fb8[3],
    opcode_group_0fba[8], opcode_group_0fbc[3], opcode_group_0fbd[3], opcode_group_0fc7[8],
    opcode_group_0fc7_6[3], opcode_group_0fc7_7[3], opcode_group_0f38f0[3], opcode_group_0f38f1[3],
    opcode_group_sse_12[2], opcode_group_sse_16[2], opcode_group_71_mmx[8], opcode_group_71_sse[8],
    opcode_group_72_mmx[8], opcode_group_72_sse[8], opcode_group_73_mmx[8], opcode_group_73_sse[8];

// clang-format off

/* ROW(code, operand forms, attributes, flags, feature): 'flags' is one of the sets below, or FLAGS(). */
#define ROW(code, a, b, c, attributes, flags, feature)                                                                 \
    {INSN_##code, (attributes), {FORM_##a, FORM_##b, FORM_##c, FORM_NONE}, flags, FEATURE_##feature}
#define X87(code, a, b) ROW(code, a, b, NONE, ROW_MODRM | ROW_X87, FLAGS_NONE, 386)
#define MMX(code, a, b, c, feature) ROW(code, a, b, c, ROW_MODRM | ROW_MMX, FLAGS_NONE, feature)
#define SSE(code, a, b, c, feature) ROW(code, a, b, c, ROW_MODRM | ROW_SSE, FLAGS_NONE, feature)
#define GROUP(group, attributes) {INSN_INVALID, ROW_GROUP | (attributes), {GROUP_##group}, FLAGS_NONE, FEATURE_386}
#define ESCAPE(map) {INSN_INVALID, ROW_ESCAPE, {map}, FLAGS_NONE, FEATURE_386}
#define PREFIX(prefix, segment) {INSN_INVALID, ROW_PREFIX, {prefix, segment}, FLAGS_NONE, FEATURE_386}
#define INVALID {INSN_INVALID, 0, {FORM_NONE}, FLAGS_NONE, FEATURE_386}

/* Flags read, written (undefined ones included where the rule changes them), undefined: SDM vol. 1 table A-2. */
#define FLAGS(read, written, undefined) (read), (written), (undefined)
#define FLAGS_NONE FLAGS(0, 0, 0)
#define FLAGS_ARITHMETIC FLAGS(0, FLAG_STATUS, 0)
#define FLAGS_CARRY FLAGS(FLAG_CF, FLAG_STATUS, 0)
#define FLAGS_LOGIC FLAGS(0, FLAG_STATUS, FLAG_AF)
#define FLAGS_INCREMENT FLAGS(0, FLAG_STATUS & ~FLAG_CF, 0)
#define FLAGS_MULTIPLY FLAGS(0, FLAG_STATUS, FLAG_STATUS & ~(FLAG_CF | FLAG_OF))
#define FLAGS_DIVIDE FLAGS(0, 0, FLAG_STATUS)
#define FLAGS_SHIFT_BY_COUNT FLAGS(0, FLAG_STATUS, FLAG_OF | FLAG_AF)
#define FLAGS_SHIFT_BY_ONE FLAGS(0, FLAG_STATUS, FLAG_AF)
#define FLAGS_ROTATE_BY_COUNT FLAGS(0, FLAG_CF | FLAG_OF, FLAG_OF)
#define FLAGS_ROTATE_BY_ONE FLAGS(0, FLAG_CF | FLAG_OF, 0)
#define FLAGS_ROTATE_CARRY_BY_COUNT FLAGS(FLAG_CF, FLAG_CF | FLAG_OF, FLAG_OF)
#define FLAGS_ROTATE_CARRY_BY_ONE FLAGS(FLAG_CF, FLAG_CF | FLAG_OF, 0)
#define FLAGS_BIT_TEST FLAGS(0, FLAG_CF, FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF)
#define FLAGS_BIT_SCAN FLAGS(0, FLAG_STATUS, FLAG_STATUS & ~FLAG_ZF)
#define FLAGS_BIT_COUNT FLAGS(0, FLAG_STATUS, FLAG_STATUS & ~(FLAG_ZF | FLAG_CF))
#define FLAGS_DECIMAL FLAGS(FLAG_CF | FLAG_AF, FLAG_STATUS, FLAG_OF)
#define FLAGS_ASCII FLAGS(FLAG_AF, FLAG_STATUS, FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF)
#define FLAGS_ADJUST FLAGS(0, FLAG_STATUS, FLAG_OF | FLAG_AF | FLAG_CF)

// clang-format on

#endif
