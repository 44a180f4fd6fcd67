/* Model-specific registers, one row each: SDM vol. 4. Chips beside the core may claim others in
 * cpu->msrs. What neither knows is #GP(0). */
#include "msr.h"
#include "cpu_debug.h"
#include "cpu_feature.h"
#include "cpu_model.h"
#include "msr_row.h"
#include "transfer.h"

static bool read_field(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    *value = *msr_row_field(cpu, row, index);
    return true;
}

static bool write_field(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    if (value & ~row->allowed)
        return false;
    *msr_row_field(cpu, row, index) = value;
    return true;
}

/* 'allowed' holds the constant. */
static bool read_constant(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    (void)cpu;
    (void)index;
    *value = row->allowed;
    return true;
}

static bool write_ignored(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)cpu;
    (void)row;
    (void)index;
    (void)value;
    return true;
}

static bool write_refused(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)cpu;
    (void)row;
    (void)index;
    (void)value;
    return false;
}

static bool read_tsc(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    (void)row;
    (void)index;
    *value = cpu_read_tsc(cpu);
    return true;
}

/* All 64 bits from family 6 model 14 and family 15 model 3 on, and so wherever there is TSC_ADJUST;
 * before, a write sets the lower half and clears the upper one (SDM vol. 3B 17.17.3). */
static bool writes_whole_tsc(const Cpu *cpu) {
    uint32_t signature = cpu->model->signature;
    unsigned family = cpu_model_family(cpu->model);
    unsigned model = (signature >> 4 & 15) | (signature >> 12 & 0xF0);
    return (family == CPU_FAMILY_P6 && model >= 14) ||
           (family == CPU_FAMILY_PENTIUM_4 && model >= 3) || cpu_has(cpu, FEATURE_TSC_ADJUST);
}

/* SDM vol. 3B 17.17.3: TSC and TSC_ADJUST move together. */
static void move_tsc(Cpu *cpu, uint64_t distance) {
    cpu->state.tsc_offset += distance;
    cpu->state.tsc_adjust += distance;
    wire_pulse(&cpu->tsc_changed);
}

static bool write_tsc(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    (void)index;
    if (!writes_whole_tsc(cpu))
        value &= UINT32_MAX;
    move_tsc(cpu, value - cpu_read_tsc(cpu));
    return true;
}

static bool write_tsc_adjust(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    (void)index;
    move_tsc(cpu, value - cpu->state.tsc_adjust);
    return true;
}

/* Memory types that PAT and MTRRs may name: UC, WC, WT, WP, WB and (PAT alone) UC-. */
static bool are_memory_types(uint64_t value, uint32_t types) {
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = value >> 8 * i & 0xFF;
        if (type > 7 || !(types >> type & 1))
            return false;
    }
    return true;
}

enum { MTRR_TYPES = 0x73, PAT_TYPES = 0xF3 };

static bool write_pat(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    return are_memory_types(value, PAT_TYPES) && write_field(cpu, row, index, value);
}

static bool write_mtrr_fixed(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    return are_memory_types(value, MTRR_TYPES) && write_field(cpu, row, index, value);
}

/* PHYSBASE and PHYSMASK alternate. */
static bool read_mtrr_variable(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    (void)row;
    *value = index & 1 ? cpu->state.mtrr_mask[index / 2] : cpu->state.mtrr_base[index / 2];
    return true;
}

static bool write_mtrr_variable(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    enum { MASK_LOW = 0x800, BASE_LOW = 0xFF };
    uint64_t low = value & 0xFFF;
    if (value & ~row->allowed || low & ~(uint64_t)(index & 1 ? MASK_LOW : BASE_LOW))
        return false;
    if (!(index & 1) && !are_memory_types(low, MTRR_TYPES))
        return false;
    if (index & 1)
        cpu->state.mtrr_mask[index / 2] = value;
    else
        cpu->state.mtrr_base[index / 2] = value;
    return true;
}

static bool write_mtrr_default(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    return are_memory_types(value & 0xFF, MTRR_TYPES) && write_field(cpu, row, index, value);
}

/* What tells of abilities that are not there only reads. */
static bool write_misc_enable(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    const uint64_t only_read =
        MISC_ENABLE_NO_BRANCH_TRACE | MISC_ENABLE_NO_PRECISE_EVENTS | MISC_ENABLE_PERFORMANCE;
    uint64_t allowed = row->allowed | (cpu_has(cpu, FEATURE_NX) ? MISC_ENABLE_NO_NX : 0);
    (void)index;
    if (value & ~(allowed | only_read))
        return false;
    cpu->state.misc_enable = (cpu->state.misc_enable & only_read) | (value & allowed);
    return true;
}

/* The signature of the microcode: CPUID stores it there, writes of 0 before CPUID are part of the
 * procedure (SDM vol. 3A 9.11.7). */
static bool write_microcode_revision(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    (void)index;
    (void)value;
    cpu->state.microcode_revision = cpu->model->microcode_revision;
    return true;
}

/* SCE only keeps its bit: SYSCALL is an instruction of long mode. */
static bool write_efer(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    (void)index;
    enum { SCE = 1 << 0, NXE = 1 << 11 };
    uint64_t existing = SCE | (cpu_has(cpu, FEATURE_NX) ? NXE : 0);
    if (value & ~existing || ((value & NXE) && (cpu->state.misc_enable & MISC_ENABLE_NO_NX)))
        return false;
    cpu->state.efer = value;
    system_update_tlb(cpu, false);
    return true;
}

#define STATE(member) offsetof(CpuState, member)
#define ALL UINT64_MAX

// clang-format off
static const MsrRow rows[] = {
    /* first, count, feature, family, read, write, field, bits or constant */
    {0x00000000,  2, FEATURE_MCE,        0, read_constant,                 write_ignored,               0,                                 0},  /* P5_MC_ADDR, P5_MC_TYPE */
    {0x00000010,  1, FEATURE_TSC,        0, read_tsc,                      write_tsc,                   0,                                 0},
    {0x00000011,  1, FEATURE_TSC,        5, read_field,                    performance_write_control,   STATE(performance_select),         0x03FF03FF},  /* CESR */
    {0x00000012,  2, FEATURE_TSC,        5, performance_read_counter,      performance_write_counter,   0,                                 0},  /* CTR0, 1 */
    {0x00000017,  1, FEATURE_PAT,        0, read_constant,                 write_refused,               0,                                 0},  /* PLATFORM_ID */
    {0x0000002A,  1, FEATURE_PAT,        0, read_constant,                 write_ignored,               0,                                 0},  /* EBL_CR_POWERON */
    {0x0000002B,  1, FEATURE_SSE2,       0, read_constant,                 write_ignored,               0,                                 0},  /* EBC_SOFT_POWERON */
    {0x0000002C,  1, FEATURE_SSE2,       0, read_constant,                 write_refused,               0,                                 0x0A000000},  /* EBC_FREQUENCY_ID: 10 times 100 MHz */
    {0x0000003B,  1, FEATURE_TSC_ADJUST, 0, read_field,                    write_tsc_adjust,            STATE(tsc_adjust),                 0},
    {0x00000079,  1, FEATURE_PAT,        0, read_constant,                 write_ignored,               0,                                 0},  /* BIOS_UPDT_TRIG */
    {0x0000008B,  1, FEATURE_PAT,        0, read_field,                    write_microcode_revision,    STATE(microcode_revision),         0},
    {0x000000C1,  2, FEATURE_PAT,        6, performance_read_counter,      performance_write_counter,   0,                                 0},  /* PERFCTR0, 1 */
    {0x000000FE,  1, FEATURE_MTRR,       0, read_constant,                 write_refused,               0,                                 0x508},  /* MTRRCAP: 8 variable, fixed, WC */
    {0x00000119,  1, FEATURE_PAT,        0, read_constant,                 write_ignored,               0,                                 0x200000},  /* BBL_CR_CTL: no processor serial number */
    {0x0000011E,  1, FEATURE_PAT,        0, read_constant,                 write_ignored,               0,                                 0},  /* BBL_CR_CTL3 */
    {0x00000174,  1, FEATURE_SEP,        0, read_field,                    write_field,                 STATE(sysenter_cs),                0xFFFFFFFF},
    {0x00000175,  1, FEATURE_SEP,        0, read_field,                    write_field,                 STATE(sysenter_esp),               0xFFFFFFFF},
    {0x00000176,  1, FEATURE_SEP,        0, read_field,                    write_field,                 STATE(sysenter_eip),               0xFFFFFFFF},
    {0x00000179,  1, FEATURE_MCA,        0, machine_check_read_capability, write_refused,               0,                                 0},
    {0x0000017A,  1, FEATURE_MCA,        0, read_field,                    write_field,                 STATE(machine_check_status),       7},
    {0x0000017B,  1, FEATURE_MCA,        0, read_field,                    machine_check_write_control, STATE(machine_check_control),      0},
    {0x00000186,  2, FEATURE_PAT,        6, read_field,                    performance_write_control,   STATE(performance_select),         0xFFDFFFFF},
    {0x000001A0,  1, FEATURE_SSE2,       0, read_field,                    write_misc_enable,           STATE(misc_enable),                0xDD077F},
    {0x000001D9,  1, FEATURE_PAT,        0, read_constant,                 write_ignored,               0,                                 0},  /* DEBUGCTL: no branch records */
    {0x000001DB,  4, FEATURE_PAT,        0, read_constant,                 write_refused,               0,                                 0},  /* LASTBRANCH and LASTINT */
    {0x00000200, 16, FEATURE_MTRR,       0, read_mtrr_variable,            write_mtrr_variable,         0,                                 0xFFFFFFFFF},
    {0x00000250,  1, FEATURE_MTRR,       0, read_field,                    write_mtrr_fixed,            STATE(mtrr_fixed[0]),              ALL},
    {0x00000258,  2, FEATURE_MTRR,       0, read_field,                    write_mtrr_fixed,            STATE(mtrr_fixed[1]),              ALL},
    {0x00000268,  8, FEATURE_MTRR,       0, read_field,                    write_mtrr_fixed,            STATE(mtrr_fixed[3]),              ALL},
    {0x00000277,  1, FEATURE_PAT,        0, read_field,                    write_pat,                   STATE(pat),                        ALL},
    {0x000002FF,  1, FEATURE_MTRR,       0, read_field,                    write_mtrr_default,          STATE(mtrr_def_type),              0xCFF},
    {0x00000309,  3, FEATURE_PMU,        0, performance_read_fixed,        performance_write_fixed,     0,                                 0},
    {0x0000038D,  1, FEATURE_PMU,        0, read_field,                    performance_write_control,   STATE(performance_fixed_control),  0xBBB},
    {0x0000038E,  1, FEATURE_PMU,        0, performance_read_status,       write_refused,               0,                                 0},
    {0x0000038F,  1, FEATURE_PMU,        0, read_field,                    performance_write_control,   STATE(performance_global_control), 0x700000003},
    {0x00000390,  1, FEATURE_PMU,        0, read_constant,                 performance_clear_status,    0,                                 0},
    {0x00000400, 4 * MACHINE_CHECK_BANKS, FEATURE_MCA,        0, machine_check_read_bank,       machine_check_write_bank,    0,                                 0},
    {0xC0000080,  1, FEATURE_NX,         0, read_field,                    write_efer,                  STATE(efer),                       0},
    {0xC0000080,  1, FEATURE_SYSCALL,    0, read_field,                    write_efer,                  STATE(efer),                       0},
    {0xC0000081,  1, FEATURE_SYSCALL,    0, read_field,                    write_field,                 STATE(star),                       ALL},
    {0xC0000103,  1, FEATURE_RDTSCP,     0, read_field,                    write_field,                 STATE(tsc_aux),                    0xFFFFFFFF},
};
// clang-format on

static const MsrRow *find_row(const Cpu *cpu, uint32_t number) {
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (number - rows[i].first < rows[i].count && cpu_has(cpu, rows[i].feature) &&
            (rows[i].family == 0 || rows[i].family == cpu_model_family(cpu->model)))
            return &rows[i];
    return NULL;
}

static bool read_register(Cpu *cpu, uint32_t number, uint64_t *value) {
    if (msr_map_find(&cpu->msrs, number) != NULL)
        return msr_map_read(&cpu->msrs, number, value);
    const MsrRow *row = find_row(cpu, number);
    return row != NULL && row->read(cpu, row, number - row->first, value);
}

static bool write_register(Cpu *cpu, uint32_t number, uint64_t value) {
    const MsrRange *range = msr_map_find(&cpu->msrs, number);
    if (range != NULL)
        return range->write(range->opaque, number - range->first, value);
    const MsrRow *row = find_row(cpu, number);
    return row != NULL && row->write(cpu, row, number - row->first, value);
}

static HelperResult refuse(Cpu *cpu, const char *access, uint32_t number) {
    TRACE(cpu->trace, TRACE_UNIMP, "%s of unknown or misused MSR %08x\n", access, number);
    return cpu_raise_error(cpu, EXCEPTION_GP, 0);
}

HelperResult helper_rdmsr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    if (cpu->state.cpl != 0)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    uint32_t number = (uint32_t)cpu->state.gpr[REG_ECX];
    uint64_t value;
    cpu->outside_accesses++;
    if (!read_register(cpu, number, &value))
        return refuse(cpu, "read", number);
    cpu->state.gpr[REG_EAX] = (uint32_t)value;
    cpu->state.gpr[REG_EDX] = value >> 32;
    return HELPER_NEXT;
}

HelperResult helper_wrmsr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    if (cpu->state.cpl != 0)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    uint32_t number = (uint32_t)cpu->state.gpr[REG_ECX];
    uint64_t value = (uint32_t)cpu->state.gpr[REG_EAX] | cpu->state.gpr[REG_EDX] << 32;
    if (!write_register(cpu, number, value))
        return refuse(cpu, "write", number);
    cpu->state.eip = cpu->next_eip;
    return HELPER_JUMP;
}

/* The clock has just been read. Both parts are rounded down: what is told by the line is never
 * ahead of cpu_read_tsc(). */
static void renew_line(Cpu *cpu) {
    ClockLine line;
    cpu->tsc_line.limit = 0;
    if (cpu->clock->line == NULL || !cpu->clock->line(cpu->clock->source_opaque, &line))
        return;
    uint64_t hz = cpu->model->tsc_hz;
    cpu->tsc_line.start = line.start;
    cpu->tsc_line.rate = (uint64_t)clock_scale((int64_t)line.rate, (int64_t)hz, NS_PER_SECOND);
    cpu->tsc_line.value = (uint64_t)clock_scale(line.start_ns, (int64_t)hz, NS_PER_SECOND);
    cpu->tsc_line.limit = line.limit;
}

HelperResult helper_rdtsc(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t0;
    (void)t1;
    if ((cpu->state.cr4 & CR4_TSD) && cpu->state.cpl != 0)
        return cpu_raise_error(cpu, EXCEPTION_GP, 0);
    cpu->outside_accesses++;
    uint64_t value = cpu_read_tsc(cpu);
    renew_line(cpu);
    cpu->state.gpr[REG_EAX] = (uint32_t)value;
    cpu->state.gpr[REG_EDX] = value >> 32;
    if (a != 0)
        cpu->state.gpr[REG_ECX] = (uint32_t)cpu->state.tsc_aux;
    return HELPER_NEXT;
}
