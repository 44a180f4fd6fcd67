/* 'info qtree': buses and what is plugged into them, with the names and the form of QEMU. */
#include "machine_parts.h"
#include "monitor_pci.h"

#include <stddef.h>
#include <string.h>

enum { SPACES = 2 };

static void print_indent(Monitor *monitor, unsigned depth) {
    monitor_print(monitor, "%*s", (int)(depth * SPACES), "");
}

static void print_bus(Monitor *monitor, unsigned depth, const char *name, const char *type) {
    print_indent(monitor, depth);
    monitor_print(monitor, "bus: %s\n", name);
    print_indent(monitor, depth + 1);
    monitor_print(monitor, "type %s\n", type);
}

static void print_device(Monitor *monitor, unsigned depth, const char *name, const char *id) {
    print_indent(monitor, depth);
    monitor_print(monitor, "dev: %s, id \"%s\"\n", name, id);
}

static void print_number(Monitor *monitor, unsigned depth, const char *name, uint32_t value) {
    print_indent(monitor, depth);
    monitor_print(monitor, "%s = %u (0x%x)\n", name, value, value);
}

static void print_string(Monitor *monitor, unsigned depth, const char *name, const char *value) {
    print_indent(monitor, depth);
    monitor_print(monitor, "%s = \"%s\"\n", name, value);
}

static const char *drive_type(const Board *board, const BoardDrive *drive) {
    if (drive->is_floppy)
        return "floppy";
    const PciDiskConfig *disk =
        drive->is_on_pci ? &board->machine->config.pci_disk[drive->unit] : NULL;
    if (disk != NULL && (disk->kind == PCI_DISK_SCSI || disk->kind == PCI_DISK_USB))
        return drive->is_cd ? "scsi-cd" : "scsi-hd";
    if (drive->is_cd)
        return "ide-cd";
    return disk != NULL && disk->kind != PCI_DISK_AHCI ? "drive" : "ide-hd";
}

static void print_drive(Monitor *monitor, unsigned depth, const BoardDrive *drive, unsigned unit) {
    print_device(monitor, depth, drive_type(&monitor->machine->board, drive), "");
    print_string(monitor, depth + 1, "drive", drive->id);
    print_string(monitor, depth + 1, "file",
                 drive->medium != NULL ? block_path(drive->medium) : "");
    print_number(monitor, depth + 1, "unit", unit);
}

static void print_drives(Monitor *monitor, unsigned depth, unsigned first, unsigned count) {
    const Board *board = &monitor->machine->board;
    for (unsigned i = 0; i < count; i++) {
        const BoardDrive *drive = &board->drive[first + i];
        if (!drive->present)
            continue;
        print_drive(monitor, depth, drive, i);
    }
}

static void print_floppy_bus(Monitor *monitor, unsigned depth) {
    print_bus(monitor, depth, "floppy-bus.0", "floppy-bus");
    print_drives(monitor, depth + 1, 0, MACHINE_FLOPPIES);
}

#define NUMBERS_MAX 3
typedef struct IsaRow {
    const char *name;
    size_t member; /* of Board: a pointer, NULL if the device is not there */
    struct {
        const char *name;
        uint32_t value;
    } numbers[NUMBERS_MAX];
    void (*print_below)(Monitor *monitor, unsigned depth);
} IsaRow;

#define MEMBER(name) offsetof(Board, name)

// clang-format off
static const IsaRow isa_rows[] = {
    {"port92",       MEMBER(port92),              {{"iobase", 0x92}}, NULL},
    {"i8042",        MEMBER(keyboard_controller), {{"kbd-irq", 1}, {"mouse-irq", 12}}, NULL},
    {"vmport",       MEMBER(vmware_port),         {{"iobase", 0x5658}}, NULL},
    {"vmmouse",      MEMBER(vmware_port),         {{NULL, 0}}, NULL},
    {"isa-fdc",      MEMBER(floppy),              {{"iobase", 0x3F0}, {"irq", 6}, {"dma", 2}}, print_floppy_bus},
    {"isa-parallel", MEMBER(parallel[0]),         {{"index", 0}, {"iobase", 0x378}, {"irq", 7}}, NULL},
    {"isa-parallel", MEMBER(parallel[1]),         {{"index", 1}, {"iobase", 0x278}, {"irq", 5}}, NULL},
    {"isa-parallel", MEMBER(parallel[2]),         {{"index", 2}, {"iobase", 0x3BC}, {"irq", 7}}, NULL},
    {"isa-serial",   MEMBER(serial[0]),           {{"index", 0}, {"iobase", 0x3F8}, {"irq", 4}}, NULL},
    {"isa-serial",   MEMBER(serial[1]),           {{"index", 1}, {"iobase", 0x2F8}, {"irq", 3}}, NULL},
    {"isa-serial",   MEMBER(serial[2]),           {{"index", 2}, {"iobase", 0x3E8}, {"irq", 4}}, NULL},
    {"isa-serial",   MEMBER(serial[3]),           {{"index", 3}, {"iobase", 0x2E8}, {"irq", 3}}, NULL},
    {"isa-pcspk",    MEMBER(speaker),             {{"iobase", 0x61}}, NULL},
    {"isa-pit",      MEMBER(pit),                 {{"iobase", 0x40}}, NULL},
    {"mc146818rtc",  MEMBER(rtc),                 {{"iobase", 0x70}, {"irq", 8}}, NULL},
    {"isa-i8259",    MEMBER(pic),                 {{"iobase", 0xA0}, {"elcr_addr", 0x4D1}}, NULL},
    {"isa-i8259",    MEMBER(pic),                 {{"iobase", 0x20}, {"elcr_addr", 0x4D0}}, NULL},
    {"i8257",        MEMBER(dma),                 {{"base", 0xC0}, {"page-base", 0x88}}, NULL},
    {"i8257",        MEMBER(dma),                 {{"base", 0x00}, {"page-base", 0x80}}, NULL},
    {"isa-debugcon", MEMBER(debug_console),       {{"iobase", 0xE9}}, NULL},
    {"isa-debugcon", MEMBER(firmware_log),        {{"iobase", 0x402}}, NULL},
    {"isa-debug-exit", MEMBER(debug_exit),        {{NULL, 0}}, NULL},
    {"pvpanic",      MEMBER(pvpanic),             {{NULL, 0}}, NULL},
    {"sb16",         MEMBER(sb16),                {{NULL, 0}}, NULL},
    {"adlib",        MEMBER(opl),                 {{"iobase", 0x388}}, NULL},
    {"mpu401",       MEMBER(midi),                {{NULL, 0}}, NULL},
    {"gameport",     MEMBER(gameport),            {{"iobase", 0x200}}, NULL},
    {"pc-testdev",   MEMBER(pc_testdev),          {{"iobase", 0xE0}}, NULL},
};
// clang-format on

static bool is_there(const Board *board, size_t member) {
    void *pointer;
    memcpy(&pointer, (const char *)board + member, sizeof(pointer));
    return pointer != NULL;
}

/* Where a sound card was put. */
static void print_card(Monitor *monitor, unsigned depth, const IsaRow *row) {
    const MachineConfig *config = &monitor->machine->config;
    const SoundConfig *sb16 = &config->sound[SOUND_SB16], *mpu401 = &config->sound[SOUND_MPU401];
    if (row->member == MEMBER(sb16)) {
        print_number(monitor, depth, "iobase", sb16->port);
        print_number(monitor, depth, "irq", sb16->irq);
        print_number(monitor, depth, "dma", sb16->dma);
        print_number(monitor, depth, "dma16", sb16->dma16);
    } else if (row->member == MEMBER(midi)) {
        print_number(monitor, depth, "iobase", mpu401->present ? mpu401->port : 0x330);
    }
}

static void print_isa_bus(Monitor *monitor, unsigned depth) {
    const MachineConfig *config = &monitor->machine->config;
    print_bus(monitor, depth, "isa.0", "ISA");
    for (size_t i = 0; i < sizeof(isa_rows) / sizeof(isa_rows[0]); i++) {
        const IsaRow *row = &isa_rows[i];
        if (!is_there(&monitor->machine->board, row->member))
            continue;
        print_device(monitor, depth + 1, row->name, "");
        for (unsigned n = 0; n < NUMBERS_MAX && row->numbers[n].name != NULL; n++)
            print_number(monitor, depth + 2, row->numbers[n].name, row->numbers[n].value);
        if (row->member == MEMBER(debug_exit)) { /* the one whose place is chosen */
            print_number(monitor, depth + 2, "iobase", config->debug_exit_port);
            print_number(monitor, depth + 2, "iosize", config->debug_exit_size);
        }
        print_card(monitor, depth + 2, row);
        if (row->member == MEMBER(pvpanic))
            print_number(monitor, depth + 2, "ioport", config->pvpanic_port);
        if (row->print_below != NULL)
            row->print_below(monitor, depth + 2);
    }
}

static void print_ide_buses(Monitor *monitor, unsigned depth) {
    print_bus(monitor, depth, "ide.0", "IDE");
    print_drives(monitor, depth + 1, MACHINE_FLOPPIES, 2);
    print_bus(monitor, depth, "ide.1", "IDE");
    print_drives(monitor, depth + 1, MACHINE_FLOPPIES + 2, 2);
}

/* The disks behind a controller in a slot. */
static void print_pci_disks(Monitor *monitor, unsigned depth, unsigned slot) {
    const Board *board = &monitor->machine->board;
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const BoardDrive *drive = &board->drive[MACHINE_FLOPPIES + MACHINE_IDE_DRIVES + i];
        const PciDiskConfig *config = &board->machine->config.pci_disk[i];
        bool is_sata = config->kind == PCI_DISK_AHCI, is_scsi = config->kind == PCI_DISK_SCSI;
        unsigned place = is_sata   ? board->ahci_slot
                         : is_scsi ? board->scsi_slot
                                   : board->pci_disk_slot[i];
        if (drive->present && place == slot)
            print_drive(monitor, depth, drive, is_sata || is_scsi ? config->port : 0);
    }
}

static void print_pci_device(Monitor *monitor, unsigned depth, const PciDevice *device,
                             unsigned slot, unsigned function) {
    const PciDeviceInfo *info = pci_device_info(device);
    print_device(monitor, depth, info->name, "");
    print_indent(monitor, depth + 1);
    monitor_print(monitor, "addr = %02x.%x\n", slot, function);
    print_indent(monitor, depth + 1);
    monitor_print(monitor, "class ");
    monitor_print_pci_class(monitor, info);
    monitor_print(monitor, ", addr 00:%02x.%x, pci id %04x:%04x (sub %04x:%04x)\n", slot, function,
                  info->vendor_id, info->device_id, info->subsystem_vendor_id, info->subsystem_id);
    for (unsigned bar = 0; bar <= PCI_BARS; bar++) {
        MonitorPciBar place;
        if (!monitor_pci_bar(device, bar, &place))
            continue;
        print_indent(monitor, depth + 1);
        monitor_print(monitor, "bar %u: %s at 0x%llx [0x%llx]\n", bar, place.is_io ? "i/o" : "mem",
                      (unsigned long long)place.first, (unsigned long long)place.last);
    }
    if (info->class_code >> 8 == 0x0601)
        print_isa_bus(monitor, depth + 1);
    else if (info->class_code >> 8 == 0x0101)
        print_ide_buses(monitor, depth + 1);
    print_pci_disks(monitor, depth + 1, slot);
}

bool monitor_info_qtree(Monitor *monitor, char *arguments, Error *error) {
    const Board *board = &monitor->machine->board;
    (void)arguments;
    (void)error;
    print_bus(monitor, 0, "main-system-bus", "System");
    if (is_there(board, MEMBER(hpet)))
        print_device(monitor, 1, "hpet", "");
    if (is_there(board, MEMBER(io_apic)))
        print_device(monitor, 1, "ioapic", "");
    if (board->pci != NULL) {
        print_device(monitor, 1, "i440FX-pcihost", "");
        print_bus(monitor, 2, "pci.0", "PCI");
    }
    for (unsigned place = 0; place < 32 * 8; place++) {
        const PciDevice *device = pci_bus_device(board->pci, place / 8, place % 8);
        if (device != NULL)
            print_pci_device(monitor, 3, device, place / 8, place % 8);
    }
    print_device(monitor, 1, "fw_cfg_io", "");
    return true;
}
