/* A processor over 4 MB of RAM with a small protected-mode system laid out in it.
 *
 * Everything is identity-mapped. The tables stand at fixed places; the selectors below name what
 * the GDT holds. A test changes single entries and calls helpers as translated code would. */
#ifndef REPRISE_CPU_FIXTURE_H
#define REPRISE_CPU_FIXTURE_H

#include "cpu_debug.h"
#include "cpu_feature.h"
#include "cpu_model.h"
#include "descriptor.h"
#include "helpers.h"

enum {
    GDT = 0x1000,
    LDT = 0x1800,
    IDT = 0x2000,
    TSS = 0x3000, /* the running task's, 32-bit, with an I/O map that allows everything in the first
                     256 ports */
    TSS_OTHER = 0x3800, /* another 32-bit one */
    TSS_286 = 0x3C00,
    PAGE_DIRECTORY = 0x8000,
    PAGE_TABLE = 0x9000,
    CODE = 0x10000,
    KERNEL_STACK = 0x20000, /* grows down from here, as the others */
    RING1_STACK = 0x24000,
    USER_STACK = 0x28000,
    HANDLER = 0x12000, /* handler of vector n: HANDLER + n * 16 */
    DATA = 0x40000,
    TSS_IO_MAP = 0x88, /* offset in TSS; 32 bytes of the VME redirection map stand before it */
    TSS_LIMIT = TSS_IO_MAP + 32,
};

/* Selectors in the GDT. */
enum {
    KERNEL_CODE = 0x08,
    KERNEL_DATA = 0x10,
    USER_CODE = 0x1B,
    USER_DATA = 0x23,
    TSS_SELECTOR = 0x28,
    TSS_OTHER_SELECTOR = 0x30,
    TSS_286_SELECTOR = 0x38,
    LDT_SELECTOR = 0x40,
    CONFORMING_CODE = 0x48, /* DPL 0 */
    READ_ONLY_DATA = 0x50,  /* DPL 3 */
    EXPAND_DOWN = 0x58,     /* DPL 3, limit FFFh, 16-bit */
    ABSENT_DATA = 0x60,     /* DPL 3 */
    ABSENT_CODE = 0x68,     /* DPL 0 */
    CALL_GATE = 0x70,       /* DPL 3, to KERNEL_CODE:HANDLER, two parameters */
    TASK_GATE = 0x78,       /* DPL 3, to TSS_OTHER */
    EXECUTE_ONLY = 0x80,    /* DPL 3 */
    RING1_CODE = 0x89,
    RING1_DATA = 0x91,
    CODE16 = 0x98,        /* DPL 0, limit FFFFh */
    STACK16 = 0xA0,       /* DPL 0, limit FFFFh */
    SMALL_DATA = 0xA8,    /* DPL 3, base DATA, limit FFh */
    CALL_GATE_286 = 0xB0, /* DPL 3, to KERNEL_CODE, one parameter */
    ABSENT_STACK = 0xB8,  /* DPL 0 */
    GDT_LIMIT = 0xC7,
    BEYOND_GDT = 0xC8,
};

typedef struct CpuFixture {
    PhysicalMap *map;
    PortMap *ports;
    VirtualClock clock;
    Trace trace;
    Cpu *cpu;
    CpuState before; /* as fixture_save() found it */
} CpuFixture;

/* In real mode after RESET, with the tables above in memory. */
CpuFixture *fixture_create(const char *model);
void fixture_destroy(CpuFixture *fixture);

/* Into 32-bit protected mode, flat segments, at this privilege (0, 1 or 3), EIP at CODE, interrupts
 * on. */
void fixture_enter_protected(CpuFixture *fixture, unsigned cpl);
/* Into v8086 mode: CS 1000h, SS 2000h:0800h, DS 4000h, ES 4100h, FS 4200h, GS 4300h. */
void fixture_enter_v8086(CpuFixture *fixture, unsigned iopl);
/* Paging on with the first 4 MB mapped to themselves, user and writable. */
void fixture_enable_paging(CpuFixture *fixture);
/* Replaces one page's entry. */
void fixture_set_page(CpuFixture *fixture, uint32_t linear, uint32_t entry);

void fixture_set_segment(CpuFixture *fixture, uint32_t table, unsigned selector, uint32_t base,
                         uint32_t limit, uint32_t access);
void fixture_set_gate(CpuFixture *fixture, uint32_t table, unsigned selector, uint16_t target,
                      uint32_t offset, uint32_t access, unsigned parameters);
/* An IDT entry for 'vector' to HANDLER + vector * 16 in KERNEL_CODE, of this access byte. */
void fixture_set_vector(CpuFixture *fixture, unsigned vector, uint32_t access);

uint32_t fixture_load(CpuFixture *fixture, uint32_t address, unsigned size);
void fixture_store(CpuFixture *fixture, uint32_t address, unsigned size, uint32_t value);

/* Remembers the state; later compares with it. */
void fixture_save(CpuFixture *fixture);
void fixture_expect_unchanged(CpuFixture *fixture);

/* Runs a helper; the instruction is taken to be two bytes long. */
HelperResult fixture_call(CpuFixture *fixture, HelperFunction *helper, uint32_t a, uint32_t b,
                          uint32_t t0, uint32_t t1);
/* The helper must fault with this, and change nothing. */
void fixture_expect_fault(CpuFixture *fixture, HelperFunction *helper, uint32_t a, uint32_t b,
                          uint32_t t0, uint32_t t1, unsigned vector, uint32_t error_code);
/* The state now: CS:EIP, CPL. */
void fixture_expect_at(CpuFixture *fixture, uint16_t cs, uint32_t eip, unsigned cpl);
/* The 32-bit value 'index' above the top of the stack. */
uint32_t fixture_stacked(CpuFixture *fixture, unsigned index);

#define GPR(fixture, reg) ((uint32_t)(fixture)->cpu->state.gpr[reg])

#endif
