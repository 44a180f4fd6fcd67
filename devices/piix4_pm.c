#include "piix4_pm.h"
#include "allocate.h"
#include "little_endian.h"
#include <stdlib.h>
#include <string.h>

/* Configuration registers (data sheet 7.1). */
enum {
    CONFIG_PM_BASE = 0x40,
    CONFIG_APM_ENABLE = 0x5B, /* the upper byte of DEVACTB */
    CONFIG_PM_MISC = 0x80,
    CONFIG_SMBUS_BASE = 0x90,
    CONFIG_SMBUS_HOST = 0xD2,
    DECODE_ENABLE = 1,
    APM_SMI_ENABLE = 2,
};

/* ACPI registers, as offsets from PMBASE (7.2). */
enum {
    PM1_STATUS = 0x00,
    PM1_ENABLE = 0x02,
    PM1_CONTROL = 0x04,
    PM_TIMER = 0x08,
    GLOBAL_STATUS = 0x18,
    PM_REGISTERS_KEPT = 0x0C, /* from here up the bytes are only kept */
    PM_SIZE = 0x40,
};

enum {
    PM1_TIMER = 0x0001,
    PM1_GLOBAL = 0x0020,
    PM1_POWER_BUTTON = 0x0100,
    PM1_SLEEP_BUTTON = 0x0200, /* which ACPI 1.0 puts there (4.7.3.1.1); the chip has no such pin */
    PM1_REAL_TIME_CLOCK = 0x0400,
    PM1_WAKE = 0x8000,
    PM1_STATUS_BITS = 0x8731,
    PM1_ENABLE_BITS = 0x0721,
    CONTROL_SCI_ENABLE = 0x0001,
    CONTROL_SLEEP_TYPE = 0x1C00,
    CONTROL_SLEEP_ENABLE = 0x2000,
    CONTROL_BITS = 0x1C07,
};

enum {
    SLEEP_SOFT_OFF = 0,        /* S5, by the encoding of the PIIX4 */
    SLEEP_SUSPEND_TO_RAM = 1,  /* S3 */
    SLEEP_SUSPEND_TO_DISK = 2, /* S4: off too, the guest has saved itself */
};

#define GLOBAL_APM_STATUS 0x20 /* a bit of GLBSTS (7.2.7) */

/* Values that SeaBIOS's tables name for SMI_CMD at port B2h. */
enum { APM_ACPI_ENABLE = 0xF1, APM_ACPI_DISABLE = 0xF0 };

enum {
    SMBUS_STATUS = 0,
    SMBUS_CONTROL = 2,
    SMBUS_SIZE = 16,
    SMBUS_START = 0x40,
    SMBUS_DEVICE_ERROR = 0x04,
    SMBUS_STATUS_BITS = 0x1F,
};

/* SeaBIOS's ACPI tables place GPE0 here, as QEMU's board does. */
#define EVENT_PORT 0xAFE0
/* Status bit TMR_STS follows changes of the timer's bit 23 (7.2.1). */
#define TIMER_BITS 24
#define TIMER_STATUS_SHIFT 23

typedef struct Piix4PmState {
    int64_t timer_due_ns;
    int64_t timer_seen; /* changes of bit 23 that software has cleared from the status */
    uint16_t pm1_status, pm1_enable, pm1_control;
    uint16_t event_status, event_enable;
    uint8_t kept[PM_SIZE - PM_REGISTERS_KEPT];
    uint8_t apm[2]; /* ports B2h, B3h */
    uint8_t smbus[SMBUS_SIZE];
    uint8_t asleep;
    uint8_t padding[7];
} Piix4PmState;

static const Field piix4_pm_state_fields[] = {
    FIELD(Piix4PmState, U64, timer_due_ns),
    FIELD(Piix4PmState, U64, timer_seen),
    FIELD(Piix4PmState, U16, pm1_status),
    FIELD(Piix4PmState, U16, pm1_enable),
    FIELD(Piix4PmState, U16, pm1_control),
    FIELD(Piix4PmState, U16, event_status),
    FIELD(Piix4PmState, U16, event_enable),
    FIELD_BYTES_OF(Piix4PmState, kept),
    FIELD_BYTES_OF(Piix4PmState, apm),
    FIELD_BYTES_OF(Piix4PmState, smbus),
    FIELD(Piix4PmState, U8, asleep),
    FIELD_PADDING(Piix4PmState, padding),
    FIELD_END,
};

static const FieldTable piix4_pm_fields = {"PIIX4_PM", 1, sizeof(Piix4PmState),
                                           piix4_pm_state_fields};

/* A block of ports that configuration registers move about. */
typedef struct PmWindow {
    bool mapped;
    uint16_t base;
} PmWindow;

struct Piix4Pm {
    Piix4PmState state;
    const VirtualClock *clock;
    PortMap *port_map;
    PciDevice *device;
    Piix4PmOptions options;
    Timer timer;
    PmWindow acpi, smbus;
};

/* --- timer and interrupt -----------------------------------------------------------------------
 */

static int64_t pm_ticks(const Piix4Pm *pm) {
    return clock_scale(clock_now_ns(pm->clock), PIIX4_PM_TIMER_HZ, NS_PER_SECOND);
}

/* The clock is asked once for all that an access or event does: time may pass between two
 * questions, and a change of bit 23 there would not be noticed. */
static void pm_update_timer_status(Piix4Pm *pm, int64_t ticks) {
    if (ticks >> TIMER_STATUS_SHIFT != pm->state.timer_seen)
        pm->state.pm1_status |= PM1_TIMER;
}

/* The level of SCI follows status and enable bits; the timer has an event only while its interrupt
 * is enabled. */
static void pm_update(Piix4Pm *pm) {
    Piix4PmState *state = &pm->state;
    int64_t ticks = pm_ticks(pm);
    pm_update_timer_status(pm, ticks);
    bool pm1 = (state->pm1_status & state->pm1_enable & (PM1_ENABLE_BITS)) != 0;
    bool events = (state->event_status & state->event_enable) != 0;
    wire_set(&pm->options.sci, (state->pm1_control & CONTROL_SCI_ENABLE) && (pm1 || events));
    if ((state->pm1_enable & PM1_TIMER) && !(state->pm1_status & PM1_TIMER)) {
        int64_t next = ((ticks >> TIMER_STATUS_SHIFT) + 1) << TIMER_STATUS_SHIFT;
        timer_arm(&pm->timer, clock_scale(next, NS_PER_SECOND, PIIX4_PM_TIMER_HZ) + 1);
    } else {
        timer_cancel(&pm->timer);
    }
}

static void pm_timer_due(void *opaque) {
    pm_update(opaque);
}

bool piix4_pm_is_asleep(const Piix4Pm *pm) {
    return pm->state.asleep != 0;
}

void piix4_pm_wake(Piix4Pm *pm) {
    if (pm->state.asleep && pm->options.wake != NULL)
        pm->options.wake(pm->options.suspend_opaque);
}

/* The button wakes whether or not it is enabled (7.2.1). */
void piix4_pm_press_power_button(Piix4Pm *pm) {
    pm->state.pm1_status |= PM1_POWER_BUTTON;
    pm_update(pm);
    piix4_pm_wake(pm);
}

void piix4_pm_press_sleep_button(Piix4Pm *pm) {
    pm->state.pm1_status |= PM1_SLEEP_BUTTON;
    pm_update(pm);
    piix4_pm_wake(pm);
}

void piix4_pm_clock_alarm(Piix4Pm *pm) {
    pm->state.pm1_status |= PM1_REAL_TIME_CLOCK;
    pm_update(pm);
    if (pm->state.pm1_enable & PM1_REAL_TIME_CLOCK)
        piix4_pm_wake(pm);
}

uint16_t piix4_pm_wake_cause(const Piix4Pm *pm) {
    return pm->state.pm1_status & (PM1_POWER_BUTTON | PM1_SLEEP_BUTTON | PM1_REAL_TIME_CLOCK);
}

void piix4_pm_woken(Piix4Pm *pm, uint16_t cause) {
    pm->state.pm1_status |= PM1_WAKE | cause;
    pm_update(pm);
}

void piix4_pm_raise_event(Piix4Pm *pm, uint16_t events) {
    pm->state.event_status |= events;
    pm_update(pm);
}

/* --- ACPI registers ----------------------------------------------------------------------------
 */

static void pm_sleep(Piix4Pm *pm) {
    unsigned type = (pm->state.pm1_control & CONTROL_SLEEP_TYPE) >> 10;
    if (type == SLEEP_SOFT_OFF || type == SLEEP_SUSPEND_TO_DISK) {
        if (pm->options.power_off != NULL)
            pm->options.power_off(pm->options.power_off_opaque);
    } else if (type == SLEEP_SUSPEND_TO_RAM && pm->options.suspend != NULL) {
        pm->state.asleep = 1;
        pm->options.suspend(pm->options.suspend_opaque);
    } else { /* lighter sleep ends at once */
        pm->state.pm1_status |= PM1_WAKE;
    }
}

/* The registers as bytes, so that accesses of any width meet them. The clock is asked once: time
 * may pass between two questions, and a timer put together from both would go backwards. */
static uint32_t pm_read(void *opaque, uint32_t offset, unsigned size) {
    Piix4Pm *pm = opaque;
    const Piix4PmState *state = &pm->state;
    uint8_t bytes[PM_SIZE] = {0};
    int64_t ticks = pm_ticks(pm);
    pm_update_timer_status(pm, ticks);
    store_le16(bytes + PM1_STATUS, state->pm1_status);
    store_le16(bytes + PM1_ENABLE, state->pm1_enable);
    store_le16(bytes + PM1_CONTROL, state->pm1_control);
    store_le32(bytes + PM_TIMER, (uint32_t)ticks & ((1u << TIMER_BITS) - 1));
    memcpy(bytes + PM_REGISTERS_KEPT, state->kept, sizeof state->kept);
    return (uint32_t)load_le(bytes + offset, size);
}

/* One byte of a 16-bit register. */
static void set_byte(uint16_t *reg, unsigned byte, uint8_t value) {
    *reg = (uint16_t)((*reg & ~(0xFFu << (8 * byte))) | (unsigned)value << (8 * byte));
}

static void pm_clear_status(Piix4Pm *pm, unsigned byte, uint8_t value, int64_t ticks) {
    uint16_t cleared = (uint16_t)((unsigned)value << (8 * byte)) & PM1_STATUS_BITS;
    pm->state.pm1_status &= (uint16_t)~cleared;
    if (cleared & PM1_TIMER)
        pm->state.timer_seen = ticks >> TIMER_STATUS_SHIFT;
}

static void pm_write_byte(Piix4Pm *pm, uint32_t offset, uint8_t value, int64_t ticks) {
    Piix4PmState *state = &pm->state;
    if (offset == GLOBAL_STATUS) {
        state->kept[offset - PM_REGISTERS_KEPT] &= (uint8_t)~value;
        return;
    }
    if (offset >= PM_REGISTERS_KEPT) {
        state->kept[offset - PM_REGISTERS_KEPT] = value;
        return;
    }
    switch (offset & ~1u) {
    case PM1_STATUS:
        pm_clear_status(pm, offset & 1, value, ticks);
        break;
    case PM1_ENABLE:
        set_byte(&state->pm1_enable, offset & 1, value);
        state->pm1_enable &= PM1_ENABLE_BITS;
        break;
    case PM1_CONTROL:
        set_byte(&state->pm1_control, offset & 1, value);
        if (state->pm1_control & CONTROL_SLEEP_ENABLE)
            pm_sleep(pm);
        state->pm1_control &= CONTROL_BITS;
        break;
    default:
        break;
    }
}

static void pm_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Piix4Pm *pm = opaque;
    int64_t ticks = pm_ticks(pm);
    pm_update_timer_status(pm, ticks);
    for (unsigned i = 0; i < size; i++)
        pm_write_byte(pm, offset + i, (uint8_t)(value >> (8 * i)), ticks);
    pm_update(pm);
}

/* --- general purpose events, APM, SMBus --------------------------------------------------------
 */

static uint32_t event_read(void *opaque, uint32_t offset, unsigned size) {
    const Piix4Pm *pm = opaque;
    (void)size;
    uint16_t reg = offset < 2 ? pm->state.event_status : pm->state.event_enable;
    return reg >> (8 * (offset & 1)) & 0xFF;
}

static void event_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Piix4Pm *pm = opaque;
    (void)size;
    if (offset < 2)
        pm->state.event_status &= (uint16_t) ~(value << (8 * offset));
    else
        set_byte(&pm->state.event_enable, offset & 1, (uint8_t)value);
    pm_update(pm);
}

static uint32_t apm_read(void *opaque, uint32_t offset, unsigned size) {
    const Piix4Pm *pm = opaque;
    (void)size;
    return pm->state.apm[offset];
}

/* A write to the control port is an SMI, where firmware wants that (7.1.18). The global enable of
 * GLBCTL is not asked, as on QEMU's board: SeaBIOS sets it before the registers are decoded again
 * when it resumes from S3. */
static void apm_raise_smi(Piix4Pm *pm) {
    uint8_t *kept = pm->state.kept;
    if (!(pci_device_config(pm->device)[CONFIG_APM_ENABLE] & APM_SMI_ENABLE))
        return;
    kept[GLOBAL_STATUS - PM_REGISTERS_KEPT] |= GLOBAL_APM_STATUS;
    wire_pulse(&pm->options.smi);
}

/* The firmware's handler leaves these two commands to the board, as QEMU's does. */
static void apm_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Piix4Pm *pm = opaque;
    (void)size;
    pm->state.apm[offset] = (uint8_t)value;
    if (offset != 0)
        return;
    if (value == APM_ACPI_ENABLE)
        pm->state.pm1_control |= CONTROL_SCI_ENABLE;
    else if (value == APM_ACPI_DISABLE)
        pm->state.pm1_control &= (uint16_t)~CONTROL_SCI_ENABLE;
    pm_update(pm);
    apm_raise_smi(pm);
}

static uint32_t smbus_read(void *opaque, uint32_t offset, unsigned size) {
    const Piix4Pm *pm = opaque;
    (void)size;
    return pm->state.smbus[offset];
}

/* Nothing is on this board's SMBus: every transaction ends with a device error (data sheet 7.3.1).
 */
static void smbus_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Piix4Pm *pm = opaque;
    uint8_t *registers = pm->state.smbus;
    (void)size;
    if (offset == SMBUS_STATUS) {
        registers[SMBUS_STATUS] &= (uint8_t) ~(value & SMBUS_STATUS_BITS);
        return;
    }
    registers[offset] = (uint8_t)value;
    if (offset == SMBUS_CONTROL) {
        registers[SMBUS_CONTROL] &= (uint8_t)~SMBUS_START;
        if (value & SMBUS_START)
            registers[SMBUS_STATUS] |= SMBUS_DEVICE_ERROR;
    }
}

/* --- where the windows are ---------------------------------------------------------------------
 */

/* A place that is taken stays with who has it. */
static void window_move(Piix4Pm *pm, PmWindow *window, bool wanted, PortRange range) {
    if (window->mapped && (!wanted || window->base != range.first)) {
        port_map_remove(pm->port_map, window->base, range.opaque);
        window->mapped = false;
    }
    if (wanted && !window->mapped && range.first != 0 && port_map_add(pm->port_map, &range, NULL)) {
        window->mapped = true;
        window->base = range.first;
    }
}

static void pm_config_written(void *opaque, unsigned offset, unsigned size) {
    Piix4Pm *pm = opaque;
    const uint8_t *config = pci_device_config(pm->device);
    (void)offset, (void)size;
    PortRange acpi = {"acpi-pm", load_le16(config + CONFIG_PM_BASE) & 0xFFC0,
                      PM_SIZE,   PORT_8 | PORT_16 | PORT_32,
                      pm_read,   pm_write,
                      pm};
    PortRange smbus = {"smbus",    load_le16(config + CONFIG_SMBUS_BASE) & 0xFFF0,
                       SMBUS_SIZE, PORT_8,
                       smbus_read, smbus_write,
                       pm};
    window_move(pm, &pm->acpi, (config[CONFIG_PM_MISC] & DECODE_ENABLE) != 0, acpi);
    window_move(pm, &pm->smbus, (config[CONFIG_SMBUS_HOST] & DECODE_ENABLE) != 0, smbus);
}

/* --- the device --------------------------------------------------------------------------------
 */

static void piix4_pm_reset(void *opaque) {
    Piix4Pm *pm = opaque;
    timer_cancel(&pm->timer);
    memset(&pm->state, 0, sizeof pm->state);
    pm->state.timer_due_ns = TIMER_NEVER;
    pm->state.timer_seen = pm_ticks(pm) >> TIMER_STATUS_SHIFT;
    pm_update(pm);
}

static const DeviceClass piix4_pm_class = {"PIIX4_PM", &piix4_pm_fields, piix4_pm_reset, NULL};

/* APMC_EN is clear: so firmware knows that it still has to set up system management mode. */
static const PciRegister registers[] = {
    {PCI_COMMAND, 2, 0x0000, 0x0001, 0},
    {PCI_STATUS, 2, 0x0280, 0, 0x7800},
    {CONFIG_PM_BASE, 4, 0x00000001, 0x0000FFC0, 0},
    {0x44, 4, 0, 0xFFFFFFFF, 0},
    {0x48, 4, 0, 0xFFFFFFFF, 0},
    {0x4C, 4, 0, 0xFFFFFFFF, 0},
    {0x50, 4, 0, 0xFFFFFFFF, 0},
    {0x54, 4, 0, 0xFFFFFFFF, 0},
    {0x58, 2, 0, 0xFFFF, 0},
    {0x5A, 1, 0, 0xFF, 0},
    {CONFIG_APM_ENABLE, 1, 0x00, 0xFF, 0},
    {0x5C, 4, 0, 0xFFFFFFFF, 0},
    {0x60, 4, 0, 0xFFFFFFFF, 0},
    {0x64, 4, 0, 0xFFFFFFFF, 0},
    {0x68, 4, 0, 0xFFFFFFFF, 0},
    {0x6C, 4, 0, 0xFFFFFFFF, 0},
    {0x70, 4, 0, 0xFFFFFFFF, 0},
    {0x74, 4, 0, 0xFFFFFFFF, 0},
    {0x78, 4, 0, 0xFFFFFFFF, 0},
    {CONFIG_PM_MISC, 1, 0, 0xFF, 0},
    {CONFIG_SMBUS_BASE, 4, 0x00000001, 0x0000FFF0, 0},
    {CONFIG_SMBUS_HOST, 1, 0, 0xFF, 0},
    {0xD3, 2, 0, 0xFFFF, 0},
    {0},
};

static bool pm_claim_fixed_ports(Piix4Pm *pm, PortMap *ports, Error *error) {
    const PortRange events = {"acpi-gpe0", EVENT_PORT, 4, PORT_8, event_read, event_write, pm};
    const PortRange apm = {"apm", 0xB2, 2, PORT_8, apm_read, apm_write, pm};
    return port_map_add(ports, &events, error) && port_map_add(ports, &apm, error);
}

Piix4Pm *piix4_pm_create(const DeviceContext *context, PciBus *bus, const Piix4PmOptions *options,
                         Error *error) {
    Piix4Pm *pm = allocate_zeroed(sizeof *pm);
    const PciDeviceInfo info = {
        .name = "PIIX4_PM",
        .vendor_id = 0x8086,
        .device_id = 0x7113,
        .class_code = 0x068000,
        .revision = 3,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .interrupt_pin = 1,
        .registers = registers,
        .opaque = pm,
        .config_written = pm_config_written,
    };
    pm->clock = context->clock;
    pm->port_map = context->ports;
    pm->options = *options;
    if (!pm_claim_fixed_ports(pm, context->ports, error) ||
        (pm->device = pci_device_add(bus, 1, 3, &info, error)) == NULL) {
        free(pm);
        return NULL;
    }
    timer_init(&pm->timer, context->clock, "acpi pm", &pm->state.timer_due_ns, pm_timer_due, pm);
    device_list_add(context->devices, &piix4_pm_class, "piix4_pm", pm, &pm->state);
    return pm;
}

void piix4_pm_destroy(Piix4Pm *pm) {
    free(pm);
}
