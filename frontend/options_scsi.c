/* -device for the SCSI host adapter and its disks and CD drives, and -drive if=scsi. */
#include "options.h"

#include <string.h>

/* How the bus of an adapter without a name is called. */
#define DEFAULT_BUS "scsi"

bool plug_in_scsi_controller(Settings *settings, KeyValues *values, Error *error) {
    const char *id = key_values_get(values, "id");
    if (settings->machine.has_scsi && !settings->scsi_came_along)
        return error_set(error, "there is one SCSI host adapter already");
    settings->scsi_came_along = false;
    settings->machine.has_scsi = true;
    settings->scsi_id = settings_keep_string(settings, id != NULL ? id : DEFAULT_BUS);
    return options_read_slot(values, &settings->machine.scsi_slot, error);
}

static bool number_is_taken(const Settings *settings, uint64_t number) {
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const PciDiskConfig *disk = &settings->machine.pci_disk[i];
        if (disk->drive.present && disk->kind == PCI_DISK_SCSI && disk->port == number)
            return true;
    }
    return false;
}

static uint64_t first_free_number(const Settings *settings) {
    uint64_t number = 0;
    while (number < MACHINE_SCSI_NUMBERS && number_is_taken(settings, number))
        number++;
    return number;
}

static bool add_drive(Settings *settings, uint64_t number, const DriveRequest *request,
                      Error *error) {
    PciDiskConfig disk = {.kind = PCI_DISK_SCSI, .port = (unsigned)number};
    if (number >= MACHINE_SCSI_NUMBERS)
        return error_set(error, "drives on the SCSI bus have the numbers 0 to %d",
                         MACHINE_SCSI_NUMBERS - 1);
    if (number_is_taken(settings, number))
        return error_set(error, "number %d of the SCSI bus is taken", (int)number);
    return settings_add_pci_disk(settings, &disk, request, error);
}

bool settings_add_scsi_drive(Settings *settings, int index, const DriveRequest *request,
                             Error *error) {
    if (!settings->machine.has_scsi) {
        settings->machine.has_scsi = settings->scsi_came_along = true;
        settings->scsi_id = DEFAULT_BUS;
    }
    return add_drive(settings, index < 0 ? first_free_number(settings) : (uint64_t)index, request,
                     error);
}

/* 'bus=ID.0'. */
static bool check_bus(const Settings *settings, const char *bus, Error *error) {
    if (!settings->machine.has_scsi)
        return error_set(error, "there is no SCSI bus; '-device lsi' adds one");
    size_t length = strlen(settings->scsi_id);
    if (bus == NULL ||
        (strncmp(bus, settings->scsi_id, length) == 0 && strcmp(bus + length, ".0") == 0))
        return true;
    return error_set(error, "there is no SCSI bus '%s'; known is %s.0", bus, settings->scsi_id);
}

static bool plug_in(Settings *settings, KeyValues *values, bool is_cd, Error *error) {
    DriveRequest request;
    uint64_t number, lun, channel;
    bool cache;
    const char *device_id = key_values_get(values, "device_id");
    if (!check_bus(settings, key_values_get(values, "bus"), error) ||
        !options_read_drive(settings, values, &request, error) ||
        !key_values_get_number(values, "scsi-id", first_free_number(settings), &number, error) ||
        !key_values_get_number(values, "lun", 0, &lun, error) ||
        !key_values_get_number(values, "channel", 0, &channel, error) ||
        !key_values_get_bool(values, "write-cache", true, &cache, error))
        return false;
    if (lun != 0 || channel != 0)
        return error_set(error, "each SCSI drive is unit 0 (lun=) of channel 0");
    request.is_cd = is_cd;
    request.scsi_device_id = settings_keep_string(settings, device_id);
    return add_drive(settings, number, &request, error);
}

bool plug_in_scsi_disk(Settings *settings, KeyValues *values, Error *error) {
    return plug_in(settings, values, false, error);
}

bool plug_in_scsi_cd(Settings *settings, KeyValues *values, Error *error) {
    return plug_in(settings, values, true, error);
}
