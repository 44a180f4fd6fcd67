/* The USB controller, which is function 2 of the PIIX3 unless it was asked for elsewhere, and all
 * that can be plugged into it, plugged in or not. */
#include "board_parts.h"
#include "machine_parts.h"
#include "scsi_cd.h"
#include "scsi_disk.h"
#include "uhci.h"
#include "usb_keyboard.h"
#include "usb_mouse.h"
#include "usb_storage.h"
#include "usb_tablet.h"

#include <stdio.h>

enum { SLOT_PIIX3 = 1, FUNCTION_USB = 2 };

#define FIRST_DISK (MACHINE_FLOPPIES + MACHINE_IDE_DRIVES)
#define NO_DISK ((IdeGeometry){.cylinders = 1, .heads = 16, .sectors = 63})

static ScsiTarget *create_disk(Board *board, unsigned disk) {
    DeviceContext context = board_context(board);
    const BoardDrive *drive = &board->drive[FIRST_DISK + disk];
    char id[32];
    snprintf(id, sizeof(id), "usb-disk%u", disk);
    const ScsiDiskOptions options = {
        .id = id,
        .medium = drive->medium,
        .serial = board->machine->config.pci_disk[disk].drive.serial,
        .device_id = drive->present ? drive->id : NULL,
        .geometry = drive->present ? (IdeGeometry){0} : NO_DISK,
    };
    board->scsi_disk[disk] = scsi_disk_create(&context, &options);
    return scsi_disk_target(board->scsi_disk[disk]);
}

static ScsiTarget *create_cd(Board *board, unsigned disk, Error *error) {
    DeviceContext context = board_context(board);
    const BoardDrive *drive = &board->drive[FIRST_DISK + disk];
    char id[32], channel_id[32];
    snprintf(id, sizeof(id), "usb-cd%u", disk);
    snprintf(channel_id, sizeof(channel_id), "usb-cd-drive%u", disk);
    const ScsiCdOptions options = {
        .id = id,
        .channel_id = channel_id,
        .medium = drive->medium,
        .serial = board->machine->config.pci_disk[disk].drive.serial,
        .device_id = drive->id,
    };
    board->scsi_cd[disk] = scsi_cd_create(&context, &options, error);
    return board->scsi_cd[disk] != NULL ? scsi_cd_target(board->scsi_cd[disk]) : NULL;
}

/* Also where no disk is yet: one may be plugged in. */
static bool create_storage(Board *board, unsigned disk, Error *error) {
    DeviceContext context = board_context(board);
    const PciDiskConfig *config = &board->machine->config.pci_disk[disk];
    char id[32];
    if (config->drive.present && config->kind != PCI_DISK_USB)
        return true;
    snprintf(id, sizeof(id), "usb-storage%u", disk);
    ScsiTarget *target = config->drive.present && config->drive.is_cd
                             ? create_cd(board, disk, error)
                             : create_disk(board, disk);
    if (target == NULL)
        return false;
    board->usb_storage[disk] = usb_storage_create(&context, board->usb_bus, id, target);
    return true;
}

static void put_medium(Board *board, unsigned disk, BlockNode *medium) {
    scsi_disk_restore_medium(board->scsi_disk[disk], medium);
    scsi_disk_restore_geometry(board->scsi_disk[disk],
                               medium != NULL ? ide_geometry_guess(medium) : NO_DISK);
}

bool board_fill_usb_disk(Board *board, unsigned disk, BlockNode *medium, Error *error) {
    const PciDiskConfig *config = &board->machine->config.pci_disk[disk];
    BoardDrive *drive = &board->drive[FIRST_DISK + disk];
    if (!board_fill_drive(board, drive, &config->drive, medium, error)) {
        drive->present = false;
        return false;
    }
    put_medium(board, disk, drive->medium);
    return true;
}

void board_empty_usb_disk(Board *board, unsigned disk) {
    BoardDrive *drive = &board->drive[FIRST_DISK + disk];
    put_medium(board, disk, NULL);
    block_close(drive->medium);
    drive->medium = NULL;
    drive->present = false;
}

static UsbDevice *find_device(const Board *board, const UsbDeviceConfig *config) {
    switch (config->kind) {
    case USB_DEVICE_TABLET:
        return usb_tablet_device(board->usb_tablet);
    case USB_DEVICE_KEYBOARD:
        return usb_keyboard_device(board->usb_keyboard);
    case USB_DEVICE_MOUSE:
        return usb_mouse_device(board->usb_mouse);
    case USB_DEVICE_STORAGE:
        return config->disk < MACHINE_PCI_DISKS && board->usb_storage[config->disk] != NULL
                   ? usb_storage_device(board->usb_storage[config->disk])
                   : NULL;
    default:
        return NULL;
    }
}

typedef struct Place {
    unsigned slot, function;
} Place;

static Place controller_place(const MachineConfig *config) {
    return config->usb_slot != 0 ? (Place){config->usb_slot, 0} : (Place){SLOT_PIIX3, FUNCTION_USB};
}

static UsbDevice *device_in(const Board *board, unsigned port) {
    return usb_bus_device(board->usb_bus, uhci_socket(board->usb) + port - 1);
}

unsigned board_find_usb_port(const Board *board, const UsbDeviceConfig *config, Error *error) {
    if (config->port != 0 && device_in(board, config->port) == NULL)
        return config->port;
    for (unsigned port = 1; config->port == 0 && port <= UHCI_PORTS; port++)
        if (device_in(board, port) == NULL)
            return port;
    if (config->port != 0)
        error_set(error, "port %u of the USB controller is taken", config->port);
    else
        error_set(error, "both ports of the USB controller are taken");
    return 0;
}

void board_name_usb_device(Board *board, const UsbDeviceConfig *config, const char *id) {
    UsbDevice *device = find_device(board, config);
    if (device != NULL)
        device->id = id;
}

bool board_plug_usb(Board *board, const UsbDeviceConfig *config, unsigned port) {
    UsbDevice *device = board->usb_bus != NULL ? find_device(board, config) : NULL;
    if (device == NULL || port > UHCI_PORTS)
        return false;
    if (port != 0)
        return usb_bus_plug_in(board->usb_bus, uhci_socket(board->usb) + port - 1, device, NULL);
    usb_bus_unplug(board->usb_bus, device);
    return true;
}

static bool plug_in(Board *board, const UsbDeviceConfig *config, Error *error) {
    unsigned port = board_find_usb_port(board, config, error);
    if (port == 0)
        return false;
    board_name_usb_device(board, config, config->id);
    return usb_bus_plug_in(board->usb_bus, uhci_socket(board->usb) + port - 1,
                           find_device(board, config), error);
}

/* Who asks for a port has it; the others take what is left. */
static bool plug_in_all(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    for (int asked = 1; asked >= 0; asked--)
        for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++) {
            const UsbDeviceConfig *device = &config->usb_device[i];
            if (device->kind != USB_DEVICE_NONE && (device->port != 0) == asked &&
                !plug_in(board, device, error))
                return false;
        }
    return true;
}

bool board_create_usb(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    DeviceContext context = board_context(board);
    if (!config->has_usb && config->usb_device[0].kind == USB_DEVICE_NONE)
        return true;
    Place place = controller_place(config);
    board->usb_bus = usb_bus_create();
    board->usb =
        uhci_create(&context, board->pci, board->usb_bus, place.slot, place.function, error);
    if (board->usb == NULL)
        return false;
    board->usb_tablet = usb_tablet_create(&context, board->usb_bus);
    board->usb_keyboard = usb_keyboard_create(&context, board->usb_bus);
    board->usb_mouse = usb_mouse_create(&context, board->usb_bus);
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++)
        if (!create_storage(board, i, error))
            return false;
    return plug_in_all(board, error);
}

void board_destroy_usb(Board *board) {
    usb_tablet_destroy(board->usb_tablet);
    usb_keyboard_destroy(board->usb_keyboard);
    usb_mouse_destroy(board->usb_mouse);
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++)
        usb_storage_destroy(board->usb_storage[i]);
    uhci_destroy(board->usb);
    usb_bus_destroy(board->usb_bus);
}

/* The port is known before anything is plugged in if it was asked for; else it is found as
 * plug_in_all() will. */
static unsigned future_port(const MachineConfig *config, unsigned disk) {
    bool taken[UHCI_PORTS + 1] = {false};
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++)
        if (config->usb_device[i].kind != USB_DEVICE_NONE && config->usb_device[i].port != 0)
            taken[config->usb_device[i].port] = true;
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++) {
        const UsbDeviceConfig *device = &config->usb_device[i];
        unsigned port = device->port;
        if (device->kind == USB_DEVICE_NONE)
            break;
        for (unsigned free = 1; port == 0 && free <= UHCI_PORTS; free++)
            if (!taken[free])
                port = free;
        if (device->kind == USB_DEVICE_STORAGE && device->disk == disk)
            return port;
        taken[port] = true;
    }
    return 1;
}

void board_print_usb_disk_path(const Board *board, unsigned disk, ByteBuffer *text) {
    const MachineConfig *config = &board->machine->config;
    Place place = controller_place(config);
    byte_buffer_print(text, "/pci@i0cf8/usb@%x", place.slot);
    if (place.function != 0)
        byte_buffer_print(text, ",%x", place.function);
    byte_buffer_print(text, "/storage@%x/channel@0/disk@0,0\n", future_port(config, disk));
}
