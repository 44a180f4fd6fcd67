/* The rows of msr.c's table, for the files that have the functions of some. */
#ifndef REPRISE_MSR_ROW_H
#define REPRISE_MSR_ROW_H

#include "cpu.h"

/* Registers that stand together. 'index' counts from the first. */
typedef struct MsrRow MsrRow;
struct MsrRow {
    uint32_t first, count;
    uint8_t feature; /* that brings them */
    uint8_t family;  /* the one whose processors have them; 0: any */
    /* False: #GP(0). */
    bool (*read)(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value);
    bool (*write)(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value);
    uint32_t offset;  /* of a field of CpuState, for those that only keep what is written */
    uint64_t allowed; /* bits that may be set; others are #GP(0) */
};

/* The field of CpuState that holds register number 'index' of the row. */
static inline uint64_t *msr_row_field(Cpu *cpu, const MsrRow *row, uint32_t index) {
    return (uint64_t *)((uint8_t *)&cpu->state + row->offset) + index;
}

/* machine_check.c */
bool machine_check_read_capability(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value);
bool machine_check_write_control(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value);
bool machine_check_read_bank(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value);
bool machine_check_write_bank(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value);

/* performance.c */
bool performance_read_counter(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value);
bool performance_write_counter(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value);
bool performance_read_fixed(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value);
bool performance_write_fixed(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value);
/* Event select, fixed control, global control: fields that say what is counted. */
bool performance_write_control(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value);
bool performance_read_status(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value);
bool performance_clear_status(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value);

#endif
