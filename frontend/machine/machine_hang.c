/* See machine_hang.h.
 *
 * The proof. Left alone, a machine changes by two things: its processor, and events of the virtual
 * clock. So it hangs if
 *
 *   - its processor does nothing: it is halted, or it runs a loop that only jumps (nothing is read
 *     or written, so that only an interrupt can end it), and
 *   - no armed event can interrupt that. What an event can do is told by its timer: the chip behind
 *     it drives the request lines named below and nothing else, now and whenever it arms itself
 *     anew. A line is followed through the 8259 pair's masks, the I/O APIC's table and the local
 *     APIC's local vector table to the processor, where a maskable interrupt counts only if IF is
 *     set, and NMI, SMI and INIT always.
 *
 * All of these registers are written by the processor alone, or by DMA: so an event of a chip that
 * does DMA is no proof, nor is one that is not known here. Masks are taken as open where in doubt:
 * a request that stands behind one in service may come later. What a script sends counts as an
 * event once it is sent: a guest that only a key could wake hangs, unless keys are on their way. */
#include "machine_hang.h"
#include "apic_message.h"
#include "i8259.h"
#include "io_apic.h"
#include "local_apic.h"
#include "machine_parts.h"
#include "network_host.h"

#include <string.h>

/* What may come of a request line, or of a message. */
typedef enum Reach { REACH_NONE, REACH_MASKABLE, REACH_ALWAYS } Reach;

enum {
    PINS_ALL = (1 << IO_APIC_PINS) - 1,
    PIN_8259 = 0, /* of the I/O APIC; see board_interrupts.c */
    PIN_TIMER = 2,
    LINE_CASCADE = 2,
    ISA_LINES = 16,
    PCI_LINES = 0xDEF8, /* where the ISA bridge may lead a slot's pins */
    LVT_TIMER = 0,
    LVT_LINT0 = 3,

    LVT_COUNT = 6,
    LVT_MASKED = 1 << 16,
};

#define LINE(number) (1u << (number))

/* By the name of a timer: the request lines that its chip may drive when it fires. */
static const struct {
    const char *name;
    uint32_t lines;
    bool local_apic_timer;
} timer_reaches[] = {
    // clang-format off
    {"pit",              LINE(0),            false},
    {"rtc",              LINE(8) | LINE(9),  false}, /* its alarm is an ACPI event too */
    {"acpi pm",          LINE(9),            false},
    {"hpet 0",           PINS_ALL,           false}, /* routed by software to any pin */
    {"hpet 1",           PINS_ALL,           false},
    {"hpet 2",           PINS_ALL,           false},
    {"local-apic",       0,                  true},
    {"apic bus",         PINS_ALL,           false},
    {"keyboard byte",    LINE(1) | LINE(12), false},
    {"keyboard repeat",  LINE(1) | LINE(12), false},
    {"key-player",       LINE(1) | LINE(12), false},
    {"mouse sample",     LINE(1) | LINE(12), false},
    {"vmmouse",          LINE(12),           false},
    {"serial receive",   LINE(3) | LINE(4),  false},
    {"serial transmit",  LINE(3) | LINE(4),  false},
    {"serial time-out",  LINE(3) | LINE(4),  false},
    {"parallel ready",   LINE(5) | LINE(7),  false},
    {"e1000 interrupt",  PCI_LINES,          false},
    {"e1000 link",       PCI_LINES,          false},
    {"usb frame",        PCI_LINES,          false}, /* its DMA reaches memory alone */
    {"vga window",       0,                  false},
    {"cirrus linear",    0,                  false},
    {"wait",             0,                  false}, /* ours */
    {"observer",         0,                  false}, /* ours */
    {"typing",           0,                  false}, /* the keyboard's own timer tells */
    {"audio",            0,                  false}, /* ours */
    // clang-format on
};

static Reach further(Reach a, Reach b) {
    return a > b ? a : b;
}

static Reach mode_reach(unsigned mode) {
    bool maskable = mode == APIC_DELIVERY_FIXED || mode == APIC_DELIVERY_LOWEST_PRIORITY ||
                    mode == APIC_DELIVERY_EXTINT;
    return maskable ? REACH_MASKABLE : REACH_ALWAYS;
}

static Reach lvt_reach(const LocalApic *apic, unsigned entry) {
    uint32_t value = local_apic_register(apic, LOCAL_APIC_LVT + entry);
    return value & LVT_MASKED ? REACH_NONE : mode_reach(value >> 8 & 7);
}

/* The furthest of all processors'. */
static Reach lvts_reach(const Board *board, unsigned entry) {
    Reach reach = REACH_NONE;
    for (unsigned i = 0; i < board->machine->processor_count; i++)
        if (board->local_apic[i] != NULL)
            reach = further(reach, lvt_reach(board->local_apic[i], entry));
    return reach;
}

static Reach pin_reach(const Board *board, unsigned pin) {
    if (board->io_apic == NULL)
        return REACH_NONE;
    uint64_t entry = io_apic_entry(board->io_apic, pin);
    return entry & IO_APIC_MASKED ? REACH_NONE : mode_reach(entry >> 8 & 7);
}

/* From the 8259 pair's output on. */
static Reach output_reach(const Board *board) {
    if (board->local_apics == NULL || !local_apic_is_enabled(board->local_apic[0]))
        return REACH_MASKABLE;
    return further(lvts_reach(board, LVT_LINT0), pin_reach(board, PIN_8259));
}

static bool passes_8259(const Board *board, unsigned line) {
    I8259View master, slave;
    i8259_view(board->pic, 0, &master);
    i8259_view(board->pic, 1, &slave);
    if (line < 8)
        return !(master.imr & LINE(line));
    return !(slave.imr & LINE(line - 8)) && !(master.imr & LINE(LINE_CASCADE));
}

static Reach line_reach(const Board *board, unsigned line) {
    Reach reach = pin_reach(board, line == 0 ? PIN_TIMER : line);
    if (line < ISA_LINES && line != LINE_CASCADE && passes_8259(board, line))
        reach = further(reach, output_reach(board));
    return reach;
}

/* A message with a vector that may not be is an error, which has an entry of its own. */
static Reach error_reach(const Board *board) {
    enum { LVT_ERROR = LVT_COUNT - 1 };
    return lvts_reach(board, LVT_ERROR);
}

static Reach timer_reach(const Board *board, const Timer *timer) {
    enum { TIMERS = sizeof(timer_reaches) / sizeof(timer_reaches[0]) };
    unsigned row = 0;
    while (row < TIMERS && strcmp(timer_reaches[row].name, timer->name) != 0)
        row++;
    if (row == TIMERS)
        return REACH_ALWAYS;
    Reach reach = REACH_NONE;
    for (unsigned line = 0; line < IO_APIC_PINS; line++) {
        if (timer_reaches[row].lines & LINE(line))
            reach = further(reach, line_reach(board, line));
    }
    if (timer_reaches[row].local_apic_timer)
        reach = further(reach, lvts_reach(board, LVT_TIMER));
    return reach != REACH_NONE ? further(reach, error_reach(board)) : REACH_NONE;
}

/* What the armed events may do, one after the other and for ever. */
static Reach events_reach(Machine *machine) {
    Reach reach = REACH_NONE;
    for (size_t i = 0; i < machine->clock.heap_count; i++)
        reach = further(reach, timer_reach(&machine->board, machine->clock.heap[i]));
    return reach;
}

/* Loops that only jump, and where in them the processor may be found. */
static const struct {
    uint8_t length, starts[2]; /* offsets of their instructions; the second may be 0 too */
    uint8_t bytes[6];
    uint8_t code_size; /* 16, 32; 0: either */
} idle_loops[] = {
    {2, {0, 0}, {0xEB, 0xFE}, 0},                    /* jmp $ */
    {3, {0, 0}, {0xE9, 0xFD, 0xFF}, 16},             /* the same, near */
    {5, {0, 0}, {0xE9, 0xFB, 0xFF, 0xFF, 0xFF}, 32}, /* and with 32 bits */
    {4, {0, 2}, {0xF3, 0x90, 0xEB, 0xFC}, 0},        /* pause; jmp back */
};

static bool read_code(Machine *machine, uint32_t linear, uint8_t *bytes, unsigned size) {
    for (unsigned i = 0; i < size; i++) {
        uint32_t physical;
        if (!tlb_probe(&machine->cpu->tlb, linear + i, &physical) ||
            physical_map_find_mmio(machine->memory, physical) != NULL)
            return false;
        physical_read_bytes(machine->memory, physical, &bytes[i], 1);
    }
    return true;
}

static bool is_at_loop(Machine *machine, unsigned row, unsigned start) {
    const CpuState *state = &machine->cpu->state;
    unsigned code_size = state->segment[SEG_CS].access & ACCESS_DB ? 32 : 16;
    uint8_t bytes[sizeof(idle_loops[0].bytes)];
    uint32_t offset = state->eip - idle_loops[row].starts[start];
    if (idle_loops[row].code_size != 0 && idle_loops[row].code_size != code_size)
        return false;
    return read_code(machine, state->segment[SEG_CS].base + offset, bytes,
                     idle_loops[row].length) &&
           memcmp(bytes, idle_loops[row].bytes, idle_loops[row].length) == 0;
}

/* Nothing of the processor's own may step in: no single step, no breakpoint, no performance
 * counter that is to interrupt. */
static bool loops_idly(Machine *machine) {
    enum { DR7_ENABLES = 0xFF };
    const CpuState *state = &machine->cpu->state;
    if ((cpu_get_eflags(machine->cpu) & FLAG_TF) || (state->dr[7] & DR7_ENABLES) ||
        machine->cpu->performance_alarm != UINT64_MAX)
        return false;
    for (unsigned row = 0; row < sizeof(idle_loops) / sizeof(idle_loops[0]); row++) {
        if (is_at_loop(machine, row, 0) || is_at_loop(machine, row, 1))
            return true;
    }
    return false;
}

/* Requests on their way, which the next slice will serve. */
static bool processor_has_pending(const Cpu *cpu) {
    const CpuState *state = &cpu->state;
    return state->nmi_pending || state->smi_pending || state->init_pending ||
           state->pending_debug || state->smm || state->shutdown ||
           cpu_has_deliverable_interrupt(cpu);
}

static bool has_pending(Machine *machine) {
    for (unsigned i = 0; i < machine->processor_count; i++)
        if (processor_has_pending(machine->processor[i].cpu))
            return true;
    return machine->reset_requested || machine->shutdown_requested ||
           machine->debug_exit_requested || machine->panic_requested || machine->wake_requested ||
           input_door_is_waiting(&machine->door) || board_is_asleep(&machine->board);
}

bool machine_find_hang(Machine *machine, ByteBuffer *reason) {
    const CpuState *state = &machine->cpu->state;
    if (machine->run_state != RUN_STATE_RUNNING || has_pending(machine))
        return false;
    bool interruptible = machine_processors_interruptible(machine);
    bool halted = machine_processors_halted(machine);
    if (!halted && (machine->processor_count > 1 || !loops_idly(machine)))
        return false;
    Reach reach = events_reach(machine);
    if (machine->board.network_host != NULL && network_host_is_used(machine->board.network_host))
        reach = further(reach, REACH_MASKABLE);
    if (reach == REACH_ALWAYS || (reach == REACH_MASKABLE && interruptible))
        return false;
    if (reason != NULL)
        byte_buffer_print(reason, "the guest hangs: it %s at %04X:%08X with %s",
                          state->halted ? "is halted" : "jumps to itself",
                          state->segment[SEG_CS].selector, state->eip - (state->halted ? 1 : 0),
                          interruptible ? "nothing armed that could interrupt it"
                                        : "interrupts off");
    return true;
}
