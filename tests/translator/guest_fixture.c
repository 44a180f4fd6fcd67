/* See guest_fixture.h. */
#include "guest_fixture.h"
#include "cpu_model.h"
#include "helpers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail_if(bool condition, const char *what, const Error *error) {
    if (condition) {
        fprintf(stderr, "%s: %s\n", what, error->message);
        abort();
    }
}

static int64_t instruction_clock(void *opaque) {
    return (int64_t)((Guest *)opaque)->cpu->state.instruction_count;
}

static int acknowledge(void *opaque) {
    Guest *guest = opaque;
    cpu_set_intr(guest->cpu, 0, 0);
    return 0x20;
}

void guest_create(Guest *guest, const TranslatorOptions *options) {
    guest_create_model(guest, options, "pentium4");
}

void guest_create_model(Guest *guest, const TranslatorOptions *options, const char *model_name) {
    Error error = {0};
    CpuModel model;
    fail_if(!cpu_model_parse(model_name, &model, &error), "CPU model", &error);
    memset(guest, 0, sizeof(*guest));
    guest->map = physical_map_create(GUEST_RAM_BYTES, &error);
    fail_if(guest->map == NULL, "RAM", &error);
    guest->ports = port_map_create();
    clock_init(&guest->clock);
    guest->trace.output = stderr;
    if (getenv("REPRISE_TRACE") != NULL) /* a list as for -d, to see what a failing test does */
        fail_if(!trace_parse(&guest->trace, getenv("REPRISE_TRACE"), &error), "REPRISE_TRACE",
                &error);
    physical_map_set_a20(guest->map, true);
    guest->cpu = cpu_create(guest->map, guest->ports, &guest->clock, &guest->trace, &model, &error);
    fail_if(guest->cpu == NULL, "CPU", &error);
    guest->cpu->acknowledge_interrupt = acknowledge;
    guest->cpu->acknowledge_opaque = guest;
    guest->clock.source = instruction_clock;
    guest->clock.source_opaque = guest;
    guest->translator = translator_create(guest->cpu, options, &error);
    fail_if(guest->translator == NULL, "translator", &error);
    guest->ram = physical_map_ram(guest->map);
}

void guest_destroy(Guest *guest) {
    translator_destroy(guest->translator);
    cpu_destroy(guest->cpu);
    clock_destroy(&guest->clock);
    port_map_destroy(guest->ports);
    physical_map_destroy(guest->map);
}

void guest_enter_real_mode(Guest *guest, uint16_t segment, uint16_t ip) {
    for (unsigned s = 0; s < SEG_COUNT; s++)
        segment_load_real(guest->cpu, s, segment);
    guest->cpu->state.eip = ip;
}

static void put(Guest *guest, uint32_t address, uint64_t value, unsigned size) {
    physical_write(guest->map, address, size, value);
}

static void set_flat_segment(Cpu *cpu, unsigned s, uint16_t selector, uint16_t access) {
    cpu->state.segment[s] = (Segment){.selector = selector, .access = access, .limit = UINT32_MAX};
    segment_classify(&cpu->state.segment[s]);
}

static void make_tables(Guest *guest, uint32_t tables) {
    put(guest, tables + 0, 0, 8);
    put(guest, tables + 8, 0x00CF9B000000FFFF, 8);  /* code, 32 bits, flat */
    put(guest, tables + 16, 0x00CF93000000FFFF, 8); /* data, flat */
    uint32_t handler = tables + 0x900;
    for (unsigned vector = 0; vector < 256; vector++)
        put(guest, tables + 0x100 + 8 * vector,
            (uint64_t)(handler >> 16) << 48 | UINT64_C(0x8E00) << 32 | 8u << 16 |
                (handler & 0xFFFF),
            8);
    put(guest, handler, 0xF4, 1);
}

void guest_enter_flat_mode(Guest *guest, uint32_t tables, uint32_t eip, bool paging) {
    CpuState *state = &guest->cpu->state;
    make_tables(guest, tables);
    if (paging) {
        uint32_t directory = tables + 0x1000, table = tables + 0x2000;
        put(guest, directory, table | 7, 4);
        for (uint32_t page = 0; page < GUEST_RAM_BYTES / PAGE_SIZE; page++)
            put(guest, table + 4 * page, page << 12 | 7, 4);
        state->cr3 = directory;
    }
    state->cr0 = CR0_PE | CR0_ET | CR0_NE | (paging ? CR0_PG | CR0_WP : 0);
    state->gdtr = (DescriptorTable){tables, 0xFF};
    state->idtr = (DescriptorTable){tables + 0x100, 0x7FF};
    set_flat_segment(guest->cpu, SEG_CS, 8, 0xC09B);
    for (unsigned s = 0; s < SEG_COUNT; s++)
        if (s != SEG_CS)
            set_flat_segment(guest->cpu, s, 16, 0xC093);
    state->cpl = 0;
    state->eip = eip;
    tlb_set_control(&guest->cpu->tlb, state->cr0, state->cr3, state->cr4, false, true);
}

static void put_le32(uint8_t *at, uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void set_gate(Guest *guest, uint32_t tables, unsigned vector, uint32_t handler) {
    put(guest, tables + 0x100 + 8 * vector,
        (uint64_t)(handler >> 16) << 48 | UINT64_C(0x8E00) << 32 | 8u << 16 | (handler & 0xFFFF),
        8);
}

void guest_resume_after_events(Guest *guest, uint32_t tables, uint32_t code, uint32_t code_mask,
                               uint32_t stack) {
    uint32_t handler = tables + 0x900, counter = tables + 0xA10;
    uint8_t bytes[] = {
        0xBC, 0,    0,    0,    0,          /* mov esp, stack */
        0xA1, 0,    0,    0,    0,          /* mov eax, [counter] */
        0x69, 0xC0, 0xB1, 0x79, 0x37, 0x9E, /* imul eax, eax, 9E3779B1h */
        0x05, 0xF5, 0x79, 0x2B, 0x6D,       /* add eax, 6D2B79F5h */
        0xA3, 0,    0,    0,    0,          /* mov [counter], eax */
        0xC1, 0xE8, 0x10,                   /* shr eax, 16 */
        0x25, 0,    0,    0,    0,          /* and eax, code_mask */
        0x05, 0,    0,    0,    0,          /* add eax, code */
        0xFF, 0xE0,                         /* jmp eax */
    };
    put_le32(bytes + 1, stack);
    put_le32(bytes + 6, counter);
    put_le32(bytes + 22, counter);
    put_le32(bytes + 30, code_mask);
    put_le32(bytes + 35, code);
    physical_write_bytes(guest->map, handler, bytes, sizeof(bytes));
    put(guest, tables + 0xA00, 0xCF, 1); /* iret */
    for (unsigned vector = 0x20; vector < 256; vector++)
        set_gate(guest, tables, vector, tables + 0xA00);
}

void guest_return_from_interrupts(Guest *guest) {
    put(guest, 0x510, 0xCF, 1);
    for (unsigned vector = 0x20; vector < 256; vector++)
        put(guest, 4 * vector, 0x00510000, 4);
}

void guest_interrupt(Guest *guest) {
    cpu_set_intr(guest->cpu, 0, 1);
}

RunExit guest_run(Guest *guest, uint64_t instructions) {
    RunExit exit = RUN_BUDGET;
    while (guest->cpu->state.instruction_count < instructions &&
           (exit == RUN_BUDGET || exit == RUN_BREAK))
        exit = translator_run(guest->translator,
                              (int64_t)(instructions - guest->cpu->state.instruction_count));
    return exit;
}

bool guest_compare(const Guest *a, const Guest *b, char *text, size_t text_size) {
    if (field_table_diff(&cpu_fields, &a->cpu->state, &b->cpu->state, text, text_size))
        return false;
    if (memcmp(a->ram, b->ram, GUEST_RAM_BYTES) == 0)
        return true;
    for (uint32_t i = 0; i < GUEST_RAM_BYTES; i++)
        if (a->ram[i] != b->ram[i]) {
            snprintf(text, text_size, "RAM at %Xh: %02X != %02X", i, a->ram[i], b->ram[i]);
            break;
        }
    return false;
}

uint64_t guest_random(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15u; /* splitmix64: one addition, two multiplications, well mixed */
    uint64_t z = *state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}
