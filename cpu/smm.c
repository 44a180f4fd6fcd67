/* System management mode (SDM vol. 3C chapter 31): an SMI saves the state into SMRAM and runs the
 * handler there, with the memory that the chip set hides otherwise; RSM brings the state back.
 *
 * The save area has the layout of IA-32 (table 31-1). Hidden parts of segment registers, which that
 * table leaves reserved, stand where P6 processors have them. */
#include "smm.h"
#include "cpu_debug.h"
#include "helpers.h"
#include "transfer.h"

#define DEFAULT_SMBASE 0x30000u
#define HANDLER_OFFSET 0x8000u
#define SAVE_OFFSET 0x8000u /* the manual's offsets are from SMBASE + 8000h */

/* No restart of I/O instructions; SMBASE may be moved (31.7, 31.11). */
#define REVISION 0x00020000u

enum {
    SAVED_CR0 = 0x7FFC,
    SAVED_CR3 = 0x7FF8,
    SAVED_EFLAGS = 0x7FF4,
    SAVED_EIP = 0x7FF0,
    SAVED_DR6 = 0x7FCC,
    SAVED_DR7 = 0x7FC8,
    SAVED_SELECTORS = 0x7FA8,
    SAVED_GDT = 0x7F70,
    SAVED_IDT = 0x7F54,
    SAVED_CR4 = 0x7F14,
    SAVED_HALT = 0x7F02,
    SAVED_REVISION = 0x7EFC,
    SAVED_SMBASE = 0x7EF8,
};

/* General registers, EAX to EDI. */
static const uint16_t saved_gpr[8] = {0x7FD0, 0x7FD4, 0x7FD8, 0x7FDC,
                                      0x7FE0, 0x7FE4, 0x7FE8, 0x7FEC};
/* Access rights, limit and base of ES, CS, SS, DS, FS, GS, LDTR and TR; their selectors stand
 * together. */
static const uint16_t saved_segment[SEG_ALL] = {0x7F84, 0x7F90, 0x7F9C, 0x7F2C,
                                                0x7F38, 0x7F44, 0x7F78, 0x7F5C};

static uint32_t save_address(const Cpu *cpu, uint32_t offset) {
    return cpu->state.smbase + SAVE_OFFSET + offset;
}

static void put(Cpu *cpu, uint32_t offset, uint32_t value) {
    physical_write(cpu->map, save_address(cpu, offset), 4, value);
}

static uint32_t get(const Cpu *cpu, uint32_t offset) {
    return (uint32_t)physical_read(cpu->map, save_address(cpu, offset), 4);
}

void smm_update_pins(Cpu *cpu) {
    physical_map_ignore_a20(cpu->map, cpu->state.smm != 0);
    wire_set(&cpu->smiact, cpu->state.smm != 0);
}

static void update_addressing(Cpu *cpu) {
    smm_update_pins(cpu);
    system_update_tlb(cpu, true);
    tlb_flush_all(&cpu->tlb);
}

void smm_reset(Cpu *cpu) {
    cpu->state.smm = cpu->state.smm_nmi_blocked = cpu->state.smi_pending = 0;
    cpu->state.smbase = DEFAULT_SMBASE;
    smm_update_pins(cpu);
}

/* --- SMI ---------------------------------------------------------------------------------------
 */

static void save_segments(Cpu *cpu) {
    for (unsigned i = 0; i < SEG_ALL; i++) {
        const Segment *segment = &cpu->state.segment[i];
        put(cpu, SAVED_SELECTORS + 4u * i, segment->selector);
        put(cpu, saved_segment[i], segment->access);
        put(cpu, saved_segment[i] + 4u, segment->limit);
        put(cpu, saved_segment[i] + 8u, segment->base);
    }
    put(cpu, SAVED_GDT, cpu->state.gdtr.limit);
    put(cpu, SAVED_GDT + 4, cpu->state.gdtr.base);
    put(cpu, SAVED_IDT, cpu->state.idtr.limit);
    put(cpu, SAVED_IDT + 4, cpu->state.idtr.base);
}

static void save_state(Cpu *cpu) {
    const CpuState *state = &cpu->state;
    put(cpu, SAVED_CR0, state->cr0);
    put(cpu, SAVED_CR3, state->cr3);
    put(cpu, SAVED_CR4, state->cr4);
    put(cpu, SAVED_EFLAGS, cpu_get_eflags(cpu));
    put(cpu, SAVED_EIP, state->eip);
    put(cpu, SAVED_DR6, state->dr[6]);
    put(cpu, SAVED_DR7, state->dr[7]);
    for (unsigned i = 0; i < 8; i++)
        put(cpu, saved_gpr[i], (uint32_t)state->gpr[i]);
    save_segments(cpu);
    physical_write(cpu->map, save_address(cpu, SAVED_HALT - 2), 4, state->halted << 16);
    put(cpu, SAVED_REVISION, REVISION);
    put(cpu, SAVED_SMBASE, state->smbase);
}

/* Like real mode, but segments reach all 4 GB: table 31-4. */
static void enter_handler(Cpu *cpu) {
    enum { WRITABLE = ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_A | ACCESS_G };
    CpuState *state = &cpu->state;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        state->segment[i] = (Segment){.access = WRITABLE, .limit = UINT32_MAX};
    state->segment[SEG_CS].selector = (uint16_t)(state->smbase >> 4);
    state->segment[SEG_CS].base = state->smbase;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        segment_classify(&state->segment[i]);
    cpu_set_eflags(cpu, FLAG_1);
    state->eip = HANDLER_OFFSET;
    state->cpl = 0;
    state->cr0 &= ~(uint32_t)(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    state->cr4 = 0;
    state->dr[7] = DR7_FIXED;
    state->halted = 0;
    state->smm_nmi_blocked = state->nmi_blocked;
    state->nmi_blocked = 1;
}

void smm_enter(Cpu *cpu) {
    TRACE(cpu->trace, TRACE_INT, "SMM: enter at cs:eip=%04x:%08x, SMBASE %08x\n",
          cpu->state.segment[SEG_CS].selector, cpu->state.eip, cpu->state.smbase);
    cpu->state.smi_pending = 0;
    cpu->state.smm = 1;
    smm_update_pins(cpu);
    save_state(cpu);
    enter_handler(cpu);
    update_addressing(cpu);
}

/* --- RSM ---------------------------------------------------------------------------------------
 */

static void load_segments(Cpu *cpu) {
    for (unsigned i = 0; i < SEG_ALL; i++) {
        Segment *segment = &cpu->state.segment[i];
        segment->selector = (uint16_t)get(cpu, SAVED_SELECTORS + 4u * i);
        segment->access = (uint16_t)get(cpu, saved_segment[i]);
        segment->limit = get(cpu, saved_segment[i] + 4u);
        segment->base = get(cpu, saved_segment[i] + 8u);
        segment_classify(segment);
    }
    cpu->state.gdtr.limit = get(cpu, SAVED_GDT) & 0xFFFF;
    cpu->state.gdtr.base = get(cpu, SAVED_GDT + 4);
    cpu->state.idtr.limit = get(cpu, SAVED_IDT) & 0xFFFF;
    cpu->state.idtr.base = get(cpu, SAVED_IDT + 4);
}

static void load_state(Cpu *cpu) {
    CpuState *state = &cpu->state;
    for (unsigned i = 0; i < 8; i++)
        state->gpr[i] = get(cpu, saved_gpr[i]);
    state->eip = get(cpu, SAVED_EIP);
    state->dr[6] = (get(cpu, SAVED_DR6) & DR6_WRITABLE) | DR6_FIXED;
    state->dr[7] = (get(cpu, SAVED_DR7) & (uint32_t)DR7_WRITABLE) | DR7_FIXED;
    load_segments(cpu);
    cpu_set_eflags(cpu, get(cpu, SAVED_EFLAGS));
    state->halted = get(cpu, SAVED_HALT - 2) >> 16 & 1;
    state->cpl = 0;
    if (cpu_is_protected(cpu))
        state->cpl = cpu_is_v8086(cpu) ? 3 : ACCESS_DPL_OF(state->segment[SEG_SS].access);
}

/* "If the processor detects invalid state information, it enters the shutdown state" (RSM, vol.
 * 2B). */
static HelperResult shut_down(Cpu *cpu) {
    TRACE(cpu->trace, TRACE_INT, "SMM: RSM finds an invalid state\n");
    cpu->state.shutdown = 1;
    cpu->break_after = 1;
    return HELPER_JUMP;
}

HelperResult helper_rsm(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    (void)b;
    (void)t0;
    (void)t1;
    CpuState *state = &cpu->state;
    if (!state->smm)
        return cpu_raise(cpu, EXCEPTION_UD);
    uint32_t cr0 = get(cpu, SAVED_CR0);
    bool good = (cr0 & CR0_PE) || !(get(cpu, SAVED_EFLAGS) & FLAG_VM);
    if (!good || !system_restore_control(cpu, cr0, get(cpu, SAVED_CR3), get(cpu, SAVED_CR4)))
        return shut_down(cpu);
    load_state(cpu);
    state->smbase = get(cpu, SAVED_SMBASE);
    state->smm = 0;
    state->nmi_blocked = state->smm_nmi_blocked;
    state->smm_nmi_blocked = 0;
    cpu->break_after = 1;
    update_addressing(cpu);
    TRACE(cpu->trace, TRACE_INT, "SMM: leave to cs:eip=%04x:%08x, SMBASE %08x\n",
          state->segment[SEG_CS].selector, state->eip, state->smbase);
    return HELPER_JUMP;
}
