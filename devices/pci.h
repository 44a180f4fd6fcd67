/* The PCI bus: configuration mechanism 1 at ports CF8h and CFCh, the devices' configuration spaces,
 * their base address registers and interrupt pins. (PCI Local Bus Specification 2.1, chapters 3
 * and 6.)
 *
 * A chip on the bus hands pci_device_add() a constant description. The configuration space is a
 * State of its own, saved and reset by the bus; what BARs map follows from it alone, so a restore
 * maps them again. */
#ifndef REPRISE_PCI_H
#define REPRISE_PCI_H

#include "apic_message.h"
#include "device_context.h"
#include "pci_messages.h"

typedef struct PciBus PciBus;
typedef struct PciDevice PciDevice;

enum {
    PCI_CONFIG_SIZE = 256,
    PCI_BARS = 6,
    PCI_PIRQS = 4,
};

/* Offsets in the configuration space (specification 6.1). */
enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CLASS_CODE = 0x09,
    PCI_CACHE_LINE_SIZE = 0x0C,
    PCI_LATENCY_TIMER = 0x0D,
    PCI_HEADER_TYPE = 0x0E,
    PCI_BASE_ADDRESS = 0x10,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2C,
    PCI_SUBSYSTEM_ID = 0x2E,
    PCI_ROM_ADDRESS = 0x30,
    PCI_INTERRUPT_LINE = 0x3C,
    PCI_INTERRUPT_PIN = 0x3D,
};

/* Bits of the command register. */
enum {
    PCI_COMMAND_IO = 1 << 0,
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_PIN_OFF = 1 << 10, /* the interrupt pin is silent */
};

typedef enum PciBarType {
    PCI_BAR_NONE,
    PCI_BAR_IO,
    PCI_BAR_MEMORY,
    PCI_BAR_MEMORY_PREFETCHABLE
} PciBarType;

typedef struct PciBar {
    PciBarType type;
    uint32_t size; /* a power of two; at least 4 for I/O, PAGE_SIZE for memory */
    /* The registers that it maps, as in PortRange and MmioRange; with neither of these the chip
     * maps the BAR itself. */
    uint32_t (*read)(void *opaque, uint32_t offset, unsigned size);
    void (*write)(void *opaque, uint32_t offset, unsigned size, uint32_t value);
    uint8_t widths; /* of I/O: PORT_8 and its like; 0: all */
} PciBar;

/* One register that differs from the standard header. A table of them ends with size 0. */
typedef struct PciRegister {
    uint8_t offset, size;  /* 1, 2 or 4 bytes, little-endian */
    uint32_t reset;        /* value after reset */
    uint32_t writable;     /* bits that software may change */
    uint32_t clear_by_one; /* bits that are cleared when software writes a one to them */
} PciRegister;

typedef struct PciDeviceInfo {
    const char *name; /* of the chip, for traces and lists */
    uint16_t vendor_id, device_id;
    uint32_t class_code; /* 24 bits: class, subclass, programming interface */
    uint8_t revision;
    uint16_t subsystem_vendor_id, subsystem_id;
    uint8_t interrupt_pin; /* 0: none; 1 to 4: INTA# to INTD# */
    PciBar bars[PCI_BARS];
    /* An expansion ROM, copied by the bus, or NULL. */
    const uint8_t *rom;
    uint32_t rom_size;
    const PciRegister *registers; /* may be NULL */
    PciMessagesInfo messages;     /* interrupts that are no pin's */

    void *opaque; /* handed to the callbacks below */
    /* A BAR without registers of its own now decodes at 'base' (a port or a memory address): plug
     * the ranges in. Only called
     * for places that may hold a BAR: never over RAM, firmware or the APICs. If the place is taken,
     * do nothing. */
    void (*map)(void *opaque, unsigned bar, uint32_t base);
    /* It no longer does. Must take back whatever map() did, and nothing else. */
    void (*unmap)(void *opaque, unsigned bar, uint32_t base);
    /* Called for each byte read from the configuration space: returns what is read in place of
     * 'stored'. May be NULL. */
    uint8_t (*config_read)(void *opaque, unsigned offset, uint8_t stored);
    /* The registers at 'offset' were written (through the masks, BARs are updated); also called
     * after reset and restore with offset 0 and size PCI_CONFIG_SIZE. May be NULL. */
    void (*config_written)(void *opaque, unsigned offset, unsigned size);
} PciDeviceInfo;

/* Bus 0, empty, with its two ports claimed. */
PciBus *pci_bus_create(const DeviceContext *context, Error *error);
/* Frees the bus and the PciDevices on it (not the chips behind them), and takes away what they map
 * of registers. */
void pci_bus_destroy(PciBus *bus);

/* Where the four interrupt lines PIRQA# to PIRQD# lead (level 1: asserted). Pin p of slot s drives
 * line (s - 1 + p - 1) mod 4, as on boards with an i440FX. */
void pci_bus_set_pirq_wires(PciBus *bus, const Wire wires[PCI_PIRQS]);

/* Port CF9h lies within the address register but belongs to the ISA bridge: byte accesses to it go
 * to these. */
void pci_bus_set_reset_control(PciBus *bus, uint8_t (*read)(void *opaque),
                               void (*write)(void *opaque, uint8_t value), void *opaque);

/* Puts a device into (slot, function). 'info' is copied, the tables it points to (but the ROM) must
 * stay. NULL and an error if the place is taken or does not exist. */
PciDevice *pci_device_add(PciBus *bus, unsigned slot, unsigned function, const PciDeviceInfo *info,
                          Error *error);

/* The ROM was made for several devices: where its header names another one than this, it names this
 * one now, as a BIOS wants it. */
void pci_device_adopt_rom(PciDevice *device);

/* The device in that place, or NULL. */
PciDevice *pci_bus_device(const PciBus *bus, unsigned slot, unsigned function);
const PciDeviceInfo *pci_device_info(const PciDevice *device);

/* The configuration space as stored, PCI_CONFIG_SIZE bytes: for the chip itself, masks do not
 * apply. */
uint8_t *pci_device_config(PciDevice *device);
/* Little-endian access to it, 1, 2 or 4 bytes. */
uint32_t pci_device_get(const PciDevice *device, unsigned offset, unsigned size);
void pci_device_put(PciDevice *device, unsigned offset, unsigned size, uint32_t value);

/* Changes which bits of a byte software may write, for registers with a lock. The chip sets it
 * again whenever the register is reset or restored, from config_written(). */
void pci_device_set_writable(PciDevice *device, unsigned offset, uint8_t mask);

/* Where a BAR decodes at present (6 is the ROM); false if nowhere. */
bool pci_device_bar_base(const PciDevice *device, unsigned bar, uint32_t *base);
/* Whether the guest lets the device master the bus: no DMA without it. */
bool pci_device_is_master(const PciDevice *device);

/* Drives the device's interrupt pin; level 1: asserted. The first form fits a Wire, 'line' is
 * ignored. */
void pci_device_set_pin(void *device, int line, int level);

/* Where interrupts that are messages go; before that, nowhere. */
void pci_bus_set_message_bus(PciBus *bus, const ApicBus *messages);

/* Software wants messages in place of the pin, which is silent then, whatever it is told. */
bool pci_device_has_messages_on(const PciDevice *device);
/* Sends one, if they are on; where its vector is masked it is kept until it is not. MSI has vector
 * 0 alone. */
void pci_device_send_message(PciDevice *device, unsigned vector);
/* How many vectors there are; 0: the device has no messages. */
unsigned pci_device_message_vectors(const PciDevice *device);
/* Accesses to a BAR that has table or pending bits; false: they are about something else there. */
bool pci_device_message_read(PciDevice *device, unsigned bar, uint32_t offset, unsigned size,
                             uint32_t *value);
bool pci_device_message_write(PciDevice *device, unsigned bar, uint32_t offset, unsigned size,
                              uint32_t value);

/* Accesses to the configuration space as software makes them: offset + size <= PCI_CONFIG_SIZE. */
uint32_t pci_device_config_read(PciDevice *device, unsigned offset, unsigned size);
void pci_device_config_write(PciDevice *device, unsigned offset, unsigned size, uint32_t value);

#endif
