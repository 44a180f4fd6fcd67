/* 'info' about chips: block, device, hash, post, usb. */
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "monitor_command.h"
#include "post_log.h"
#include "usb_bus.h"

#include <string.h>

static void print_drive(Monitor *monitor, const Board *board, const BoardDrive *drive) {
    if (drive->medium == NULL)
        monitor_print(monitor, "%s: [not inserted]\n", drive->id);
    else
        monitor_print(monitor, "%s: %s (%s%s)\n", drive->id, block_path(drive->medium),
                      block_format(drive->medium),
                      block_is_read_only(drive->medium) ? ", read-only" : "");
    if (drive->is_floppy || drive->is_cd)
        monitor_print(monitor, "    Removable device: %slocked, tray %s\n",
                      board_tray_is_locked(board, drive) ? "" : "not ",
                      board_tray_is_open(board, drive) ? "open" : "closed");
    if (drive->snapshot)
        monitor_print(monitor, "    Writes are temporary\n");
}

bool monitor_info_block(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    const Board *board = &monitor->machine->board;
    bool first = true;
    for (int i = 0; i < BOARD_DRIVES; i++) {
        if (!board->drive[i].present)
            continue;
        monitor_print(monitor, "%s", first ? "" : "\n");
        print_drive(monitor, board, &board->drive[i]);
        first = false;
    }
    return true;
}

bool monitor_info_device(Monitor *monitor, char *arguments, Error *error) {
    const DeviceList *devices = &monitor->machine->devices;
    char *id = monitor_next_word(&arguments);
    for (int i = 0; i < devices->count; i++) {
        const DeviceEntry *entry = &devices->entries[i];
        if (id == NULL) {
            monitor_print(monitor, "%s (%s)\n", entry->id, entry->device_class->name);
        } else if (strcmp(entry->id, id) == 0) {
            field_table_print(entry->device_class->fields, entry->state, &monitor->output);
            return true;
        }
    }
    return id == NULL || error_set(error, "Device '%s' not found", id);
}

bool monitor_info_usb(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    const UsbBus *usb = monitor->machine->board.usb_bus;
    if (usb == NULL)
        return error_set(error, "USB support not enabled");
    for (unsigned socket = 0; socket < USB_BUS_SOCKETS; socket++) {
        const UsbDevice *device = usb_bus_device(usb, socket);
        if (device == NULL)
            continue;
        char port[USB_PATH_TEXT];
        usb_path_print(usb_bus_path(usb, socket), port);
        monitor_print(monitor, "  Device 0.%u, Port %s, Speed %s Mb/s, Product %s",
                      device->address(device->opaque), port, device->low_speed ? "1.5" : "12",
                      device->name);
        monitor_print(monitor, device->id != NULL ? ", ID: %s\n" : "\n", device->id);
    }
    return true;
}

bool monitor_info_hash(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    monitor_print(monitor, "%016llx\n", (unsigned long long)machine_state_hash(monitor->machine));
    return true;
}

/* The last code of each port, then all that are kept, in the lines of '-d post'. */
bool monitor_info_post(Monitor *monitor, char *arguments, Error *error) {
    static const uint16_t ports[] = {POST_PORT_AT, POST_PORT_PS2};
    (void)arguments;
    (void)error;
    const PostLog *log = monitor->machine->board.post_log;
    PostCode codes[POST_CODES_KEPT];
    unsigned kept = post_log_get_codes(log, codes);
    for (unsigned i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        uint8_t last;
        if (post_log_get_last(log, ports[i], &last))
            monitor_print(monitor, "last code at port %X: %02X\n", ports[i], last);
        else
            monitor_print(monitor, "last code at port %X: none\n", ports[i]);
    }
    if (kept > 0)
        monitor_print(monitor, "the last %u of %llu codes:\n", kept,
                      (unsigned long long)post_log_get_count(log));
    for (unsigned i = 0; i < kept; i++)
        monitor_print(monitor, "%X: %02X\n", codes[i].port, codes[i].code);
    return true;
}
