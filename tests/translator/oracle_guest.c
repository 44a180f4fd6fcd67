/* See oracle_guest.h.
 *
 * The guest's own tables, ring 0 stack and exception handlers lie far from what cases use. A case
 * begins with a few instructions of ring 0 that load segments and x87 and return to CPL 3; it ends
 * in the HLT that its exception's gate leads to, with the frame on the ring 0 stack. */
#include "oracle_guest.h"
#include "descriptor.h"
#include "helpers.h"
#include "little_endian.h"
#include <string.h>

enum {
    TABLES = 0x100000, /* physical: page directory, two page tables, then the area below */
    AREA = TABLES + 0x3000,
    AREA_BYTES = 0x3000,
    GDT = 0,
    LDT = 0x100,
    TSS = 0x200,
    SEGMENTS = 0x300,
    FPU_IMAGE = 0x310,
    ENTRY = 0x400,
    HANDLERS = 0x500,
    IDT = 0x800,
    STACK_TOP = 0x2FF0,
    FRAME_BYTES = 20,
    RING0_CS = 0x08,
    RING0_DS = 0x18,
    TSS_SELECTOR = 0x40,
    LDT_SELECTOR = 0x50,
    RUN_LIMIT = 1 << 20,
};
#define AREA_LINEAR UINT32_C(0xB7C5A000)

static void put(Guest *guest, uint32_t address, uint64_t value, unsigned size) {
    physical_write(guest->map, address, size, value);
}

static void put_page(Guest *guest, uint32_t table, uint32_t linear, uint32_t physical,
                     unsigned rights) {
    put(guest, table + 4 * (linear >> 12 & 0x3FF), physical | rights, 4);
}

static void make_pages(Guest *guest) {
    enum { PRESENT = 1, WRITE = 2, USER = 4 };
    put(guest, TABLES, (TABLES + 0x1000) | 7, 4);
    put(guest, TABLES + 4 * (AREA_LINEAR >> 22), (TABLES + 0x2000) | 7, 4);
    for (uint32_t page = 0; page < ORACLE_BYTES; page += ORACLE_PAGE) {
        uint32_t linear = ORACLE_BASE + page;
        unsigned rights = PRESENT | USER | (linear == ORACLE_READ_ONLY ? 0 : WRITE);
        if (oracle_is_mapped(linear))
            put_page(guest, TABLES + 0x1000, linear, linear, rights);
    }
    for (uint32_t page = 0; page < AREA_BYTES; page += ORACLE_PAGE)
        put_page(guest, TABLES + 0x2000, AREA_LINEAR + page, AREA + page, PRESENT | WRITE);
}

static uint64_t make_descriptor(const OracleDescriptor *from) {
    enum { SEGMENT_DPL3 = 0x70, PRESENT = 0x80 };
    uint64_t access = from->type | SEGMENT_DPL3 | (from->absent ? 0 : PRESENT);
    uint64_t bits = (from->wide ? 4u : 0) | (from->pages ? 8u : 0) | 1; /* D, G; AVL */
    return (from->limit & 0xFFFF) | (uint64_t)(from->base & 0xFFFFFF) << 16 | access << 40 |
           (uint64_t)(from->limit >> 16 & 0xF) << 48 | bits << 52 |
           (uint64_t)(from->base >> 24) << 56;
}

/* As Linux has them on x86-64 (arch/x86/include/asm/segment.h in its sources), but that 08h, which
 * processes cannot load anyway, is this guest's code segment. */
static void make_tables(Guest *guest) {
    static const uint64_t gdt[16] = {
        [1] = 0x00CF9B000000FFFF, [2] = 0x00AF9B000000FFFF, [3] = 0x00CF93000000FFFF,
        [4] = 0x00CFFB000000FFFF, [5] = 0x00CFF3000000FFFF, [6] = 0x00AFFB000000FFFF,
    };
    for (unsigned i = 0; i < 16; i++)
        put(guest, AREA + GDT + 8 * i, gdt[i], 8);
    for (unsigned i = 0; i < ORACLE_LDT_COUNT; i++)
        put(guest, AREA + LDT + 8 * i, make_descriptor(&oracle_descriptors[i]), 8);
    for (unsigned vector = 0; vector < 256; vector++) {
        uint32_t handler = AREA_LINEAR + HANDLERS + vector;
        bool is_callable = vector == EXCEPTION_BP || vector == EXCEPTION_OF;
        put(guest, AREA + IDT + 8 * vector,
            (uint64_t)(handler >> 16) << 48 | (is_callable ? 0xEE00ull : 0x8E00ull) << 32 |
                (uint64_t)RING0_CS << 16 | (handler & 0xFFFF),
            8);
        put(guest, AREA + HANDLERS + vector, 0xF4, 1); /* hlt */
    }
    put(guest, AREA + TSS + 4, AREA_LINEAR + STACK_TOP, 4);
    put(guest, AREA + TSS + 8, RING0_DS, 4);
    put(guest, AREA + TSS + 100, 104u << 16, 4); /* no I/O permission map */
}

static void make_entry(Guest *guest) {
    static const struct {
        uint8_t bytes[3];
        uint16_t operand;
    } loads[] = {
        {{0x2E, 0x8E, 0x05}, SEGMENTS + 2 * SEG_ES}, /* mov es, cs:[...] and so on */
        {{0x2E, 0x8E, 0x1D}, SEGMENTS + 2 * SEG_DS},
        {{0x2E, 0x8E, 0x25}, SEGMENTS + 2 * SEG_FS},
        {{0x2E, 0x8E, 0x2D}, SEGMENTS + 2 * SEG_GS},
        {{0x2E, 0xDD, 0x25}, FPU_IMAGE}, /* frstor cs:[...] */
    };
    static const uint8_t initialise[] = {0xDB, 0xE3}; /* fninit: FRSTOR waits for exceptions */
    uint32_t at = AREA + ENTRY;
    physical_write_bytes(guest->map, at, initialise, sizeof(initialise));
    at += sizeof(initialise);
    for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]); i++, at += 7) {
        physical_write_bytes(guest->map, at, loads[i].bytes, 3);
        put(guest, at + 3, AREA_LINEAR + loads[i].operand, 4);
    }
    put(guest, at, 0xCF, 1); /* iret */
}

void oracle_guest_open(Guest *guest, const TranslatorOptions *options, uint64_t features) {
    guest_create_model(guest, options, "max");
    guest->cpu->features[0] |= features;
    guest_enter_flat_mode(guest, TABLES, 0, false);
    make_pages(guest);
    make_tables(guest);
    make_entry(guest);
    CpuState *state = &guest->cpu->state;
    state->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    state->cr3 = TABLES;
    state->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    state->gdtr = (DescriptorTable){AREA_LINEAR + GDT, 16 * 8 - 1};
    state->idtr = (DescriptorTable){AREA_LINEAR + IDT, 256 * 8 - 1};
    state->segment[SEG_SS].selector = RING0_DS;
    state->segment[SEG_LDTR] = (Segment){.selector = LDT_SELECTOR,
                                         .access = 0x82,
                                         .base = AREA_LINEAR + LDT,
                                         .limit = 8 * ORACLE_LDT_COUNT - 1};
    state->segment[SEG_TR] = (Segment){
        .selector = TSS_SELECTOR, .access = 0x8B, .base = AREA_LINEAR + TSS, .limit = 103};
    cpu_state_restored(guest->cpu);
}

bool oracle_guest_owns(uint32_t address) {
    return address - (AREA_LINEAR - ORACLE_PAGE) < AREA_BYTES + 2 * ORACLE_PAGE;
}

static uint32_t read_32(const Guest *guest, uint32_t address) {
    return load_le32(guest->ram + address);
}

static void put_fpu(const FpuState *fpu, OracleState *state) {
    unsigned top = fpu->status >> 11 & 7;
    state->control = fpu->control;
    state->status = fpu->status;
    state->opcode = fpu->opcode;
    state->ip = fpu->ip;
    state->dp = fpu->dp;
    state->mxcsr = fpu->mxcsr;
    state->tags = 0;
    for (unsigned i = 0; i < 8; i++) {
        const struct FpuRegister *from = &fpu->st[(top + i) & 7];
        store_le64(state->st[i], from->significand);
        store_le16(state->st[i] + 8, from->sign_exponent);
        if ((fpu->tags >> 2 * i & 3) != 3)
            state->tags |= (uint16_t)(1 << i);
        memcpy(state->xmm[i], fpu->xmm[i], 16);
    }
}

static bool read_state(const Guest *guest, OracleState *out) {
    const CpuState *state = &guest->cpu->state;
    uint32_t vector = state->eip - 1 - (AREA_LINEAR + HANDLERS);
    uint32_t frame = AREA + STACK_TOP - FRAME_BYTES, esp = (uint32_t)state->gpr[REG_ESP];
    memset(out, 0, sizeof(*out));
    if (!state->halted || vector >= 256)
        return false;
    out->vector = vector;
    if (esp < AREA_LINEAR + STACK_TOP - FRAME_BYTES)
        out->error_code = read_32(guest, frame - 4);
    if (vector == EXCEPTION_PF)
        out->cr2 = state->cr2;
    for (unsigned i = 0; i < 8; i++)
        out->gpr[i] = (uint32_t)state->gpr[i];
    out->eip = read_32(guest, frame);
    out->eflags = read_32(guest, frame + 8);
    out->gpr[REG_ESP] = read_32(guest, frame + 12);
    for (unsigned s = 0; s < SEG_COUNT; s++)
        out->segment[s] = state->segment[s].selector;
    out->segment[SEG_CS] = (uint16_t)read_32(guest, frame + 4);
    out->segment[SEG_SS] = (uint16_t)read_32(guest, frame + 16);
    put_fpu(&state->fpu, out);
    return true;
}

bool oracle_guest_run(Guest *guest, const OracleInput *input, OracleState *state) {
    CpuState *cpu = &guest->cpu->state;
    const uint32_t frame[] = {input->eip, input->segment[SEG_CS], input->eflags,
                              input->gpr[REG_ESP], input->segment[SEG_SS]};
    for (uint32_t s = 0; s < SEG_COUNT; s++)
        put(guest, AREA + SEGMENTS + 2 * s, input->segment[s], 2);
    physical_write_bytes(guest->map, AREA + FPU_IMAGE, input->fpu, sizeof(input->fpu));
    for (uint32_t i = 0; i < sizeof(frame) / sizeof(frame[0]); i++)
        put(guest, AREA + STACK_TOP - FRAME_BYTES + 4 * i, frame[i], 4);
    for (unsigned i = 0; i < 8; i++)
        cpu->gpr[i] = input->gpr[i];
    cpu->gpr[REG_ESP] = AREA_LINEAR + STACK_TOP - FRAME_BYTES;
    memcpy(cpu->fpu.xmm, input->xmm, sizeof(input->xmm));
    cpu->fpu.mxcsr = input->mxcsr;
    cpu->eip = AREA_LINEAR + ENTRY;
    cpu->halted = 0;
    cpu->cr2 = 0;
    cpu->dr[6] = 0xFFFF0FF0;
    cpu->instruction_count = 0;
    guest_run(guest, RUN_LIMIT);
    return read_state(guest, state);
}
