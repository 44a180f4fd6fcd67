/* The processor as a whole: making it, RESET and INIT, its field table, its pins. */
#include "cpu.h"
#include "cpu_debug.h"
#include "cpu_feature.h"
#include "cpu_model.h"
#include "helpers.h"
#include "msr.h"
#include "performance.h"
#include "smm.h"
#include "transfer.h"
#include "x87.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const FieldTable segment_fields = {
    "segment",
    1,
    sizeof(Segment),
    (const Field[]){
        FIELD(Segment, U16, selector),
        FIELD(Segment, U16, access),
        FIELD(Segment, U32, base),
        FIELD(Segment, U32, limit),
        FIELD(Segment, U32, kind),
        FIELD_END,
    },
};

static const FieldTable descriptor_table_fields = {
    "descriptor table",
    1,
    sizeof(DescriptorTable),
    (const Field[]){
        FIELD(DescriptorTable, U32, base),
        FIELD(DescriptorTable, U32, limit),
        FIELD_END,
    },
};

static const FieldTable fpu_register_fields = {
    "x87 register",
    1,
    sizeof(struct FpuRegister),
    (const Field[]){
        FIELD(struct FpuRegister, U64, significand),
        FIELD(struct FpuRegister, U16, sign_exponent),
        FIELD_PADDING(struct FpuRegister, unused),
        FIELD_END,
    },
};

static const FieldTable fpu_fields = {
    "fpu",
    1,
    sizeof(FpuState),
    (const Field[]){
        FIELD_STRUCTS(FpuState, st, &fpu_register_fields),
        FIELD(FpuState, U16, control),
        FIELD(FpuState, U16, status),
        FIELD(FpuState, U16, tags),
        FIELD(FpuState, U16, opcode),
        FIELD(FpuState, U32, ip),
        FIELD(FpuState, U32, dp),
        FIELD(FpuState, U16, cs),
        FIELD(FpuState, U16, ds),
        FIELD(FpuState, U32, mxcsr),
        FIELD_PADDING(FpuState, unused),
        FIELD_BYTES_OF(FpuState, xmm),
        FIELD_END,
    },
};

const FieldTable cpu_fields = {
    "cpu",
    6,
    sizeof(CpuState),
    (const Field[]){
        FIELD_ARRAY(CpuState, U64, gpr),
        FIELD(CpuState, U32, eip),
        FIELD(CpuState, U32, eflags),
        FIELD(CpuState, U16, flags_image),
        FIELD(CpuState, U16, waits_for_startup),
        FIELD(CpuState, U32, direction),
        FIELD(CpuState, U32, cr0),
        FIELD(CpuState, U32, cr2),
        FIELD(CpuState, U32, cr3),
        FIELD(CpuState, U32, cr4),
        FIELD(CpuState, U32, cr8),
        FIELD(CpuState, U32, cpl),
        FIELD_ARRAY(CpuState, U32, dr),
        FIELD_STRUCTS(CpuState, segment, &segment_fields),
        FIELD_ONE_STRUCT(CpuState, gdtr, &descriptor_table_fields),
        FIELD_ONE_STRUCT(CpuState, idtr, &descriptor_table_fields),
        FIELD(CpuState, U64, star),
        FIELD_ONE_STRUCT(CpuState, fpu, &fpu_fields),
        FIELD(CpuState, U64, tsc_offset),
        FIELD(CpuState, U64, tsc_adjust),
        FIELD(CpuState, U64, efer),
        FIELD(CpuState, U64, pat),
        FIELD(CpuState, U64, misc_enable),
        FIELD(CpuState, U32, smm),
        FIELD(CpuState, U32, smm_nmi_blocked),
        FIELD(CpuState, U64, sysenter_cs),
        FIELD(CpuState, U64, sysenter_esp),
        FIELD(CpuState, U64, sysenter_eip),
        FIELD_ARRAY(CpuState, U64, mtrr_fixed),
        FIELD_ARRAY(CpuState, U64, mtrr_base),
        FIELD_ARRAY(CpuState, U64, mtrr_mask),
        FIELD(CpuState, U64, mtrr_def_type),
        FIELD_ARRAY(CpuState, U64, pdpte),
        FIELD(CpuState, U32, halted),
        FIELD(CpuState, U32, shutdown),
        FIELD(CpuState, U32, interrupt_shadow),
        FIELD(CpuState, U32, nmi_pending),
        FIELD(CpuState, U32, nmi_blocked),
        FIELD(CpuState, U32, intr_level),
        FIELD(CpuState, U32, smi_pending),
        FIELD(CpuState, U32, smbase),
        FIELD(CpuState, U32, init_pending),
        FIELD(CpuState, U32, ferr),
        FIELD(CpuState, U32, pending_debug),
        FIELD(CpuState, U32, ignne),
        FIELD(CpuState, U64, microcode_revision),
        FIELD(CpuState, U64, tsc_aux),
        FIELD(CpuState, U64, random_state),
        FIELD_ARRAY(CpuState, U32, test_register),
        FIELD(CpuState, U64, machine_check_status),
        FIELD(CpuState, U64, machine_check_control),
        FIELD_ARRAY(CpuState, U64, machine_check_banks),
        FIELD_ARRAY(CpuState, U64, performance_counters),
        FIELD(CpuState, U64, performance_since),
        FIELD(CpuState, U64, performance_since_tick),
        FIELD_ARRAY(CpuState, U64, performance_select),
        FIELD(CpuState, U64, performance_fixed_control),
        FIELD(CpuState, U64, performance_global_control),
        FIELD(CpuState, U64, performance_status),
        FIELD_PADDING(CpuState, unused3),
        FIELD(CpuState, U64, instruction_count),
        FIELD_END,
    },
};

/* The RESET values of real mode: SDM vol. 3A table 9-1. */
static void reset_segments(CpuState *state) {
    enum { WRITABLE = ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_A, TSS32_BUSY = 0xB, LDT = 2 };
    for (unsigned i = 0; i < SEG_ALL; i++) {
        state->segment[i] = (Segment){.access = WRITABLE, .limit = 0xFFFF};
        segment_classify(&state->segment[i]);
    }
    state->segment[SEG_CS].selector = 0xF000;
    state->segment[SEG_CS].base = 0xFFFF0000;
    segment_classify(&state->segment[SEG_CS]);
    state->segment[SEG_LDTR].access = ACCESS_P | LDT;
    state->segment[SEG_TR].access = ACCESS_P | TSS32_BUSY;
    segment_classify(&state->segment[SEG_LDTR]);
    segment_classify(&state->segment[SEG_TR]);
    state->gdtr = state->idtr = (DescriptorTable){.limit = 0xFFFF};
}

/* What RESET clears and INIT keeps: FPU, MTRRs, TSC and other model-specific registers. */
static void reset_lasting(Cpu *cpu) {
    CpuState *state = &cpu->state;
    x87_reset(&state->fpu, false);
    state->tsc_offset = 0;
    state->tsc_offset -= cpu_read_tsc(cpu);
    state->tsc_adjust = 0;
    state->efer = 0;
    state->pat = UINT64_C(0x0007040600070406);
    state->misc_enable = cpu_has(cpu, FEATURE_SSE2) ? MISC_ENABLE_RESET : 0;
    if (cpu_has(cpu, FEATURE_MONITOR))
        state->misc_enable |= MISC_ENABLE_MONITOR;
    state->sysenter_cs = state->sysenter_esp = state->sysenter_eip = 0;
    memset(state->mtrr_fixed, 0, sizeof(state->mtrr_fixed));
    memset(state->mtrr_base, 0, sizeof(state->mtrr_base));
    memset(state->mtrr_mask, 0, sizeof(state->mtrr_mask));
    state->mtrr_def_type = 0;
    state->microcode_revision = cpu->model->microcode_revision;
    state->tsc_aux = state->star = 0;
    state->machine_check_status = state->machine_check_control = 0;
    memset(state->machine_check_banks, 0, sizeof(state->machine_check_banks));
    performance_reset(cpu);
    memset(state->test_register, 0, sizeof(state->test_register));
    state->ferr = state->ignne = 0;
    smm_reset(cpu);
    wire_set(&cpu->ferr, 0);
}

void cpu_reset(Cpu *cpu, bool init) {
    CpuState *state = &cpu->state;
    memset(state->gpr, 0, sizeof(state->gpr));
    state->gpr[REG_EDX] = cpu->model->signature;
    state->eip = 0xFFF0;
    cpu_set_eflags(cpu, FLAG_1);
    uint32_t caching = state->cr0 & (CR0_CD | CR0_NW);
    if (!init)
        caching = cpu_has(cpu, FEATURE_486) ? CR0_CD | CR0_NW : 0;
    bool has_387 = cpu_has(cpu, FEATURE_486) || cpu_has(cpu, FEATURE_FPU);
    state->cr0 = caching | (has_387 ? CR0_ET : 0);
    state->cr2 = state->cr3 = state->cr4 = state->cr8 = 0;
    state->cpl = 0;
    memset(state->dr, 0, sizeof(state->dr));
    state->dr[6] = (uint32_t)DR6_FIXED;
    state->dr[7] = DR7_FIXED;
    reset_segments(state);
    memset(state->pdpte, 0, sizeof(state->pdpte));
    state->shutdown = state->interrupt_shadow = 0;
    state->halted = state->waits_for_startup = cpu->number != 0;
    state->nmi_pending = state->nmi_blocked = 0;
    state->init_pending = state->pending_debug = 0;
    if (!init)
        reset_lasting(cpu);
    cpu->exception.vector = EXCEPTION_NONE;
    cpu->break_after = 1;
    cpu_update_breakpoints(cpu);
    system_update_tlb(cpu, true);
    tlb_flush_all(&cpu->tlb);
}

Cpu *cpu_create(PhysicalMap *map, PortMap *ports, VirtualClock *clock, Trace *trace,
                const CpuModel *model, Error *error) {
    Cpu *cpu = tlb_map_storage(sizeof(Cpu));
    if (cpu == NULL) {
        error_set(error, "no memory for a processor");
        return NULL;
    }
    if (!tlb_init(&cpu->tlb, map, error)) {
        tlb_unmap_storage(cpu, sizeof(Cpu));
        return NULL;
    }
    cpu->map = map;
    cpu->ports = ports;
    cpu->clock = clock;
    cpu->trace = trace;
    cpu->own_model = malloc(sizeof(CpuModel));
    if (cpu->own_model == NULL) {
        error_set(error, "no memory for a processor");
        cpu_destroy(cpu);
        return NULL;
    }
    *cpu->own_model = *model;
    cpu->model = cpu->own_model;
    cpu->features[0] = cpu_features_complete(model->features);
    cpuid_prepare(cpu);
    cpu->iterations_allowed = 1;
    cpu_reset(cpu, false);
    cpu->break_after = 0;
    return cpu;
}

void cpu_destroy(Cpu *cpu) {
    if (cpu == NULL)
        return;
    tlb_destroy(&cpu->tlb);
    free(cpu->own_model);
    tlb_unmap_storage(cpu, sizeof(Cpu));
}

void cpu_state_restored(Cpu *cpu) {
    smm_update_pins(cpu);
    cpu->exception.vector = EXCEPTION_NONE;
    memcpy(cpu->tlb.pdpte, cpu->state.pdpte, sizeof(cpu->tlb.pdpte));
    performance_restored(cpu);
    cpu_update_breakpoints(cpu);
    system_update_tlb(cpu, true);
    tlb_flush_all(&cpu->tlb);
}

void cpu_set_number(Cpu *cpu, uint8_t number) {
    cpu->number = number;
    cpu_reset(cpu, false);
}

void cpu_start_up(void *opaque, uint8_t page) {
    Cpu *cpu = opaque;
    CpuState *state = &cpu->state;
    if (state->init_pending)
        cpu_reset(cpu, true);
    if (!state->waits_for_startup)
        return;
    state->waits_for_startup = state->halted = 0;
    state->segment[SEG_CS].selector = (uint16_t)(page << 8);
    state->segment[SEG_CS].base = (uint32_t)page << PAGE_BITS;
    segment_classify(&state->segment[SEG_CS]);
    state->eip = 0;
    cpu->break_after = 1;
}

static void reset_device(void *device) {
    cpu_reset(device, false);
}

static void device_restored(void *device) {
    cpu_state_restored(device);
}

const DeviceClass cpu_class = {
    .name = "cpu",
    .fields = &cpu_fields,
    .reset = reset_device,
    .restored = device_restored,
};

uint64_t cpu_read_tsc(const Cpu *cpu) {
    int64_t now = clock_now_ns(cpu->clock);
    return (uint64_t)clock_scale(now, cpu->model->tsc_hz, NS_PER_SECOND) + cpu->state.tsc_offset;
}

void cpu_set_intr(void *opaque, int line, int level) {
    (void)line;
    Cpu *cpu = opaque;
    cpu->state.intr_level = level != 0;
    if (level)
        cpu->break_after = 1;
}

/* NMI is edge-triggered; one more is remembered while one is handled. */
void cpu_set_nmi(void *opaque, int line, int level) {
    (void)line;
    Cpu *cpu = opaque;
    if (level == 0)
        return;
    cpu->state.nmi_pending = 1;
    cpu->break_after = 1;
}

/* SMI# is edge-triggered, and one is remembered while another is handled. */
void cpu_set_smi(void *opaque, int line, int level) {
    (void)line;
    Cpu *cpu = opaque;
    if (level == 0)
        return;
    cpu->state.smi_pending = 1;
    cpu->break_after = 1;
}

/* The reset itself waits for the end of the instruction. */
void cpu_set_init(void *opaque, int line, int level) {
    (void)line;
    Cpu *cpu = opaque;
    if (level == 0)
        return;
    cpu->state.init_pending = 1;
    cpu->break_after = 1;
}

/* SDM vol. 3A 6.8.3: a load of SS holds back everything for one instruction, STI the maskable
 * interrupts (and here NMI, as on most processors). */
bool cpu_has_deliverable_interrupt(const Cpu *cpu) {
    return cpu->state.interrupt_shadow == 0 && cpu_wants_interrupt(cpu);
}

bool cpu_wants_interrupt(const Cpu *cpu) {
    const CpuState *state = &cpu->state;
    if (state->waits_for_startup)
        return false;
    if (smm_is_due(cpu) || (state->nmi_pending && !state->nmi_blocked))
        return true;
    return state->intr_level && (state->eflags & FLAG_IF) && !state->shutdown;
}
