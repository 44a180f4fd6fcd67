/* System instructions: control and debug registers, descriptor table registers, HLT and what else
 * needs level 0. SDM vol. 3A 2.8. */
#include "cpu_debug.h"
#include "cpu_feature.h"
#include "msr.h"
#include "transfer.h"

#define UNUSED_4(a, b, c, d) ((void)(a), (void)(b), (void)(c), (void)(d))

static HelperResult general_protection(Cpu *cpu) {
    return cpu_raise_error(cpu, EXCEPTION_GP, 0);
}

static HelperResult go_on(Cpu *cpu) {
    cpu->state.eip = cpu->next_eip;
    return HELPER_JUMP;
}

void system_update_tlb(Cpu *cpu, bool cr3_written) {
    const CpuState *state = &cpu->state;
    enum { EFER_NXE = 1 << 11 };
    cpu->tlb.pse_36 = cpu_has(cpu, FEATURE_PSE36);
    tlb_set_control(&cpu->tlb, state->cr0, state->cr3, state->cr4, (state->efer & EFER_NXE) != 0,
                    cr3_written);
}

static bool uses_pae(uint32_t cr0, uint32_t cr4) {
    return (cr0 & CR0_PG) && (cr4 & CR4_PAE);
}

/* With PAE paging the four top entries are read when CR3 is loaded, and when one of these bits of
 * CR0 and CR4 changes, not at each walk: SDM vol. 3A 4.4.1. */
#define CR0_LOADING_PDPTES (CR0_PG | CR0_CD | CR0_NW)
#define CR4_LOADING_PDPTES (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)

static bool load_pdptes(Cpu *cpu, uint32_t cr3) {
    if (!tlb_load_pdptes(&cpu->tlb, cr3)) {
        general_protection(cpu);
        return false;
    }
    for (unsigned i = 0; i < 4; i++)
        cpu->state.pdpte[i] = cpu->tlb.pdpte[i];
    return true;
}

bool system_load_cr3(Cpu *cpu, uint32_t value) {
    if (uses_pae(cpu->state.cr0, cpu->state.cr4) && !load_pdptes(cpu, value))
        return false;
    cpu->state.cr3 = value;
    system_update_tlb(cpu, true);
    return true;
}

/* The bits of 'value' that this processor keeps; the others read 0 however they are written. ET is
 * wired to 1 from the 486 on; the 386's says what coprocessor there is, as RESET or software found
 * out. */
static uint32_t existing_cr0(const Cpu *cpu, uint32_t value) {
    const uint32_t first = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_PG;
    if (!cpu_has(cpu, FEATURE_486))
        return value & (first | CR0_ET);
    return (value & (first | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD)) | CR0_ET;
}

static HelperResult write_cr0(Cpu *cpu, uint32_t value) {
    CpuState *state = &cpu->state;
    value = existing_cr0(cpu, value);
    if (((value & CR0_PG) && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD)))
        return general_protection(cpu);
    if (uses_pae(value, state->cr4) && ((value ^ state->cr0) & CR0_LOADING_PDPTES) &&
        !load_pdptes(cpu, state->cr3))
        return HELPER_FAULT;
    if (value == state->cr0)
        return HELPER_NEXT;
    state->cr0 = value;
    system_update_tlb(cpu, false);
    return go_on(cpu);
}

/* CR4 bits by the feature that brings each. */
static uint32_t existing_cr4(const Cpu *cpu) {
    static const struct {
        uint8_t feature;
        uint32_t bits;
    } rows[] = {
        {FEATURE_VME, CR4_VME | CR4_PVI}, {FEATURE_TSC, CR4_TSD},   {FEATURE_DE, CR4_DE},
        {FEATURE_PSE, CR4_PSE},           {FEATURE_PAE, CR4_PAE},   {FEATURE_MCE, CR4_MCE},
        {FEATURE_PGE, CR4_PGE},           {FEATURE_RDPMC, CR4_PCE}, {FEATURE_FXSR, CR4_OSFXSR},
        {FEATURE_SSE, CR4_OSXMMEXCPT},    {FEATURE_UMIP, CR4_UMIP}, {FEATURE_SMEP, CR4_SMEP},
        {FEATURE_SMAP, CR4_SMAP},
    };
    uint32_t bits = 0;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (cpu_has(cpu, rows[i].feature))
            bits |= rows[i].bits;
    return bits;
}

static HelperResult write_cr4(Cpu *cpu, uint32_t value) {
    CpuState *state = &cpu->state;
    if (value & ~existing_cr4(cpu))
        return general_protection(cpu);
    if (uses_pae(state->cr0, value) && ((value ^ state->cr4) & CR4_LOADING_PDPTES) &&
        !load_pdptes(cpu, state->cr3))
        return HELPER_FAULT;
    state->cr4 = value;
    system_update_tlb(cpu, false);
    return go_on(cpu);
}

bool system_restore_control(Cpu *cpu, uint32_t cr0, uint32_t cr3, uint32_t cr4) {
    CpuState *state = &cpu->state;
    if (((cr0 & CR0_PG) && !(cr0 & CR0_PE)) || ((cr0 & CR0_NW) && !(cr0 & CR0_CD)) ||
        (cr4 & ~existing_cr4(cpu)))
        return false;
    if (uses_pae(cr0, cr4) && !load_pdptes(cpu, cr3)) {
        cpu->exception.vector = EXCEPTION_NONE;
        return false;
    }
    state->cr0 = existing_cr0(cpu, cr0);
    state->cr3 = cr3;
    state->cr4 = cr4;
    return true;
}

static bool has_cr4(const Cpu *cpu) {
    return existing_cr4(cpu) != 0;
}

HelperResult helper_read_cr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    uint32_t value;
    switch (a) {
    case 0:
        value = cpu->state.cr0;
        break;
    case 2:
        value = cpu->state.cr2;
        break;
    case 3:
        value = cpu->state.cr3;
        break;
    case 4:
        value = cpu->state.cr4;
        break;
    default:
        return cpu_raise(cpu, EXCEPTION_UD);
    }
    if (a == 4 && !has_cr4(cpu))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    cpu->state.gpr[b] = value;
    return HELPER_NEXT;
}

HelperResult helper_write_cr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t1;
    if (a == 1 || a > 4 || (a == 4 && !has_cr4(cpu)))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    if (a == 0)
        return write_cr0(cpu, t0);
    if (a == 4)
        return write_cr4(cpu, t0);
    if (a == 2)
        cpu->state.cr2 = t0;
    else if (!system_load_cr3(cpu, t0))
        return HELPER_FAULT;
    return go_on(cpu);
}

HelperResult helper_write_cr3(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)a;
    return helper_write_cr(cpu, 3, b, t0, t1);
}

HelperResult helper_lmsw(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    uint32_t low = CR0_PE | CR0_MP | CR0_EM | CR0_TS;
    uint32_t kept = cpu->state.cr0 & (~low | CR0_PE); /* LMSW sets PE but cannot clear it */
    return write_cr0(cpu, kept | (t0 & low));
}

/* SGDT, SIDT, SLDT, STR and SMSW may be kept from user mode. */
static bool is_hidden_by_umip(const Cpu *cpu) {
    return (cpu->state.cr4 & CR4_UMIP) && cpu_is_protected(cpu) && cpu->state.cpl != 0;
}

HelperResult helper_smsw(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    if (is_hidden_by_umip(cpu))
        return general_protection(cpu);
    cpu->result = cpu->state.cr0;
    return HELPER_NEXT;
}

HelperResult helper_clts(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    if (!(cpu->state.cr0 & CR0_TS))
        return HELPER_NEXT;
    cpu->state.cr0 &= ~(uint32_t)CR0_TS;
    system_update_tlb(cpu, false);
    return go_on(cpu);
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE. Any access under DR7.GD is a #DB fault. False: an
 * exception was raised. */
static bool check_debug_register(Cpu *cpu, uint32_t *index) {
    if ((*index == 4 || *index == 5) && (cpu->state.cr4 & CR4_DE)) {
        cpu_raise(cpu, EXCEPTION_UD);
        return false;
    }
    if (cpu->state.cpl != 0) {
        general_protection(cpu);
        return false;
    }
    if (cpu->state.dr[7] & DR7_GD) {
        cpu->state.dr[6] |= DR6_BD;
        cpu_raise(cpu, EXCEPTION_DB);
        return false;
    }
    if (*index == 4 || *index == 5)
        *index += 2;
    return true;
}

HelperResult helper_read_dr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t0;
    (void)t1;
    if (!check_debug_register(cpu, &a))
        return HELPER_FAULT;
    cpu->state.gpr[b] = cpu->state.dr[a];
    return HELPER_NEXT;
}

HelperResult helper_write_dr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t1;
    if (!check_debug_register(cpu, &a))
        return HELPER_FAULT;
    if (a == 6)
        t0 = (t0 & DR6_WRITABLE) | (uint32_t)DR6_FIXED;
    else if (a == 7)
        t0 = (t0 & (uint32_t)DR7_WRITABLE) | DR7_FIXED;
    cpu->state.dr[a] = t0;
    cpu_update_breakpoints(cpu);
    return go_on(cpu);
}

/* A pseudo-descriptor is a word and a doubleword, accessed one after the other: SDM vol. 3A 3.5.1.
 */
static uint32_t base_offset(uint32_t b, uint32_t offset) {
    return wrap_offset(offset + 2, b >> 16);
}

HelperResult helper_load_descriptor_table(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0,
                                          uint32_t t1) {
    (void)t1;
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    unsigned segment = b >> 8 & 0xFF;
    uint64_t limit, base;
    if (!cpu_read(cpu, segment, t0, 2, &limit) ||
        !cpu_read(cpu, segment, base_offset(b, t0), 4, &base))
        return HELPER_FAULT;
    DescriptorTable *table = a == 0 ? &cpu->state.gdtr : &cpu->state.idtr;
    table->base = (uint32_t)((b & 0xFF) == 2 ? base & 0xFFFFFF : base);
    table->limit = (uint32_t)limit;
    return go_on(cpu);
}

HelperResult helper_store_descriptor_table(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0,
                                           uint32_t t1) {
    (void)t1;
    if (is_hidden_by_umip(cpu))
        return general_protection(cpu);
    const DescriptorTable *table = a == 0 ? &cpu->state.gdtr : &cpu->state.idtr;
    unsigned segment = b >> 8 & 0xFF;
    uint32_t second = base_offset(b, t0);
    bool good = cpu_check_write(cpu, segment, t0, 2) && cpu_check_write(cpu, segment, second, 4) &&
                cpu_write(cpu, segment, t0, 2, table->limit & 0xFFFF) &&
                cpu_write(cpu, segment, second, 4, table->base);
    return good ? HELPER_NEXT : HELPER_FAULT;
}

/* LLDT and LTR: protected mode, level 0, a system descriptor out of the GDT. */
static bool read_system_descriptor(Cpu *cpu, uint16_t selector, Descriptor *descriptor) {
    if (selector & SELECTOR_LOCAL)
        return selector_fault(cpu, EXCEPTION_GP, selector, 0);
    if (!descriptor_read(cpu, selector, EXCEPTION_GP, 0, descriptor))
        return false;
    return !descriptor_is_segment(descriptor) || selector_fault(cpu, EXCEPTION_GP, selector, 0);
}

HelperResult helper_load_ldtr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    uint16_t selector = (uint16_t)t0;
    if (cpu_is_real_addressing(cpu))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    Segment *ldtr = &cpu->state.segment[SEG_LDTR];
    if (selector_is_null(selector)) {
        segment_load_null(ldtr, selector);
        return HELPER_NEXT;
    }
    Descriptor descriptor;
    if (!read_system_descriptor(cpu, selector, &descriptor))
        return HELPER_FAULT;
    if (descriptor_type(&descriptor) != SYSTEM_LDT)
        return cpu_raise_error(cpu, EXCEPTION_GP, selector & ~(uint32_t)SELECTOR_RPL);
    if (!descriptor_is_present(&descriptor))
        return cpu_raise_error(cpu, EXCEPTION_NP, selector & ~(uint32_t)SELECTOR_RPL);
    segment_load_descriptor(ldtr, selector, &descriptor);
    return HELPER_NEXT;
}

HelperResult helper_load_tr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    uint16_t selector = (uint16_t)t0;
    if (cpu_is_real_addressing(cpu))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.cpl != 0 || selector_is_null(selector))
        return general_protection(cpu);
    Descriptor descriptor;
    if (!read_system_descriptor(cpu, selector, &descriptor))
        return HELPER_FAULT;
    unsigned type = descriptor_type(&descriptor);
    if (type != SYSTEM_TSS16_AVAILABLE && type != SYSTEM_TSS32_AVAILABLE)
        return cpu_raise_error(cpu, EXCEPTION_GP, selector & ~(uint32_t)SELECTOR_RPL);
    if (!descriptor_is_present(&descriptor))
        return cpu_raise_error(cpu, EXCEPTION_NP, selector & ~(uint32_t)SELECTOR_RPL);
    if (!descriptor_set_busy(cpu, &descriptor, true))
        return HELPER_FAULT;
    segment_load_descriptor(&cpu->state.segment[SEG_TR], selector, &descriptor);
    return HELPER_NEXT;
}

static HelperResult store_selector(Cpu *cpu, unsigned segment) {
    if (cpu_is_real_addressing(cpu))
        return cpu_raise(cpu, EXCEPTION_UD);
    if (is_hidden_by_umip(cpu))
        return general_protection(cpu);
    cpu->result = cpu->state.segment[segment].selector;
    return HELPER_NEXT;
}

HelperResult helper_store_ldtr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    return store_selector(cpu, SEG_LDTR);
}

HelperResult helper_store_tr(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    return store_selector(cpu, SEG_TR);
}

/* No limit is checked: the address is a hint, not an access. */
HelperResult helper_invlpg(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)b;
    (void)t1;
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    tlb_flush_page(&cpu->tlb, cpu->state.segment[a].base + t0);
    return go_on(cpu);
}

/* Without process-context identifiers, which need long mode, there is only number 0: SDM vol. 2A.
 */
HelperResult helper_invpcid(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    enum { INDIVIDUAL_ADDRESS, SINGLE_CONTEXT, ALL_WITH_GLOBAL, ALL_BUT_GLOBAL };
    (void)t1;
    uint32_t type = (uint32_t)cpu->state.gpr[b];
    uint64_t context, address;
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    if (!cpu_read(cpu, a, t0, 8, &context) || !cpu_read(cpu, a, t0 + 8, 8, &address))
        return HELPER_FAULT;
    if (type > ALL_BUT_GLOBAL || (type <= SINGLE_CONTEXT && context != 0))
        return general_protection(cpu);
    if (type == INDIVIDUAL_ADDRESS)
        tlb_flush_page(&cpu->tlb, (uint32_t)address);
    else if (type == ALL_WITH_GLOBAL)
        tlb_flush_all(&cpu->tlb);
    else
        system_update_tlb(cpu, true);
    return go_on(cpu);
}

HelperResult helper_cache_control(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    return cpu->state.cpl != 0 ? general_protection(cpu) : go_on(cpu);
}

HelperResult helper_hlt(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    if (cpu->state.cpl != 0)
        return general_protection(cpu);
    cpu->state.halted = 1;
    return go_on(cpu);
}

/* Software can switch the feature off. */
static bool has_monitor(const Cpu *cpu) {
    return cpu_has(cpu, FEATURE_MONITOR) && (cpu->state.misc_enable & MISC_ENABLE_MONITOR);
}

HelperResult helper_monitor(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    if (!has_monitor(cpu) || cpu->state.cpl != 0)
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.gpr[REG_ECX] != 0) /* no extensions */
        return general_protection(cpu);
    return HELPER_NEXT;
}

/* As HLT: with one processor only an interrupt's handler writes what was monitored. */
HelperResult helper_mwait(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    UNUSED_4(a, b, t0, t1);
    if (!has_monitor(cpu) || cpu->state.cpl != 0)
        return cpu_raise(cpu, EXCEPTION_UD);
    if (cpu->state.gpr[REG_ECX] != 0)
        return general_protection(cpu);
    cpu->state.halted = 1;
    return go_on(cpu);
}
