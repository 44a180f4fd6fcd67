#include "io_apic.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

#define BASE 0xFEC00000u

enum { OFFSET_SELECT = 0x00, OFFSET_WINDOW = 0x10 };
enum { REGISTER_ID, REGISTER_VERSION, REGISTER_ARBITRATION, REGISTER_TABLE = 0x10 };

#define ID_WRITABLE 0x0F000000u
#define VERSION ((IO_APIC_PINS - 1) << 16 | 0x11)
/* Delivery status (bit 12) is always idle; remote IRR is the chip's own. */
#define ENTRY_WRITABLE UINT64_C(0xFF0000000001AFFF)

/* The end of an interrupt comes by the APICs' bus, a serial one, as does the message that follows
 * if the line is still asserted: the processor gets on meanwhile. Drivers rely on that where an
 * interrupt cannot be served before what it interrupted has gone on. */
#define BUS_NS 2000

typedef struct IoApicState {
    int64_t bus_due_ns; /* when pins in 'ended' ask again */
    uint64_t table[IO_APIC_PINS];
    uint32_t levels;   /* of the pins */
    uint32_t requests; /* edges that wait to be sent */
    uint32_t id;
    uint32_t selected;
    uint32_t ended; /* pins that were asserted when their interrupt ended, a moment ago */
    uint32_t padding;
} IoApicState;

static const Field io_apic_state_fields[] = {
    FIELD(IoApicState, U64, bus_due_ns),
    FIELD_ARRAY(IoApicState, U64, table),
    FIELD(IoApicState, U32, levels),
    FIELD(IoApicState, U32, requests),
    FIELD(IoApicState, U32, id),
    FIELD(IoApicState, U32, selected),
    FIELD(IoApicState, U32, ended),
    FIELD_PADDING(IoApicState, padding),
    FIELD_END,
};

static const FieldTable io_apic_fields = {"ioapic", 2, sizeof(IoApicState), io_apic_state_fields};

struct IoApic {
    IoApicState state;
    ApicBus bus;
    const VirtualClock *clock;
    Timer bus_timer;
    PhysicalMap *memory;
    uint64_t message_count[IO_APIC_PINS];
};

/* --- interrupts --------------------------------------------------------------------------------
 */

static bool send(IoApic *apic, unsigned pin, uint64_t entry) {
    const ApicMessage message = {
        .destination = (uint8_t)(entry >> 56),
        .logical = (entry & IO_APIC_LOGICAL) != 0,
        .delivery_mode = entry >> 8 & 7,
        .vector = entry & IO_APIC_VECTOR,
        .level = (entry & IO_APIC_LEVEL) != 0,
    };
    bool taken = apic->bus.send(apic->bus.opaque, &message);
    apic->message_count[pin] += taken;
    return taken;
}

/* Only fixed and lowest priority interrupts are ended by somebody; the others are sent as edges,
 * whatever the trigger mode says (data sheet 3.2.4). */
static bool is_level(uint64_t entry) {
    return (entry & IO_APIC_LEVEL) && (entry >> 8 & 7) <= APIC_DELIVERY_LOWEST_PRIORITY;
}

/* Sends what the pin asks for. A message that nobody takes stays a request of a level-triggered
 * pin, and is lost for an edge. */
static void serve_pin(IoApic *apic, unsigned pin) {
    IoApicState *state = &apic->state;
    uint64_t *entry = &state->table[pin];
    uint32_t bit = 1u << pin;
    if (*entry & IO_APIC_MASKED)
        return;
    if (is_level(*entry)) {
        if (!(state->levels & bit) || (*entry & IO_APIC_REMOTE_IRR) || (state->ended & bit))
            return;
        *entry |= IO_APIC_REMOTE_IRR; /* before the message: its end may come at once */
        if (!send(apic, pin, *entry))
            *entry &= ~(uint64_t)IO_APIC_REMOTE_IRR;
    } else if (state->requests & bit) {
        state->requests &= ~bit;
        send(apic, pin, *entry & ~(uint64_t)IO_APIC_LEVEL);
    }
}

/* An edge at a masked pin is ignored: data sheet 3.2.4, interrupt mask. */
void io_apic_set_pin(void *opaque, int pin, int level) {
    IoApic *apic = opaque;
    IoApicState *state = &apic->state;
    if (pin < 0 || pin >= IO_APIC_PINS)
        return;
    uint32_t bit = 1u << pin;
    bool rises = level && !(state->levels & bit);
    state->levels = level ? state->levels | bit : state->levels & ~bit;
    uint64_t entry = state->table[pin];
    if (rises && !is_level(entry) && !(entry & IO_APIC_MASKED))
        state->requests |= bit;
    serve_pin(apic, (unsigned)pin);
}

void io_apic_end_of_interrupt(void *opaque, uint8_t vector) {
    IoApic *apic = opaque;
    for (unsigned pin = 0; pin < IO_APIC_PINS; pin++) {
        uint64_t *entry = &apic->state.table[pin];
        if (!(*entry & IO_APIC_REMOTE_IRR) || (*entry & IO_APIC_VECTOR) != vector)
            continue;
        *entry &= ~(uint64_t)IO_APIC_REMOTE_IRR;
        apic->state.ended |= apic->state.levels & 1u << pin;
    }
    if (apic->state.ended != 0 && !timer_is_armed(&apic->bus_timer))
        timer_arm(&apic->bus_timer, clock_now_ns(apic->clock) + BUS_NS);
}

static void ask_again(void *opaque) {
    IoApic *apic = opaque;
    uint32_t pins = apic->state.ended;
    apic->state.ended = 0;
    for (unsigned pin = 0; pin < IO_APIC_PINS; pin++)
        if (pins >> pin & 1)
            serve_pin(apic, pin);
}

/* --- registers ---------------------------------------------------------------------------------
 */

uint32_t io_apic_register(const IoApic *apic, unsigned index) {
    const IoApicState *state = &apic->state;
    unsigned half = index - REGISTER_TABLE;
    if (index >= REGISTER_TABLE && half < 2 * IO_APIC_PINS)
        return (uint32_t)(state->table[half / 2] >> (half & 1 ? 32 : 0));
    switch (index) {
    case REGISTER_ID:
    case REGISTER_ARBITRATION: /* loaded with the ID whenever that is written */
        return state->id;
    case REGISTER_VERSION:
        return VERSION;
    default:
        return 0;
    }
}

/* Remote IRR means nothing for an edge: systems set that trigger mode to clear it. */
static void write_entry(IoApic *apic, unsigned pin, bool upper, uint32_t value) {
    uint64_t *entry = &apic->state.table[pin];
    uint64_t mask = upper ? UINT64_C(0xFFFFFFFF00000000) : UINT64_C(0xFFFFFFFF);
    uint64_t shifted = upper ? (uint64_t)value << 32 : value;
    mask &= ENTRY_WRITABLE;
    *entry = (*entry & ~mask) | (shifted & mask);
    if (!is_level(*entry))
        *entry &= ~(uint64_t)IO_APIC_REMOTE_IRR;
    else
        apic->state.requests &= ~(1u << pin);
    serve_pin(apic, pin);
}

static void write_register(IoApic *apic, unsigned index, uint32_t value) {
    unsigned half = index - REGISTER_TABLE;
    if (index >= REGISTER_TABLE && half < 2 * IO_APIC_PINS)
        write_entry(apic, half / 2, half & 1, value);
    else if (index == REGISTER_ID)
        apic->state.id = value & ID_WRITABLE;
}

static uint32_t mmio_read(void *opaque, uint32_t offset, unsigned size) {
    const IoApic *apic = opaque;
    (void)size;
    unsigned shift = 8 * (offset & 3);
    switch (offset & ~3u) {
    case OFFSET_SELECT:
        return apic->state.selected >> shift;
    case OFFSET_WINDOW:
        return io_apic_register(apic, apic->state.selected) >> shift;
    default:
        return 0;
    }
}

/* The window takes whole registers only (data sheet 3.0). */
static void mmio_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    IoApic *apic = opaque;
    if (offset == OFFSET_SELECT)
        apic->state.selected = value & 0xFF;
    else if (offset == OFFSET_WINDOW && size == 4)
        write_register(apic, apic->state.selected, value);
}

uint64_t io_apic_entry(const IoApic *apic, unsigned pin) {
    return apic->state.table[pin % IO_APIC_PINS];
}

uint32_t io_apic_levels(const IoApic *apic) {
    return apic->state.levels;
}

uint8_t io_apic_selected(const IoApic *apic) {
    return (uint8_t)apic->state.selected;
}

uint64_t io_apic_message_count(const IoApic *apic, unsigned pin) {
    return apic->message_count[pin % IO_APIC_PINS];
}

/* --- the device --------------------------------------------------------------------------------
 */

/* The levels of the pins belong to whoever drives them and stay. */
static void io_apic_reset(void *opaque) {
    IoApic *apic = opaque;
    uint32_t levels = apic->state.levels;
    timer_cancel(&apic->bus_timer);
    apic->state = (IoApicState){.bus_due_ns = TIMER_NEVER, .levels = levels};
    for (unsigned pin = 0; pin < IO_APIC_PINS; pin++)
        apic->state.table[pin] = IO_APIC_MASKED;
}

/* Bounds what a damaged save may hold: no pin waits for ever. */
static void io_apic_restored(void *opaque) {
    IoApic *apic = opaque;
    if (!timer_is_armed(&apic->bus_timer))
        apic->state.ended = 0;
}

static const DeviceClass io_apic_class = {"ioapic", &io_apic_fields, io_apic_reset,
                                          io_apic_restored};

IoApic *io_apic_create(const DeviceContext *context, const ApicBus *bus, Error *error) {
    IoApic *apic = allocate_zeroed(sizeof *apic);
    apic->bus = *bus;
    apic->clock = context->clock;
    apic->memory = context->memory;
    const MmioRange range = {
        .name = "io-apic",
        .base = BASE,
        .size = PAGE_SIZE,
        .read = mmio_read,
        .write = mmio_write,
        .opaque = apic,
    };
    if (!physical_map_add_mmio(context->memory, &range, error)) {
        free(apic);
        return NULL;
    }
    timer_init(&apic->bus_timer, context->clock, "apic bus", &apic->state.bus_due_ns, ask_again,
               apic);
    device_list_add(context->devices, &io_apic_class, "ioapic", apic, &apic->state);
    io_apic_reset(apic);
    return apic;
}

void io_apic_destroy(IoApic *apic) {
    if (apic == NULL)
        return;
    physical_map_remove_mmio(apic->memory, BASE, apic);
    free(apic);
}
