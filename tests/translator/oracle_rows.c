/* See oracle_rows.h. */
#include "oracle_rows.h"
#include "opcode_table.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

static void name_row(OracleRow *row) {
    static const char *const prefixes[] = {"", "", "66 ", "F3 ", "F2 "};
    static const char *const maps[] = {"", "0F ", "0F 38 ", "0F 3A "};
    char *text = row->name;
    size_t size = sizeof(row->name);
    int length =
        snprintf(text, size, "%s%s%02X", prefixes[row->prefix], maps[row->map], row->opcode);
    if (row->mod == ROW_MOD_REGISTER && row->reg >= 0 && row->rm >= 0)
        length +=
            snprintf(text + length, size - (size_t)length, " %02X", 0xC0 | row->reg << 3 | row->rm);
    else if (row->reg >= 0)
        length += snprintf(text + length, size - (size_t)length, " /%d", row->reg);
    if (row->mod == ROW_MOD_MEMORY)
        snprintf(text + length, size - (size_t)length, " mem");
    else if (row->mod == ROW_MOD_REGISTER && row->rm < 0)
        snprintf(text + length, size - (size_t)length, " reg");
    else if (row->suffix >= 0)
        snprintf(text + length, size - (size_t)length, " /r %02X", (unsigned)row->suffix);
}

static void walk(OracleRowList *list, OracleRow at);

static void walk_prefixes(OracleRowList *list, OracleRow at, const OpcodeRow *rows) {
    for (unsigned i = 0; i < 4; i++) {
        OracleRow next = at;
        next.row = &rows[i];
        next.prefix = (uint8_t)(ROW_PREFIX_NONE + i);
        walk(list, next);
    }
}

/* Where a repeat prefix finds an empty row and that is not strict, it is ignored. */
static void walk_repeats(OracleRowList *list, OracleRow at, const OpcodeRow *rows, bool strict) {
    static const uint8_t prefixes[3] = {ROW_PREFIX_FREE, ROW_PREFIX_F3, ROW_PREFIX_F2};
    for (unsigned i = 0; i < 3; i++) {
        OracleRow next = at;
        next.row = &rows[i];
        next.prefix = prefixes[i];
        if (i == 0 || strict || rows[i].code != INSN_INVALID)
            walk(list, next);
    }
}

static void walk_fields(OracleRowList *list, OracleRow at, const OpcodeRow *rows,
                        GroupSelect select) {
    for (unsigned i = 0; i < (select == SELECT_MOD ? 2 : 8); i++) {
        OracleRow next = at;
        next.row = &rows[i];
        if (select == SELECT_REG)
            next.reg = (int8_t)i;
        else if (select == SELECT_RM)
            next.rm = (int8_t)i;
        else
            next.mod = i == 0 ? ROW_MOD_MEMORY : ROW_MOD_REGISTER;
        walk(list, next);
    }
}

static void walk_x87(OracleRowList *list, OracleRow at, const OpcodeRow *rows) {
    for (unsigned i = 0; i < 72; i++) {
        OracleRow next = at;
        next.row = &rows[(at.opcode & 7) * 72 + i];
        next.mod = i < 8 ? ROW_MOD_MEMORY : ROW_MOD_REGISTER;
        next.reg = (int8_t)(i < 8 ? i : (i - 8) >> 3);
        next.rm = (int8_t)(i < 8 ? -1 : (int)(i & 7));
        walk(list, next);
    }
}

static void walk_group(OracleRowList *list, OracleRow at) {
    const OpcodeGroup *group = &opcode_groups[at.row->operands[0]];
    switch (group->select) {
    case SELECT_REG:
    case SELECT_MOD:
    case SELECT_RM:
        walk_fields(list, at, group->rows, group->select);
        break;
    case SELECT_X87:
        walk_x87(list, at, group->rows);
        break;
    case SELECT_PREFIX:
        walk_prefixes(list, at, group->rows);
        break;
    case SELECT_OPCODE_PREFIX:
        walk_prefixes(list, at, &group->rows[at.opcode * 4]);
        break;
    case SELECT_REPEAT:
    case SELECT_REPEAT_STRICT:
        walk_repeats(list, at, group->rows, group->select == SELECT_REPEAT_STRICT);
        break;
    }
}

static void walk_suffixes(OracleRowList *list, OracleRow at) {
    for (unsigned i = 0; i < 256; i++) {
        OracleRow next = at;
        next.row = &opcode_rows_3dnow[i];
        next.suffix = (int16_t)i;
        walk(list, next);
    }
}

static void walk(OracleRowList *list, OracleRow at) {
    if (at.row->attributes & ROW_SUFFIX) {
        walk_suffixes(list, at);
        return;
    }
    if (at.row->attributes & ROW_PREFIX)
        return;
    if (at.row->attributes & ROW_GROUP) {
        walk_group(list, at);
        return;
    }
    if (at.row->attributes & ROW_ESCAPE) {
        for (unsigned opcode = 0; opcode < 256; opcode++) {
            OracleRow next = {.map = at.row->operands[0],
                              .opcode = (uint8_t)opcode,
                              .reg = -1,
                              .rm = -1,
                              .suffix = -1};
            next.row = &opcode_maps[next.map][opcode];
            next.has_modrm = (next.row->attributes & ROW_MODRM) != 0;
            walk(list, next);
        }
        return;
    }
    assert(list->count < ORACLE_ROWS_MAX);
    at.is_reserved = at.row->code == INSN_INVALID;
    name_row(&at);
    list->rows[list->count++] = at;
}

void oracle_rows_list(OracleRowList *list) {
    static const OpcodeRow one_byte_map = {.attributes = ROW_ESCAPE};
    list->count = 0;
    walk(list, (OracleRow){.row = &one_byte_map});
}
