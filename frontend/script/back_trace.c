/* See back_trace.h. */
#include "back_trace.h"
#include "machine_parts.h"
#include "monitor_disassembly.h"

enum { FRAMES_MAX = 64, CODE_BYTES = 16, CODE_INSTRUCTIONS = 16, STACK_WORDS = 32 };

typedef struct Walk {
    Machine *machine;
    const GuestSymbols *symbols;
    ByteBuffer *output;
    unsigned bytes; /* of a stack word: 2 or 4, as the code's size is */
} Walk;

static uint32_t offset_mask(const Walk *walk) {
    return walk->bytes == 2 ? 0xFFFF : UINT32_MAX;
}

/* A little-endian number of 'bytes' at a linear address; false if a page is not mapped. */
static bool read_linear(Machine *machine, uint32_t linear, unsigned bytes, uint32_t *value) {
    *value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte;
        uint32_t physical = linear + i;
        if (!tlb_probe(&machine->cpu->tlb, linear + i, &physical))
            return false;
        physical_read_bytes(machine->memory, physical, &byte, 1);
        *value |= (uint32_t)byte << (8 * i);
    }
    return true;
}

static bool read_stack(const Walk *walk, uint32_t offset, uint32_t *value) {
    uint32_t base = walk->machine->cpu->state.segment[SEG_SS].base;
    return read_linear(walk->machine, base + (offset & offset_mask(walk)), walk->bytes, value);
}

static void print_symbol(const Walk *walk, uint32_t linear) {
    const GuestSymbol *symbol =
        walk->symbols != NULL ? guest_symbols_find(walk->symbols, linear) : NULL;
    if (symbol != NULL)
        byte_buffer_print(walk->output, "  %s+0x%llx", symbol->name,
                          (unsigned long long)(linear - symbol->address));
    byte_buffer_print(walk->output, "\n");
}

static void print_place(const Walk *walk) {
    const CpuState *state = &walk->machine->cpu->state;
    const Segment *code = &state->segment[SEG_CS];
    const char *mode = !cpu_is_protected(walk->machine->cpu) ? "real mode"
                       : cpu_is_v8086(walk->machine->cpu)    ? "virtual 8086 mode"
                       : walk->bytes == 2                    ? "16-bit protected mode"
                                                             : "32-bit protected mode";
    byte_buffer_print(walk->output, "%s, privilege level %u%s\n\n", mode, state->cpl,
                      state->halted != 0 ? ", halted" : "");
    byte_buffer_print(walk->output, "#0  %04x:%0*x", code->selector, (int)walk->bytes * 2,
                      state->eip);
    print_symbol(walk, code->base + state->eip);
}

/* Above the saved frame pointer lies where the call came from. In 16-bit code the call may have
 * been a far one, with its segment above that. */
static void print_caller(const Walk *walk, unsigned number, uint32_t frame, uint32_t caller) {
    const Segment *code = &walk->machine->cpu->state.segment[SEG_CS];
    uint32_t segment;
    byte_buffer_print(walk->output, "#%-2u %04x:%0*x", number, code->selector, (int)walk->bytes * 2,
                      caller);
    if (walk->bytes == 2 && read_stack(walk, frame + 4, &segment))
        byte_buffer_print(walk->output, "  or, of a far call, %04x:%04x", segment, caller);
    byte_buffer_print(walk->output, "  frame %0*x", (int)walk->bytes * 2, frame);
    print_symbol(walk, code->base + caller);
}

/* Frames lie higher and higher; what does not is no frame. */
static void print_frames(const Walk *walk) {
    uint32_t frame = (uint32_t)walk->machine->cpu->state.gpr[REG_EBP] & offset_mask(walk);
    for (unsigned number = 1; number <= FRAMES_MAX; number++) {
        uint32_t outer, caller;
        if (!read_stack(walk, frame, &outer) || !read_stack(walk, frame + walk->bytes, &caller) ||
            (frame == 0 && number > 1))
            return;
        print_caller(walk, number, frame, caller);
        if (outer <= frame)
            return;
        frame = outer;
    }
}

static void print_code(const Walk *walk) {
    const CpuState *state = &walk->machine->cpu->state;
    uint32_t linear = state->segment[SEG_CS].base + state->eip;
    byte_buffer_print(walk->output, "\nthe bytes before:");
    for (uint32_t i = CODE_BYTES; i > 0; i--) {
        uint32_t byte;
        if (read_linear(walk->machine, linear - i, 1, &byte))
            byte_buffer_print(walk->output, " %02x", byte);
        else
            byte_buffer_print(walk->output, " ??");
    }
    byte_buffer_print(walk->output, "\nthe code from here on, at linear addresses:\n");
    MonitorHost host = {.machine = walk->machine};
    Monitor monitor;
    monitor_init(&monitor, &host, NULL);
    monitor_disassemble(&monitor, linear, CODE_INSTRUCTIONS, false);
    byte_buffer_append(walk->output, monitor.output.data, monitor.output.size);
    monitor_destroy(&monitor);
}

static void print_stack(const Walk *walk) {
    const CpuState *state = &walk->machine->cpu->state;
    uint32_t top = (uint32_t)state->gpr[REG_ESP] & offset_mask(walk);
    unsigned in_line = 16 / walk->bytes;
    byte_buffer_print(walk->output, "\nthe stack at %04x:%0*x:", state->segment[SEG_SS].selector,
                      (int)walk->bytes * 2, top);
    for (unsigned i = 0; i < STACK_WORDS; i++) {
        uint32_t value;
        if (!read_stack(walk, top + i * walk->bytes, &value)) {
            byte_buffer_print(walk->output, " (not mapped)");
            break;
        }
        byte_buffer_print(walk->output, "%s%0*x", i % in_line == 0 ? "\n  " : " ",
                          (int)walk->bytes * 2, value);
    }
    byte_buffer_print(walk->output, "\n");
}

void back_trace_print(Machine *machine, const GuestSymbols *symbols, ByteBuffer *output) {
    bool wide = (machine->cpu->state.segment[SEG_CS].access & ACCESS_DB) != 0;
    Walk walk = {.machine = machine, .symbols = symbols, .output = output, .bytes = wide ? 4 : 2};
    print_place(&walk);
    print_frames(&walk);
    print_code(&walk);
    print_stack(&walk);
}
