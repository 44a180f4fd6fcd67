/* The USB controller, which is function 2 of the PIIX3 unless it was asked for elsewhere, and all
 * that can be plugged into it, plugged in or not. */
#include "board_parts.h"
#include "machine_parts.h"
#include "scsi_cd.h"
#include "scsi_disk.h"
#include "uhci.h"
#include "usb_hub.h"
#include "usb_keyboard.h"
#include "usb_mouse.h"
#include "usb_ports.h"
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
    case USB_DEVICE_HUB:
        return config->disk < MACHINE_USB_HUBS ? usb_hub_device(board->usb_hub[config->disk])
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

uint32_t board_find_usb_port(const Board *board, const UsbDeviceConfig *config, Error *error) {
    const UsbBus *bus = board->usb_bus;
    unsigned root = uhci_socket(board->usb);
    char text[USB_PATH_TEXT];
    int socket = config->port != 0 ? usb_bus_find_socket(bus, root, config->port)
                                   : usb_bus_find_free(bus, root);
    if (socket >= 0 && usb_bus_device(bus, (unsigned)socket) == NULL)
        return usb_bus_path(bus, (unsigned)socket);
    usb_path_print(config->port, text);
    if (socket >= 0)
        error_set(error, "USB port %s is taken", text);
    else if (config->port != 0)
        error_set(error, "there is no USB port %s", text);
    else
        error_set(error, "all USB ports are taken; a usb-hub has %d more", USB_HUB_PORTS);
    return 0;
}

void board_name_usb_device(Board *board, const UsbDeviceConfig *config, const char *id) {
    UsbDevice *device = find_device(board, config);
    if (device != NULL)
        device->id = id;
}

bool board_plug_usb(Board *board, const UsbDeviceConfig *config, uint32_t port) {
    UsbDevice *device = board->usb_bus != NULL ? find_device(board, config) : NULL;
    if (device == NULL || (port == 0 && config->kind == USB_DEVICE_HUB &&
                           usb_hub_is_used(board->usb_hub[config->disk])))
        return false;
    if (port == 0) {
        usb_bus_unplug(board->usb_bus, device);
        return true;
    }
    int socket = usb_bus_find_socket(board->usb_bus, uhci_socket(board->usb), port);
    return socket >= 0 && usb_bus_plug_in(board->usb_bus, (unsigned)socket, device, NULL);
}

static bool plug_in(Board *board, const UsbDeviceConfig *config, uint32_t port, Error *error) {
    UsbDeviceConfig placed = *config;
    placed.port = port;
    port = board_find_usb_port(board, &placed, error);
    if (port == 0)
        return false;
    board_name_usb_device(board, config, config->id);
    return board_plug_usb(board, config, port);
}

/* Hubs come before what is plugged into them. */
static bool plug_in_all(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    UsbPorts ports;
    usb_ports_plan(config, &ports);
    const UsbDeviceConfig spare = {.kind = USB_DEVICE_HUB, .disk = ports.spare_hub_number};
    if (ports.spare_hub != 0 && !plug_in(board, &spare, ports.spare_hub, error))
        return false;
    for (unsigned depth = 0; depth < USB_PATH_PORTS; depth++)
        for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++) {
            uint32_t port = ports.device[i];
            bool is_its_turn =
                usb_path_port(port, depth + 1) == 0 && (depth == 0 || usb_path_port(port, depth));
            if (config->usb_device[i].kind != USB_DEVICE_NONE && is_its_turn &&
                !plug_in(board, &config->usb_device[i], port, error))
                return false;
        }
    return true;
}

static void create_hubs(Board *board) {
    DeviceContext context = board_context(board);
    for (unsigned i = 0; i < MACHINE_USB_HUBS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "usb-hub%u", i);
        board->usb_hub[i] = usb_hub_create(&context, board->usb_bus, id);
    }
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
    create_hubs(board);
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
    for (unsigned i = 0; i < MACHINE_USB_HUBS; i++)
        usb_hub_destroy(board->usb_hub[i]);
    uhci_destroy(board->usb);
    usb_bus_destroy(board->usb_bus);
}

/* Asked before anything is plugged in. */
void board_print_usb_disk_path(const Board *board, unsigned disk, ByteBuffer *text) {
    const MachineConfig *config = &board->machine->config;
    Place place = controller_place(config);
    UsbPorts ports;
    uint32_t port = 1;
    usb_ports_plan(config, &ports);
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++)
        if (config->usb_device[i].kind == USB_DEVICE_STORAGE && config->usb_device[i].disk == disk)
            port = ports.device[i];
    byte_buffer_print(text, "/pci@i0cf8/usb@%x", place.slot);
    if (place.function != 0)
        byte_buffer_print(text, ",%x", place.function);
    unsigned depth = 0;
    for (; usb_path_port(port, depth + 1) != 0; depth++)
        byte_buffer_print(text, "/hub@%x", usb_path_port(port, depth));
    byte_buffer_print(text, "/storage@%x/channel@0/disk@0,0\n", usb_path_port(port, depth));
}
