/* The rows of the opcode table, each with the way to it. */
#ifndef REPRISE_ORACLE_ROWS_H
#define REPRISE_ORACLE_ROWS_H

#include "insn.h"

enum { ORACLE_ROWS_MAX = 4096 };

typedef enum RowPrefix {
    ROW_PREFIX_FREE, /* no prefix selects among rows here */
    ROW_PREFIX_NONE,
    ROW_PREFIX_66,
    ROW_PREFIX_F3,
    ROW_PREFIX_F2,
} RowPrefix;

typedef enum RowMod { ROW_MOD_FREE, ROW_MOD_MEMORY, ROW_MOD_REGISTER } RowMod;

typedef struct OracleRow {
    const OpcodeRow *row;
    uint8_t map, opcode;
    uint8_t prefix, mod; /* RowPrefix, RowMod */
    int8_t reg, rm;      /* what ModRM has to have there; -1: anything */
    int16_t suffix;      /* the opcode that stands behind the operands; -1: none */
    bool has_modrm;
    bool is_reserved; /* no instruction: #UD */
    char name[28];    /* as the manuals write it: "66 0F 38 DC", "0F BA /4", "D9 E8" */
} OracleRow;

typedef struct OracleRowList {
    OracleRow rows[ORACLE_ROWS_MAX];
    unsigned count;
} OracleRowList;

/* All rows of all maps and groups, reserved ones included. */
void oracle_rows_list(OracleRowList *list);

#endif
