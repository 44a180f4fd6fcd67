#include "usb_plug.h"
#include "board_drives.h"
#include "board_parts.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "machine_recording.h"
#include "usb_hub.h"

#define FIRST_DISK (MACHINE_FLOPPIES + MACHINE_IDE_DRIVES)

static bool act(Machine *machine, const UsbDeviceConfig *device, uint32_t port, Error *error) {
    const uint32_t numbers[] = {(uint32_t)device->kind, device->disk, port};
    return machine_act_numbers(machine, ACTION_PLUG_USB, numbers, 3) ||
           error_set(error, "it is plugged in already, or the machine replays what was");
}

/* A disk's bytes come from outside: nobody could repeat that. */
static bool put_in(Machine *machine, const PciDiskConfig *disk, unsigned number, BlockNode *medium,
                   Error *error) {
    Board *board = &machine->board;
    BoardDrive *drive = &board->drive[FIRST_DISK + number];
    if (board->usb_storage[number] == NULL || drive->present)
        return error_set(error, "there is no room for another disk");
    if (disk->drive.is_cd)
        return error_set(error, "a CD drive cannot come while the machine runs");
    machine->config.pci_disk[number] = *disk;
    if (!board_fill_usb_disk(board, number, medium, error)) {
        machine->config.pci_disk[number] = (PciDiskConfig){.kind = PCI_DISK_USB};
        return false;
    }
    machine_changed_otherwise(machine, "a disk that was plugged in");
    return true;
}

static void take_out(Machine *machine, unsigned number) {
    machine_changed_otherwise(machine, "a disk that was pulled out");
    board_empty_usb_disk(&machine->board, number);
    machine->config.pci_disk[number] = (PciDiskConfig){.kind = PCI_DISK_USB};
}

bool usb_plug_in(Machine *machine, const UsbDeviceConfig *device, const PciDiskConfig *disk,
                 BlockNode *medium, Error *error) {
    bool is_disk = device->kind == USB_DEVICE_STORAGE;
    uint32_t port = board_find_usb_port(&machine->board, device, error);
    if (machine_is_replaying(machine))
        return error_set(error, "the machine replays what was: nothing new can be plugged in");
    if (port == 0 || (is_disk && !put_in(machine, disk, device->disk, medium, error)))
        return false;
    board_name_usb_device(&machine->board, device, device->id);
    if (act(machine, device, port, error))
        return true;
    if (is_disk)
        take_out(machine, device->disk);
    return false;
}

bool usb_plug_out(Machine *machine, const UsbDeviceConfig *device, Error *error) {
    if (device->kind == USB_DEVICE_HUB && usb_hub_is_used(machine->board.usb_hub[device->disk]))
        return error_set(error, "something is plugged into this hub");
    if (!act(machine, device, 0, error))
        return false;
    if (device->kind == USB_DEVICE_STORAGE)
        take_out(machine, device->disk);
    board_name_usb_device(&machine->board, device, NULL);
    return true;
}
