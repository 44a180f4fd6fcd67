/* The segments of the LDT that both sides have. */
#include "oracle_state.h"

enum {
    DATA_READ = 1,
    DATA_WRITE = 3,
    DATA_DOWN = 7,
    CODE_ONLY = 9,
    CODE_READ = 11,
    CODE_CONFORM = 15
};

const OracleDescriptor oracle_descriptors[ORACLE_LDT_COUNT] = {
    [ORACLE_LDT_WINDOW] = {ORACLE_BASE, 0xFFFF, DATA_WRITE, true, false, false},
    [ORACLE_LDT_SHORT] = {ORACLE_DATA, 0x17FD, DATA_WRITE, true, false, false},
    [ORACLE_LDT_READ_ONLY] = {ORACLE_BASE, 0xFFFF, DATA_READ, true, false, false},
    [ORACLE_LDT_EXPAND_DOWN] = {ORACLE_BASE, 0x4802, DATA_DOWN, true, false, false},
    [ORACLE_LDT_CODE] = {0, 0xFFFFF, CODE_READ, true, true, false},
    [ORACLE_LDT_EXECUTE_ONLY] = {0, 0xFFFFF, CODE_ONLY, true, true, false},
    [ORACLE_LDT_CONFORMING] = {ORACLE_BASE, 0x1FFF, CODE_CONFORM, true, false, false},
    [ORACLE_LDT_CODE_16] = {ORACLE_BASE, 0x1FFF, CODE_READ, false, false, false},
    [ORACLE_LDT_ABSENT] = {0, 0xFFFFF, DATA_WRITE, true, true, true},
};
