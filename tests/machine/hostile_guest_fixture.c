#include "hostile_guest_fixture.h"
#include "cpu_feature.h"
#include "helpers.h"
#include <string.h>

const char *const hostile_setting_names[HOSTILE_SETTINGS] = {
    "real mode",
    "16-bit protected mode",
    "32-bit protected mode",
    "32-bit paging",
    "PAE",
    "v8086 mode",
    "level 3",
};

enum {
    GDT = 0x1000,
    IDT = 0x1800,
    LDT = 0x2000,
    TSS = 0x2400, /* three of 512 bytes, then a 286 TSS */
    TSS_BYTES = 0x200,
    CODE = 0x10000,
    CODE_BYTES = 0x10000,
    DATA_BYTES = 0x100000, /* everything below is random unless something else lies there */
    PAGE_TABLES = 0x100000,
    PAGE_TABLE_COUNT = 4,
};

/* Selectors of the GDT that is made. */
enum {
    FLAT_CODE = 0x08,
    FLAT_DATA = 0x10,
    CODE_16 = 0x18,
    DATA_16 = 0x20,
    USER_CODE = 0x28,
    USER_DATA = 0x30,
    FIRST_TSS = 0x38,
    TSS_COUNT = 4,
    LDT_SELECTOR = 0x58,
    FIRST_RANDOM = 0x60,
    GDT_ENTRIES = 64,
};

typedef struct Random {
    uint64_t state;
} Random;

/* Marsaglia's xorshift64. */
static uint64_t next(Random *random) {
    uint64_t x = random->state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return random->state = x;
}

static uint32_t below(Random *random, uint32_t limit) {
    return (uint32_t)(next(random) >> 32) % limit;
}

static bool chance(Random *random, uint32_t percent) {
    return below(random, 100) < percent;
}

/* Code: bytes of a template, in which three values stand for something random. */
enum { MODRM = 0x100, ANY = 0x101, REGISTERS = 0x102, PORT = 0x103, END = 0xFFFF };
#define TEMPLATE_BYTES 10
// clang-format off
static const uint16_t templates[][TEMPLATE_BYTES] = {
    /* descriptor tables, selectors, control, debug and test registers */
    {0x0F, 0x00, MODRM, END}, {0x0F, 0x01, MODRM, END}, {0x0F, 0x02, MODRM, END}, {0x0F, 0x03, MODRM, END},
    {0x0F, 0x20, REGISTERS, END}, {0x0F, 0x21, REGISTERS, END}, {0x0F, 0x22, REGISTERS, END}, {0x0F, 0x23, REGISTERS, END},
    {0x0F, 0x24, REGISTERS, END}, {0x0F, 0x26, REGISTERS, END}, {0x0F, 0x06, END}, {0x0F, 0x08, END}, {0x0F, 0x09, END},
    {0xB8, 0x11, ANY, 0x00, ANY, 0x0F, 0x22, 0xC0, END}, {0x0F, 0x20, 0xE0, 0x34, ANY, 0x0F, 0x22, 0xE0, END},
    {0xB8, ANY, 0x04, 0x0F, 0x00, 0x0F, 0x23, 0xF8, END}, {0x8E, MODRM, END}, {0x8C, MODRM, END}, {0x63, MODRM, END},
    {0x06, END}, {0x07, END}, {0x16, END}, {0x17, END}, {0x1E, END}, {0x1F, END}, {0x0F, 0xA1, END}, {0x0F, 0xA9, END},
    {0xC4, MODRM, END}, {0xC5, MODRM, END}, {0x0F, 0xB2, MODRM, END}, {0x0F, 0xB4, MODRM, END}, {0x0F, 0xB5, MODRM, END},
    /* MSRs, counters, CPUID, SYSENTER */
    {0x0F, 0x30, END}, {0x0F, 0x31, END}, {0x0F, 0x32, END}, {0x0F, 0x33, END}, {0x0F, 0x34, END}, {0x0F, 0x35, END},
    {0x0F, 0xA2, END}, {0xB9, ANY, 0x02, 0x00, 0x00, 0x0F, 0x30, END}, {0xB9, ANY, ANY, 0x00, 0x00, 0x0F, 0x32, END},
    {0xB9, 0x80, 0x00, 0x00, 0xC0, 0x0F, 0x30, END}, {0xB9, 0x1B, 0x00, 0x00, 0x00, 0x0F, 0x30, END}, {0x0F, 0xC7, MODRM, END},
    /* transfers */
    {0xCF, END}, {0xCD, ANY, END}, {0xCC, END}, {0xCE, END}, {0xF1, END}, {0xEA, ANY, ANY, ANY, 0x00, END}, {0x9A, ANY, ANY, ANY, 0x00, END},
    {0xEA, ANY, ANY, 0x01, 0x00, ANY, 0x00, END}, {0x9A, ANY, ANY, 0x01, 0x00, ANY, 0x00, END}, {0xCA, ANY, 0x00, END}, {0xCB, END},
    {0xFF, MODRM, END}, {0xEB, ANY, END}, {0xE9, ANY, ANY, 0x00, 0x00, END}, {0xE8, ANY, ANY, 0x00, 0x00, END}, {0xC3, END}, {0xC2, ANY, 0x00, END},
    {0x74, ANY, END}, {0x7C, ANY, END}, {0xE2, ANY, END}, {0xE3, ANY, END}, {0xC8, ANY, 0x00, ANY, END}, {0xC9, END}, {0x62, MODRM, END},
    /* ports */
    {0xE4, PORT, END}, {0xE5, PORT, END}, {0xE6, PORT, END}, {0xE7, PORT, END}, {0xEC, END}, {0xED, END}, {0xEE, END}, {0xEF, END},
    {0x6C, END}, {0x6D, END}, {0x6E, END}, {0x6F, END}, {0x66, 0xBA, ANY, 0x03, 0xEE, END}, {0xBA, ANY, 0x03, 0x00, 0x00, 0xEF, END},
    {0x66, 0xBA, ANY, 0x01, 0xEC, END}, {0x66, 0xBA, 0xF8, 0x0C, 0xEF, END}, {0x66, 0xBA, 0xFC, 0x0C, 0xEF, END},
    /* strings */
    {0xF3, 0xA4, END}, {0xF3, 0xA5, END}, {0xF3, 0xAB, END}, {0xF3, 0x66, 0xAB, END}, {0xF2, 0xA6, END}, {0xF3, 0xAF, END}, {0xF3, 0x6C, END}, {0xF3, 0x6E, END},
    {0x66, 0xB9, ANY, 0x00, 0xF3, 0xAA, END}, {0xA4, END}, {0xAB, END}, {0xAD, END}, {0xFC, END}, {0xFD, END},
    /* flags, stack */
    {0x9C, END}, {0x9D, END}, {0x66, 0x9D, END}, {0x68, ANY, ANY, ANY, 0x00, 0x9D, END}, {0x68, ANY, ANY, 0x00, 0x00, 0x9D, END}, {0xFA, END}, {0xFB, END},
    {0x60, END}, {0x61, END}, {0x54, END}, {0x5C, END}, {0xBC, ANY, ANY, 0x02, 0x00, END}, {0x50, END}, {0x5B, END}, {0xFF, MODRM, END}, {0x8F, MODRM, END},
    /* stores near the code, arithmetic, x87, vectors */
    {0xC6, 0x05, ANY, ANY, 0x01, 0x00, ANY, END}, {0xC7, 0x06, ANY, ANY, ANY, ANY, END}, {0x89, MODRM, END}, {0x01, MODRM, END}, {0x8B, MODRM, END}, {0xF0, 0x0F, 0xB1, MODRM, END},
    {0xBF, ANY, ANY, 0x01, 0x00, END}, {0xBE, ANY, ANY, 0x01, 0x00, END}, {0xBB, ANY, ANY, 0x0B, 0x00, END}, {0xF7, MODRM, END}, {0xD3, MODRM, END}, {0x0F, 0xA5, MODRM, END},
    {0xD8, MODRM, END}, {0xD9, MODRM, END}, {0xDA, MODRM, END}, {0xDB, MODRM, END}, {0xDC, MODRM, END}, {0xDD, MODRM, END}, {0xDE, MODRM, END}, {0xDF, MODRM, END}, {0x9B, END},
    {0x0F, ANY, MODRM, END}, {0x66, 0x0F, ANY, MODRM, END}, {0xF3, 0x0F, ANY, MODRM, END}, {0xF2, 0x0F, ANY, MODRM, END}, {0x0F, 0xAE, MODRM, END}, {0x66, 0x67, ANY, MODRM, END},
    {0x0F, 0x38, ANY, MODRM, END}, {0x66, 0x0F, 0x3A, ANY, MODRM, END}, {0x65, 0x8B, MODRM, END}, {0x36, 0x89, MODRM, END}, {0x2E, 0xFF, MODRM, END},
};
// clang-format on
enum { TEMPLATES = sizeof(templates) / sizeof(templates[0]) };

/* Ports whose devices an idle machine has: chips of the board, and PCI configuration. */
static const uint8_t low_ports[] = {0x00, 0x08, 0x0A, 0x0B, 0x0C, 0x0F, 0x20, 0x21, 0x40,
                                    0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x81, 0x92,
                                    0xA0, 0xA1, 0xB2, 0xB3, 0xC0, 0xD4, 0xD6, 0xDA, 0xF0};

static uint8_t template_byte(Random *random, uint16_t value) {
    switch (value) {
    case MODRM:
    case ANY:
        return (uint8_t)below(random, 256);
    case REGISTERS:
        return (uint8_t)(0xC0 | below(random, 64));
    case PORT:
        return low_ports[below(random, sizeof(low_ports))];
    default:
        return (uint8_t)value;
    }
}

/* Appends one instruction, or random bytes that may be one. */
static size_t put_code(Random *random, uint8_t *code, size_t room) {
    size_t count = 0;
    if (chance(random, 30)) {
        size_t bytes = 1 + below(random, 8);
        while (count < bytes && count < room)
            code[count++] = (uint8_t)below(random, 256);
        return count;
    }
    const uint16_t *template = templates[below(random, TEMPLATES)];
    if (chance(random, 10))
        code[count++] = 0x66;
    for (unsigned i = 0; template[i] != END && count < room; i++)
        code[count++] = template_byte(random, template[i]);
    return count;
}

static void put(uint8_t *ram, uint32_t address, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        ram[address + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t access, uint32_t flags) {
    return (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit >> 16 & 0xF) << 48 | (uint64_t)flags << 52 |
           (uint64_t)(base >> 24) << 56;
}

/* Random in what matters: type, privilege, presence; a base within reach. */
static uint64_t random_descriptor(Random *random) {
    uint32_t access = below(random, 256) | (chance(random, 80) ? 0x80 : 0);
    uint32_t base = chance(random, 80) ? below(random, DATA_BYTES) : (uint32_t)next(random);
    if (!(access & 0x10) && chance(random, 70)) { /* a gate into the code */
        uint32_t selector = 8 * below(random, FIRST_RANDOM / 8);
        uint32_t offset = CODE + below(random, CODE_BYTES);
        return (offset & 0xFFFF) | selector << 16 | (uint64_t)(access << 8) << 32 |
               (uint64_t)(below(random, 4)) << 32 | (uint64_t)(offset >> 16) << 48;
    }
    return descriptor(base, below(random, 0x100000), access, below(random, 16));
}

static uint64_t random_gate(Random *random) {
    static const uint8_t types[] = {0xE, 0xE, 0xE, 0xF, 0xF, 0x6, 0x7, 0x5};
    uint32_t type = chance(random, 95) ? types[below(random, sizeof(types))] : below(random, 32);
    uint32_t selector = chance(random, 90) ? FLAT_CODE : 8 * below(random, GDT_ENTRIES);
    if (type == 5)
        selector = FIRST_TSS + 8 * below(random, TSS_COUNT);
    uint32_t offset = CODE + below(random, CODE_BYTES);
    uint32_t access = (chance(random, 97) ? 0x80u : 0u) | below(random, 4) << 5 | type;
    return (offset & 0xFFFF) | selector << 16 | (uint64_t)access << 40 |
           (uint64_t)(offset >> 16) << 48;
}

static void make_tss(Random *random, uint8_t *ram, uint32_t address) {
    for (unsigned level = 0; level < 3; level++) {
        put(ram, address + 4 + 8 * level, 0x8000 + below(random, 0x4000), 4);
        put(ram, address + 8 + 8 * level, FLAT_DATA, 4);
    }
    put(ram, address, chance(random, 50) ? FIRST_TSS + 8 * below(random, TSS_COUNT) : 0, 4);
    put(ram, address + 0x1C, PAGE_TABLES, 4);
    put(ram, address + 0x20, CODE + below(random, CODE_BYTES), 4);
    put(ram, address + 0x24, below(random, 0x40000), 4);
    put(ram, address + 0x38, 0x8000 + below(random, 0x4000), 4);
    static const uint16_t segments[6] = {FLAT_DATA, FLAT_CODE, FLAT_DATA,
                                         FLAT_DATA, USER_DATA, DATA_16};
    for (unsigned i = 0; i < 6; i++)
        put(ram, address + 0x48 + 4 * i,
            chance(random, 90) ? segments[i] : 8 * below(random, GDT_ENTRIES), 4);
    put(ram, address + 0x60, chance(random, 50) ? LDT_SELECTOR : 0, 4);
    put(ram, address + 0x64, below(random, 2) | 0x68 << 16, 4);
}

static void make_tables(Random *random, uint8_t *ram, bool protected_mode) {
    if (!protected_mode) {
        for (unsigned vector = 0; vector < 256; vector++)
            put(ram, 4 * vector, (CODE + below(random, 0x10000)) | (uint32_t)(CODE >> 4) << 16, 4);
        return;
    }
    static const uint64_t fixed[] = {0x0000000000000000, 0x00CF9A000000FFFF, 0x00CF92000000FFFF,
                                     0x00009A000000FFFF, 0x000092000000FFFF, 0x00CFFA000000FFFF,
                                     0x00CFF2000000FFFF};
    for (unsigned i = 0; i < GDT_ENTRIES; i++)
        put(ram, GDT + 8 * i, i < FIRST_TSS / 8 ? fixed[i] : random_descriptor(random), 8);
    for (unsigned i = 0; i < TSS_COUNT; i++) {
        uint32_t address = TSS + i * TSS_BYTES;
        make_tss(random, ram, address);
        uint32_t access = (i == TSS_COUNT - 1 ? 0x81u : 0x89u) | below(random, 4) << 5;
        put(ram, GDT + FIRST_TSS + 8 * i, descriptor(address, TSS_BYTES - 1, access, 0), 8);
    }
    put(ram, GDT + LDT_SELECTOR, descriptor(LDT, 0x1FF, 0x82, 0), 8);
    for (unsigned i = 0; i < 0x200; i += 8)
        put(ram, LDT + i, random_descriptor(random), 8);
    for (unsigned vector = 0; vector < 256; vector++)
        put(ram, IDT + 8 * vector, random_gate(random), 8);
}

/* One to one for the first megabytes but for some entries, which are anything: absent, read-only,
 * elsewhere, the tables themselves, devices, with reserved bits. */
static uint64_t random_entry(Random *random, uint64_t usual, bool pae) {
    if (chance(random, 90))
        return usual;
    uint32_t frame = chance(random, 50) ? below(random, 0x400) << 12 : (uint32_t)next(random);
    uint64_t entry = (frame & 0xFFFFF000) | below(random, 0x1000);
    if (pae && chance(random, 30))
        entry |= next(random) << 32;
    return entry;
}

static void make_page_tables(Random *random, uint8_t *ram, bool pae) {
    unsigned size = pae ? 8 : 4, count = PAGE_SIZE / size;
    uint32_t directory = PAGE_TABLES + (pae ? PAGE_SIZE : 0), table = PAGE_TABLES + 2 * PAGE_SIZE;
    if (pae)
        for (unsigned i = 0; i < 4; i++)
            put(ram, PAGE_TABLES + 8 * i, directory | 1, 8);
    for (unsigned i = 0; i < count; i++) {
        uint64_t usual = i < PAGE_TABLE_COUNT ? (table + i * PAGE_SIZE) | 7 : 0xE7 | i << 22;
        put(ram, directory + i * size,
            i == 0 ? usual : random_entry(random, pae ? usual & 0xFFE001FF : usual, pae), size);
    }
    for (unsigned i = 0; i < PAGE_TABLE_COUNT * count; i++) {
        uint32_t page = i << PAGE_BITS;
        bool needed = page >= GDT && page < CODE + CODE_BYTES && chance(random, 95);
        uint64_t usual = page | 7;
        put(ram, table + i * size, needed ? usual : random_entry(random, usual, pae), size);
    }
}

static void set_segment(Segment *segment, uint16_t selector, uint32_t base, uint32_t limit,
                        uint16_t access) {
    *segment = (Segment){.selector = selector, .access = access, .base = base, .limit = limit};
    segment_classify(segment);
}

static void set_protected(CpuState *state, HostileSetting setting) {
    bool wide = setting != HOSTILE_PROTECTED_16, user = setting == HOSTILE_USER;
    uint16_t code = user ? USER_CODE | 3 : wide ? FLAT_CODE : CODE_16;
    uint16_t data = user ? USER_DATA | 3 : wide ? FLAT_DATA : DATA_16;
    uint16_t access = (uint16_t)((wide ? ACCESS_DB | ACCESS_G : 0) | (user ? ACCESS_DPL : 0));
    uint32_t limit = wide ? 0xFFFFFFFF : 0xFFFF, base = 0;
    state->cr0 |= CR0_PE;
    state->cpl = user ? 3 : 0;
    state->gdtr = (DescriptorTable){GDT, 8 * GDT_ENTRIES - 1};
    state->idtr = (DescriptorTable){IDT, 8 * 256 - 1};
    for (unsigned i = 0; i < SEG_COUNT; i++)
        set_segment(&state->segment[i], i == SEG_CS ? code : data, base, limit,
                    (uint16_t)(access | (i == SEG_CS ? 0x9B : 0x93)));
    set_segment(&state->segment[SEG_TR], FIRST_TSS, TSS, TSS_BYTES - 1, 0x8B);
    set_segment(&state->segment[SEG_LDTR], LDT_SELECTOR, LDT, 0x1FF, 0x82);
    if (!wide)
        set_segment(&state->segment[SEG_CS], code, CODE, limit, 0x9B);
}

static void set_registers(Random *random, CpuState *state, HostileSetting setting) {
    bool is_32 =
        setting != HOSTILE_REAL && setting != HOSTILE_V8086 && setting != HOSTILE_PROTECTED_16;
    for (unsigned i = 0; i < 8; i++)
        state->gpr[i] = chance(random, 80) ? below(random, DATA_BYTES) : (uint32_t)next(random);
    state->gpr[REG_ECX] = chance(random, 80) ? below(random, 0x400) : (uint32_t)next(random);
    state->gpr[REG_ESP] = is_32 ? 0x8000 + below(random, 0x8000) : below(random, 0x10000);
    state->eip = below(random, CODE_BYTES) + (is_32 ? (uint32_t)CODE : 0);
    if (setting == HOSTILE_REAL || setting == HOSTILE_V8086)
        set_segment(&state->segment[SEG_CS], CODE >> 4, CODE, 0xFFFF,
                    setting == HOSTILE_REAL ? 0x93 : 0xF3);
}

void hostile_guest_make(Machine *machine, HostileSetting setting, uint64_t seed) {
    Random random = {.state = seed * 0x9E3779B97F4A7C15 + 0x123456789ABCDEF};
    uint8_t *ram = physical_map_ram(machine->memory);
    Cpu *cpu = machine->cpu;
    CpuState *state = &cpu->state;
    for (uint32_t page = 0; page < HOSTILE_RAM_BYTES / PAGE_SIZE; page++)
        physical_map_mark_page(machine->memory, &physical_map_ram_flags(machine->memory)[page],
                               PAGE_DIRTY_ALL);
    for (uint32_t i = 0; i < DATA_BYTES; i += 8)
        put(ram, i, next(&random), 8);
    for (uint32_t i = 0; i < CODE_BYTES;)
        i += (uint32_t)put_code(&random, ram + CODE + i, CODE_BYTES - i);
    make_tables(&random, ram, setting != HOSTILE_REAL);
    uint32_t eflags = FLAG_1 | (chance(&random, 50) ? FLAG_IF : 0);
    if (setting != HOSTILE_REAL)
        set_protected(state, setting);
    if (setting >= HOSTILE_PAGED && (setting <= HOSTILE_PAE || chance(&random, 50))) {
        bool pae = setting == HOSTILE_PAE;
        make_page_tables(&random, ram, pae);
        state->cr3 = PAGE_TABLES;
        state->cr0 |= CR0_PG | (chance(&random, 50) ? CR0_WP : 0);
        state->cr4 = pae ? CR4_PAE : CR4_PSE;
        for (unsigned i = 0; i < 4 && pae; i++)
            state->pdpte[i] = (PAGE_TABLES + PAGE_SIZE) | 1;
        state->efer = pae && cpu_has(cpu, FEATURE_NX) && chance(&random, 50) ? 1 << 11 : 0;
    }
    if (chance(&random, 30))
        state->cr4 |= CR4_PGE | CR4_VME | CR4_PVI | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (setting == HOSTILE_V8086) {
        eflags |= FLAG_VM | below(&random, 4) << 12;
        state->cpl = 3;
        for (unsigned i = 0; i < SEG_COUNT; i++)
            set_segment(&state->segment[i], 0x800, 0x8000, 0xFFFF, 0xF3);
    }
    set_registers(&random, state, setting);
    cpu_set_eflags(cpu, eflags);
    cpu_state_restored(cpu);
    translator_flush(machine->translator);
}
