#include "uhci.h"
#include "allocate.h"
#include "little_endian.h"
#include "uhci_internal.h"
#include <stdlib.h>
#include <string.h>

enum { VENDOR_ID = 0x8086, DEVICE_ID = 0x7020, CLASS_UHCI = 0x0C0300, REVISION = 1 };
enum { BAR_PORTS = 4, PORTS_BYTES = 32, PIN_D = 4 };
#define FRAME_NS 1000000LL

/* Registers (design guide 2.1), and those in the configuration space (5.2). */
enum {
    REGISTER_COMMAND = 0x00,
    REGISTER_STATUS = 0x02,
    REGISTER_INTERRUPTS = 0x04,
    REGISTER_FRAME = 0x06,
    REGISTER_LIST = 0x08,
    REGISTER_LIST_HIGH = 0x0A,
    REGISTER_START_OF_FRAME = 0x0C,
    REGISTER_PORT = 0x10,
    CONFIG_RELEASE = 0x60,
    CONFIG_LEGACY = 0xC0,
    LEGACY_PIRQ = 0x2000,
};
enum { COMMAND_BITS = 0xFF, INTERRUPT_BITS = 0x0F, FRAME_BITS = 0x7FF };
#define LIST_BITS 0xFFFFF000u
enum { START_OF_FRAME_USUAL = 64 };

/* Bits of USBINTR for what is not completion. */
enum { ON_ERROR = 0x01, ON_RESUME = 0x02 };

/* Bits of PORTSC that software changes, and clears by ones. */
enum {
    PORT_WRITABLE = UHCI_PORT_ENABLED | UHCI_PORT_RESUME | UHCI_PORT_RESET | UHCI_PORT_SUSPENDED,
    PORT_CHANGES = UHCI_PORT_CONNECT_CHANGE | UHCI_PORT_ENABLE_CHANGE,
    PORT_ALWAYS = 0x0080,
    PORT_LINE_PLUS = 0x0010, /* what an idle device pulls up: D+, at low speed D- */
    PORT_LINE_MINUS = 0x0020,
};

static const Field state_fields[] = {
    FIELD(UhciState, U64, frame_due_ns),  FIELD(UhciState, U64, running_since_ns),
    FIELD(UhciState, U32, list),          FIELD(UhciState, U16, command),
    FIELD(UhciState, U16, status),        FIELD(UhciState, U16, enabled),
    FIELD(UhciState, U16, frame),         FIELD_ARRAY(UhciState, U16, port),
    FIELD(UhciState, U8, start_of_frame), FIELD(UhciState, U8, causes),
    FIELD_PADDING(UhciState, padding),    FIELD_END,
};
static const FieldTable uhci_fields = {"UHCI", 1, sizeof(UhciState), state_fields};

static void update_interrupt(Uhci *uhci) {
    const UhciState *state = &uhci->state;
    bool asserted = (state->status & (UHCI_SYSTEM_ERROR | UHCI_PROCESS_ERROR)) ||
                    ((state->status & UHCI_INTERRUPT) && (state->causes & state->enabled)) ||
                    ((state->status & UHCI_ERROR) && (state->enabled & ON_ERROR)) ||
                    ((state->status & UHCI_RESUME) && (state->enabled & ON_RESUME));
    bool led = (pci_device_get(uhci->pci, CONFIG_LEGACY, 2) & LEGACY_PIRQ) != 0;
    pci_device_set_pin(uhci->pci, 0, asserted && led);
}

/* --- frames ------------------------------------------------------------------------------------
 */

UsbDevice *uhci_device(const Uhci *uhci, unsigned port) {
    return usb_bus_device(uhci->usb, uhci->socket + port);
}

static bool has_devices(const Uhci *uhci) {
    for (unsigned i = 0; i < UHCI_PORTS; i++)
        if (uhci_device(uhci, i) != NULL)
            return true;
    return false;
}

static uint16_t frame_now(const Uhci *uhci) {
    const UhciState *state = &uhci->state;
    if (!(state->command & UHCI_RUN) || timer_is_armed(&uhci->timer))
        return state->frame;
    int64_t passed = clock_now_ns(uhci->context.clock) - state->running_since_ns;
    return (uint16_t)((state->frame + passed / FRAME_NS) & FRAME_BITS);
}

/* After UHCI_RUN was changed. */
static void follow_run(Uhci *uhci) {
    UhciState *state = &uhci->state;
    bool runs = (state->command & UHCI_RUN) && has_devices(uhci);
    if (!runs)
        timer_cancel(&uhci->timer);
    else if (!timer_is_armed(&uhci->timer))
        timer_arm(&uhci->timer, clock_now_ns(uhci->context.clock) + FRAME_NS);
}

/* Where the processor was late the frames that nobody could have used are left out. */
static void frame_due(void *opaque) {
    Uhci *uhci = opaque;
    UhciState *state = &uhci->state;
    int64_t now = clock_now_ns(uhci->context.clock);
    if (!(state->command & UHCI_RUN))
        return;
    if (pci_device_is_master(uhci->pci) && !(state->command & UHCI_SUSPEND))
        uhci_run_frame(uhci);
    int64_t late = (now - state->running_since_ns) / FRAME_NS;
    int64_t frames = late > 0 ? late : 1;
    state->frame = (uint16_t)((state->frame + frames) & FRAME_BITS);
    state->running_since_ns += frames * FRAME_NS;
    if (state->command & UHCI_RUN)
        timer_arm(&uhci->timer, state->running_since_ns + FRAME_NS);
    update_interrupt(uhci);
}

/* --- ports and resets --------------------------------------------------------------------------
 */

static void reset_devices(Uhci *uhci) {
    for (unsigned i = 0; i < UHCI_PORTS; i++) {
        UsbDevice *device = uhci_device(uhci, i);
        if (device != NULL)
            device->reset(device->opaque);
    }
}

/* What a device shows when it is plugged in. */
static uint16_t port_of(const UsbDevice *device) {
    if (device == NULL)
        return 0;
    return UHCI_PORT_CONNECTED | UHCI_PORT_CONNECT_CHANGE |
           (device->low_speed ? UHCI_PORT_LOW_SPEED : 0);
}

static void reset_ports(Uhci *uhci) {
    for (unsigned i = 0; i < UHCI_PORTS; i++)
        uhci->state.port[i] = port_of(uhci_device(uhci, i));
}

static void reset_controller(Uhci *uhci) {
    UhciState *state = &uhci->state;
    timer_cancel(&uhci->timer);
    *state = (UhciState){.frame_due_ns = TIMER_NEVER, .start_of_frame = START_OF_FRAME_USUAL};
    reset_ports(uhci);
    update_interrupt(uhci);
}

static uint16_t read_port(const Uhci *uhci, unsigned number) {
    uint16_t port = uhci->state.port[number] | PORT_ALWAYS;
    const UsbDevice *device = uhci_device(uhci, number);
    if (device != NULL && !(port & UHCI_PORT_RESET))
        port |= device->low_speed ? PORT_LINE_MINUS : PORT_LINE_PLUS;
    return port;
}

static void write_port(Uhci *uhci, unsigned number, uint16_t value) {
    UsbDevice *device = uhci_device(uhci, number);
    uint16_t *port = &uhci->state.port[number];
    bool reset = (value & UHCI_PORT_RESET) && !(*port & UHCI_PORT_RESET);
    *port &= (uint16_t) ~(value & PORT_CHANGES);
    *port = (uint16_t)((*port & ~PORT_WRITABLE) | (value & PORT_WRITABLE));
    if (device == NULL || (*port & UHCI_PORT_RESET))
        *port &= (uint16_t)~UHCI_PORT_ENABLED;
    if (device != NULL && reset)
        device->reset(device->opaque);
}

/* A device wants a sleeping bus to work again (2.1.7 and 4.2). */
static void wake(void *opaque, unsigned number) {
    Uhci *uhci = opaque;
    UhciState *state = &uhci->state;
    bool sleeps = (state->command & UHCI_SUSPEND) || (state->port[number] & UHCI_PORT_SUSPENDED);
    if (!sleeps || !(state->port[number] & UHCI_PORT_ENABLED))
        return;
    state->port[number] |= UHCI_PORT_RESUME;
    state->status |= UHCI_RESUME;
    update_interrupt(uhci);
}

/* Plugged in or pulled out. A sleeping bus wakes from that, too (2.1.1). */
static void port_changed(void *opaque, unsigned number) {
    Uhci *uhci = opaque;
    UhciState *state = &uhci->state;
    uint16_t *port = &state->port[number];
    uint16_t changes = (uint16_t)(*port & PORT_CHANGES) | UHCI_PORT_CONNECT_CHANGE;
    if (*port & UHCI_PORT_ENABLED)
        changes |= UHCI_PORT_ENABLE_CHANGE;
    *port = port_of(uhci_device(uhci, number)) | changes;
    if (state->command & UHCI_SUSPEND)
        state->status |= UHCI_RESUME;
    state->frame = frame_now(uhci);
    state->running_since_ns = clock_now_ns(uhci->context.clock);
    follow_run(uhci);
    update_interrupt(uhci);
}

/* --- registers ---------------------------------------------------------------------------------
 */

static uint16_t read_register(const Uhci *uhci, uint32_t offset) {
    const UhciState *state = &uhci->state;
    switch (offset) {
    case REGISTER_COMMAND:
        return state->command;
    case REGISTER_STATUS:
        return state->status | (state->command & UHCI_RUN ? 0 : UHCI_HALTED);
    case REGISTER_INTERRUPTS:
        return state->enabled;
    case REGISTER_FRAME:
        return frame_now(uhci);
    case REGISTER_LIST:
        return (uint16_t)state->list;
    case REGISTER_LIST_HIGH:
        return (uint16_t)(state->list >> 16);
    case REGISTER_START_OF_FRAME:
        return state->start_of_frame;
    case REGISTER_PORT:
    case REGISTER_PORT + 2:
        return read_port(uhci, (offset - REGISTER_PORT) / 2);
    default:
        return offset < REGISTER_PORT ? 0 : 0xFFFF;
    }
}

static void write_command(Uhci *uhci, uint16_t value) {
    UhciState *state = &uhci->state;
    if (value & UHCI_RESET) {
        reset_controller(uhci);
        return;
    }
    if ((value & UHCI_GLOBAL_RESET) && !(state->command & UHCI_GLOBAL_RESET)) {
        reset_controller(uhci);
        reset_devices(uhci);
    }
    state->frame = frame_now(uhci);
    if ((value & ~state->command & UHCI_RUN) || !timer_is_armed(&uhci->timer))
        state->running_since_ns = clock_now_ns(uhci->context.clock);
    state->command = value & COMMAND_BITS;
    follow_run(uhci);
}

static void write_status(Uhci *uhci, uint16_t value) {
    uhci->state.status &= (uint16_t) ~(value & UHCI_STATUS_BITS);
    if (!(uhci->state.status & UHCI_INTERRUPT))
        uhci->state.causes = 0;
}

static void write_register(Uhci *uhci, uint32_t offset, uint16_t value) {
    UhciState *state = &uhci->state;
    switch (offset) {
    case REGISTER_COMMAND:
        write_command(uhci, value);
        break;
    case REGISTER_STATUS:
        write_status(uhci, value);
        break;
    case REGISTER_INTERRUPTS:
        state->enabled = value & INTERRUPT_BITS;
        break;
    case REGISTER_FRAME: /* only while it stands (2.1.4) */
        if (!(state->command & UHCI_RUN))
            state->frame = value & FRAME_BITS;
        break;
    case REGISTER_LIST:
        state->list = (state->list & 0xFFFF0000u) | (value & LIST_BITS);
        break;
    case REGISTER_LIST_HIGH:
        state->list = (state->list & 0xFFFFu) | (uint32_t)value << 16;
        break;
    case REGISTER_START_OF_FRAME:
        state->start_of_frame = value & 0x7F;
        break;
    case REGISTER_PORT:
    case REGISTER_PORT + 2:
        write_port(uhci, (offset - REGISTER_PORT) / 2, value);
        break;
    default:
        break;
    }
    update_interrupt(uhci);
}

static uint32_t ports_read(void *opaque, uint32_t offset, unsigned size) {
    uint32_t value = (uint32_t)read_register(opaque, offset & ~1u) >> (offset & 1) * 8;
    if (size == 4)
        value |= (uint32_t)read_register(opaque, offset + 2) << 16;
    return size == 1 ? value & 0xFF : value;
}

/* A byte leaves the rest of its register alone, and clears nothing there. */
static void ports_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Uhci *uhci = opaque;
    uint32_t at = offset & ~1u;
    if (size == 1) {
        unsigned shift = (offset & 1) * 8;
        uint16_t kept = at == REGISTER_STATUS ? 0 : read_register(uhci, at);
        if (at >= REGISTER_PORT)
            kept &= (uint16_t)~PORT_CHANGES;
        value = (kept & ~(0xFFu << shift)) | (value & 0xFF) << shift;
    }
    write_register(uhci, at, (uint16_t)value);
    if (size == 4)
        write_register(uhci, at + 2, (uint16_t)(value >> 16));
}

/* --- on the bus --------------------------------------------------------------------------------
 */

static void config_written(void *opaque, unsigned offset, unsigned size) {
    Uhci *uhci = opaque;
    if (uhci->pci != NULL && offset < CONFIG_LEGACY + 2 && offset + size > CONFIG_LEGACY &&
        size < PCI_CONFIG_SIZE)
        update_interrupt(uhci);
}

static void reset(void *opaque) {
    reset_controller(opaque);
}

/* Bounds what a damaged save may hold. The clock cannot be asked: in a fresh process it does not
 * yet show the time of what is restored. */
static void restored(void *opaque) {
    Uhci *uhci = opaque;
    UhciState *state = &uhci->state;
    state->frame &= FRAME_BITS;
    state->list &= LIST_BITS;
    if (state->running_since_ns < 0 || state->running_since_ns > TIMER_NEVER / 2)
        state->running_since_ns = 0;
}

static const DeviceClass device_class = {"UHCI", &uhci_fields, reset, restored};

static const PciRegister registers[] = {
    {CONFIG_RELEASE, 1, 0x10, 0, 0}, /* USB 1.0 */
    {CONFIG_LEGACY, 2, LEGACY_PIRQ, 0x20BF, 0x8F00},
    {0},
};

Uhci *uhci_create(const DeviceContext *context, PciBus *bus, UsbBus *usb, unsigned slot,
                  unsigned function, Error *error) {
    Uhci *uhci = allocate_zeroed(sizeof(*uhci));
    const PciDeviceInfo info = {
        .name = "PIIX3 USB",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_UHCI,
        .revision = REVISION,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .interrupt_pin = PIN_D,
        .bars = {[BAR_PORTS] = {.type = PCI_BAR_IO, PORTS_BYTES, ports_read, ports_write}},
        .registers = registers,
        .opaque = uhci,
        .config_written = config_written,
    };
    uhci->context = *context;
    uhci->pci = pci_device_add(bus, slot, function, &info, error);
    if (uhci->pci == NULL) {
        free(uhci);
        return NULL;
    }
    timer_init(&uhci->timer, context->clock, "usb frame", &uhci->state.frame_due_ns, frame_due,
               uhci);
    uhci->usb = usb;
    uhci->socket = usb_bus_add_sockets(
        usb, &(UsbSocketOwner){"USB controller", NULL, uhci, port_changed, wake}, UHCI_PORTS);
    device_list_add(context->devices, &device_class, "usb", uhci, &uhci->state);
    reset(uhci);
    return uhci;
}

void uhci_destroy(Uhci *uhci) {
    if (uhci == NULL)
        return;
    free(uhci);
}

unsigned uhci_socket(const Uhci *uhci) {
    return uhci->socket;
}
