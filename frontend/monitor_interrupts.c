/* 'info' about the interrupt controllers, in the forms that QEMU gives them: pic, lapic, irq. */
#include "i8259.h"
#include "io_apic.h"
#include "local_apic.h"
#include "machine_parts.h"
#include "monitor_command.h"

/* Bits that entries of the local vector table, the redirection table and the interrupt command
 * register have in common. */
enum {
    ENTRY_LOGICAL = 1 << 11,
    ENTRY_PENDING = 1 << 12,
    ENTRY_ACTIVE_LOW = 1 << 13,
    ENTRY_ASSERT = 1 << 14,
    ENTRY_REMOTE_IRR = 1 << 14,
    ENTRY_LEVEL = 1 << 15,
    ENTRY_MASKED = 1 << 16,
    ENTRY_PERIODIC = 1 << 17,
};
#define ENTRY_MODE(entry) ((entry) >> 8 & 7)
#define ENTRY_VECTOR(entry) ((unsigned)(entry)&0xFF)

static bool has_vector(uint64_t entry) {
    return ENTRY_MODE(entry) <= APIC_DELIVERY_LOWEST_PRIORITY;
}

/* --- info pic ----------------------------------------------------------------------------------
 */

static void print_pins(Monitor *monitor, const char *name, uint32_t pins) {
    monitor_print(monitor, "  %-8s", name);
    for (unsigned pin = 0; pin < IO_APIC_PINS; pin++)
        if (pins >> pin & 1)
            monitor_print(monitor, " %u", pin);
    monitor_print(monitor, "%s\n", pins == 0 ? " (none)" : "");
}

static void print_pin(Monitor *monitor, unsigned pin, uint64_t entry) {
    static const char *const modes[8] = {"fixed", "lowest", "SMI", "...",
                                         "NMI",   "INIT",   "...", "extINT"};
    monitor_print(monitor, "  pin %-2u 0x%016llx dest=%llx vec=%-3u %s %-5s %-6s %-6s %s\n", pin,
                  (unsigned long long)entry, (unsigned long long)entry >> 56, ENTRY_VECTOR(entry),
                  entry & ENTRY_ACTIVE_LOW ? "active-lo" : "active-hi",
                  entry & ENTRY_LEVEL ? "level" : "edge", entry & ENTRY_MASKED ? "masked" : "",
                  modes[ENTRY_MODE(entry)], entry & ENTRY_LOGICAL ? "logical" : "physical");
}

static void print_io_apic(Monitor *monitor, const IoApic *apic) {
    uint32_t remote = 0, requests = 0;
    unsigned selected = io_apic_selected(apic);
    monitor_print(monitor, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x",
                  io_apic_register(apic, 1) & 0xFF, io_apic_register(apic, 0) >> 24, selected);
    if (selected >= 0x10)
        monitor_print(monitor, " (redir[%u])", (selected - 0x10) / 2);
    monitor_print(monitor, "\n");
    for (unsigned pin = 0; pin < IO_APIC_PINS; pin++) {
        uint64_t entry = io_apic_entry(apic, pin);
        print_pin(monitor, pin, entry);
        remote |= entry & ENTRY_REMOTE_IRR ? 1u << pin : 0;
        requests |= entry & ENTRY_LEVEL ? io_apic_levels(apic) & 1u << pin : 0;
    }
    print_pins(monitor, "IRR", requests);
    print_pins(monitor, "Remote IRR", remote);
}

bool monitor_info_pic(Monitor *monitor, char *arguments, Error *error) {
    const Board *board = &monitor->machine->board;
    (void)arguments;
    (void)error;
    if (board->io_apic != NULL)
        print_io_apic(monitor, board->io_apic);
    for (int chip = 1; chip >= 0; chip--) {
        I8259View view;
        i8259_view(board->pic, chip, &view);
        monitor_print(monitor,
                      "pic%d: irr=%02x imr=%02x isr=%02x hprio=%d irq_base=%02x rr_sel=0 "
                      "elcr=%02x fnm=%d\n",
                      chip, view.irr, view.imr, view.isr, (view.lowest_priority + 1) & 7,
                      view.vector_base, view.elcr, view.special_fully_nested);
    }
    return true;
}

/* --- info lapic --------------------------------------------------------------------------------
 */

static const char *mode_name(uint32_t entry) {
    static const char *const modes[8] = {"Fixed", "Lowest", "SMI",  "...",
                                         "NMI",   "INIT",   "SIPI", "ExtINT"};
    return modes[ENTRY_MODE(entry)];
}

static void print_entry(Monitor *monitor, const char *name, uint32_t entry) {
    monitor_print(monitor, "%s\t 0x%08x %s %-5s %-6s %-7s %-12s %-6s", name, entry,
                  entry & ENTRY_ACTIVE_LOW ? "active-lo" : "active-hi",
                  entry & ENTRY_LEVEL ? "level" : "edge", entry & ENTRY_MASKED ? "masked" : "",
                  entry & ENTRY_PENDING ? "pending" : "", entry & ENTRY_PERIODIC ? "periodic" : "",
                  mode_name(entry));
    if (has_vector(entry))
        monitor_print(monitor, " (vec %u)", ENTRY_VECTOR(entry));
    monitor_print(monitor, "\n");
}

static void print_timer(Monitor *monitor, const LocalApic *apic) {
    uint32_t divide = local_apic_register(apic, LOCAL_APIC_DIVIDE);
    unsigned shift = ((divide & 3) + (divide >> 1 & 4) + 1) & 7;
    monitor_print(monitor,
                  "Timer\t DCR=0x%x (divide by %u) initial_count = %u current_count = %u\n", divide,
                  1u << shift, local_apic_register(apic, LOCAL_APIC_INITIAL_COUNT),
                  local_apic_register(apic, LOCAL_APIC_CURRENT_COUNT));
}

static void print_command(Monitor *monitor, const LocalApic *apic) {
    static const char *const shorthands[4] = {"no-shorthand", "self", "all-self", "all"};
    uint32_t low = local_apic_register(apic, LOCAL_APIC_COMMAND_LOW);
    uint32_t high = local_apic_register(apic, LOCAL_APIC_COMMAND_HIGH);
    monitor_print(monitor, "ICR\t 0x%08x %s %s %s %s\n", low,
                  low & ENTRY_LOGICAL ? "logical" : "physical",
                  low & ENTRY_LEVEL ? "level" : "edge", low & ENTRY_ASSERT ? "assert" : "de-assert",
                  shorthands[low >> 18 & 3]);
    monitor_print(monitor, "ICR2\t 0x%08x\n", high);
}

/* A star: level-triggered. */
static void print_vectors(Monitor *monitor, const LocalApic *apic, const char *name, unsigned set) {
    bool any = false;
    monitor_print(monitor, "%s\t ", name);
    for (unsigned vector = 0; vector < 256; vector++) {
        uint32_t bit = 1u << vector % 32;
        if (!(local_apic_register(apic, set + vector / 32) & bit))
            continue;
        bool level = local_apic_register(apic, LOCAL_APIC_TRIGGER_MODE + vector / 32) & bit;
        monitor_print(monitor, "%u%s ", vector, level ? "*" : "");
        any = true;
    }
    monitor_print(monitor, "%s\n", any ? "" : "(none)");
}

static void print_spurious_vector(Monitor *monitor, const LocalApic *apic) {
    enum { ENABLED = 1 << 8, NO_FOCUS = 1 << 9 };
    uint32_t value = local_apic_register(apic, LOCAL_APIC_SPURIOUS_VECTOR);
    monitor_print(monitor, "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u\n", value,
                  value & ENABLED ? "enabled" : "disabled", value & NO_FOCUS ? "on" : "off",
                  ENTRY_VECTOR(value));
}

bool monitor_info_lapic(Monitor *monitor, char *arguments, Error *error) {
    static const struct {
        const char *name;
        unsigned index;
    } entries[] = {
        {"LVT0", LOCAL_APIC_LVT + 3},    {"LVT1", LOCAL_APIC_LVT + 4},
        {"LVTPC", LOCAL_APIC_LVT + 2},   {"LVTERR", LOCAL_APIC_LVT + 5},
        {"LVTTHMR", LOCAL_APIC_LVT + 1}, {"LVTT", LOCAL_APIC_LVT},
    };
    unsigned number = monitor->processor;
    if (!monitor_parse_processor(monitor, monitor_next_word(&arguments), &number, error))
        return false;
    const LocalApic *apic = monitor->machine->board.local_apic[number];
    if (apic == NULL)
        return error_set(error, "this processor has no local APIC");
    monitor_print(monitor, "dumping local APIC state for CPU %u\n\n", number);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        print_entry(monitor, entries[i].name, local_apic_register(apic, entries[i].index));
    print_timer(monitor, apic);
    print_spurious_vector(monitor, apic);
    print_command(monitor, apic);
    monitor_print(monitor, "ESR\t 0x%08x\n", local_apic_register(apic, LOCAL_APIC_ERROR_STATUS));
    print_vectors(monitor, apic, "ISR", LOCAL_APIC_IN_SERVICE);
    print_vectors(monitor, apic, "IRR", LOCAL_APIC_REQUEST);
    monitor_print(monitor, "\nAPR 0x%02x TPR 0x%02x DFR 0x%02x LDR 0x%02x PPR 0x%02x\n",
                  local_apic_register(apic, LOCAL_APIC_ARBITRATION_PRIORITY),
                  local_apic_register(apic, LOCAL_APIC_TASK_PRIORITY),
                  local_apic_register(apic, LOCAL_APIC_DESTINATION_FORMAT) >> 28,
                  local_apic_register(apic, LOCAL_APIC_LOGICAL_DESTINATION) >> 24,
                  local_apic_register(apic, LOCAL_APIC_PROCESSOR_PRIORITY));
    return true;
}

/* --- info irq ----------------------------------------------------------------------------------
 */

bool monitor_info_irq(Monitor *monitor, char *arguments, Error *error) {
    const Board *board = &monitor->machine->board;
    (void)arguments;
    (void)error;
    if (board->io_apic != NULL) {
        monitor_print(monitor, "IRQ statistics for ioapic:\n");
        for (unsigned pin = 0; pin < IO_APIC_PINS; pin++)
            if (io_apic_message_count(board->io_apic, pin) != 0)
                monitor_print(monitor, "%2u: %llu\n", pin,
                              (unsigned long long)io_apic_message_count(board->io_apic, pin));
    }
    monitor_print(monitor, "IRQ statistics for isa-i8259:\n");
    for (unsigned line = 0; line < 16; line++)
        if (i8259_interrupt_count(board->pic, line) != 0)
            monitor_print(monitor, "%2u: %llu\n", line,
                          (unsigned long long)i8259_interrupt_count(board->pic, line));
    return true;
}
