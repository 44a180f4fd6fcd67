#include "device_substitutes.h"
#include "edid.h"
#include "key_values.h"
#include "nearest_name.h"
#include "network_cards.h"
#include "options.h"
#include "options_network.h"
#include "pvpanic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool plug_in_debug_exit(Settings *settings, KeyValues *values, Error *error) {
    uint64_t port, size;
    if (!key_values_get_number(values, "iobase", 0x501, &port, error) ||
        !key_values_get_number(values, "iosize", 2, &size, error))
        return false;
    if (port > 0xFFFF || size < 1 || size > 4 || port + size > 0x10000)
        return error_set(error, "iobase is a port and iosize 1 to 4");
    settings->machine.has_debug_exit = true;
    settings->machine.debug_exit_port = (uint16_t)port;
    settings->machine.debug_exit_size = (uint16_t)size;
    return true;
}

static bool plug_in_pvpanic(Settings *settings, KeyValues *values, Error *error) {
    uint64_t port, events;
    if (!key_values_get_number(values, "ioport", PVPANIC_PORT, &port, error) ||
        !key_values_get_number(values, "events", PVPANIC_EVENTS, &events, error))
        return false;
    if (port > 0xFFFF || events > PVPANIC_EVENTS)
        return error_set(error, "ioport is a port and events 0 to %d", PVPANIC_EVENTS);
    settings->machine.has_pvpanic = true;
    settings->machine.pvpanic_port = (uint16_t)port;
    settings->machine.pvpanic_events = (uint16_t)events;
    return true;
}

/* Port number 'index' of several leads to 'chardev=', or nowhere. */
static bool connect_port(CharacterSpec *specs, int *count, uint64_t index, KeyValues *values,
                         Error *error) {
    const char *device = key_values_get(values, "chardev");
    while (*count <= (int)index)
        specs[(*count)++] = (CharacterSpec){.kind = CHARACTER_NONE};
    CharacterSpec *spec = &specs[index];
    spec->kind = device != NULL ? CHARACTER_NAMED : CHARACTER_NULL;
    if (device != NULL && snprintf(spec->path, sizeof(spec->path), "%s", device) >= 256)
        return error_set(error, "there is no character device '%.40s...'", device);
    return true;
}

static bool plug_in_serial(Settings *settings, KeyValues *values, Error *error) {
    uint64_t index;
    if (!key_values_get_number(values, "index", (uint64_t)settings->serial_count, &index, error))
        return false;
    if (index >= MACHINE_SERIAL_PORTS)
        return error_set(error, "there are four serial ports, index 0 to 3");
    return connect_port(settings->serial, &settings->serial_count, index, values, error);
}

/* Named by number or by address. */
static bool plug_in_parallel(Settings *settings, KeyValues *values, Error *error) {
    static const uint16_t ports[MACHINE_PARALLEL_PORTS] = {0x378, 0x278, 0x3BC};
    uint64_t index, port = 0;
    if (!key_values_get_number(values, "index", (uint64_t)settings->parallel_count, &index,
                               error) ||
        !key_values_get_number(values, "iobase", 0, &port, error))
        return false;
    for (unsigned i = 0; port != 0 && i < MACHINE_PARALLEL_PORTS; i++)
        if (ports[i] == port)
            index = i;
    if (index >= MACHINE_PARALLEL_PORTS || (port != 0 && ports[index] != port))
        return error_set(error,
                         "there are three parallel ports, index 0 to 2, at 378h, 278h and 3BCh");
    return connect_port(settings->parallel, &settings->parallel_count, index, values, error);
}

static bool plug_in_debug_console(Settings *settings, KeyValues *values, Error *error) {
    const char *device = key_values_get(values, "chardev");
    uint64_t port;
    if (device == NULL)
        return error_set(error, "chardev= is needed");
    if (!key_values_get_number(values, "iobase", 0xE9, &port, error))
        return false;
    if (port != 0xE9 && port != 0x402)
        return error_set(error, "the debug console answers at E9h and 402h");
    CharacterSpec *spec = port == 0xE9 ? &settings->debug_console : &settings->firmware_log;
    spec->kind = CHARACTER_NAMED;
    if (snprintf(spec->path, sizeof(spec->path), "%s", device) >= 256)
        return error_set(error, "there is no character device '%.40s...'", device);
    return true;
}

static const ImageSpec *find_image(const Settings *settings, const char *id) {
    for (int i = 0; i < settings->image_count; i++) {
        if (strcmp(settings->image[i].id, id) == 0)
            return &settings->image[i];
    }
    return NULL;
}

/* How the BIOS shall count its cylinders, by the words of IdeTranslation's order. */
static bool read_translation(KeyValues *values, DriveGeometry *geometry, Error *error) {
    static const char *const words[] = {"none", "lba", "large"};
    const char *word = key_values_get(values, "bios-chs-trans");
    bool is_auto = word == NULL || strcmp(word, "auto") == 0;
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (is_auto || strcmp(word, words[i]) != 0)
            continue;
        geometry->translation = i;
        return geometry->cylinders != 0 ||
               error_set(error, "bios-chs-trans= needs cyls=, heads= and secs=");
    }
    /* A disk that has no more cylinders than the BIOS can name needs none. */
    geometry->translation = geometry->cylinders > 1024 ? 1 : 0;
    return is_auto ||
           error_set(error, "bios-chs-trans is none, lba, large or auto, not '%s'", word);
}

static bool read_geometry(KeyValues *values, DriveGeometry *geometry, Error *error) {
    uint64_t cylinders, heads, sectors;
    if (!key_values_get_number(values, "cyls", 0, &cylinders, error) ||
        !key_values_get_number(values, "heads", 0, &heads, error) ||
        !key_values_get_number(values, "secs", 0, &sectors, error))
        return false;
    bool given = cylinders != 0 || heads != 0 || sectors != 0;
    if (given && (cylinders < 1 || cylinders > 65535 || heads < 1 || heads > 16 || sectors < 1 ||
                  sectors > 63))
        return error_set(error, "cyls is 1 to 65535, heads 1 to 16 and secs 1 to 63");
    *geometry = (DriveGeometry){
        .cylinders = (uint32_t)cylinders, .heads = (uint32_t)heads, .sectors = (uint32_t)sectors};
    return read_translation(values, geometry, error);
}

bool options_read_drive(Settings *settings, KeyValues *values, DriveRequest *request,
                        Error *error) {
    const char *name = key_values_get(values, "drive");
    const char *id = key_values_get(values, "id");
    const char *serial = key_values_get(values, "serial");
    uint64_t boot_index;
    const ImageSpec *image = name != NULL ? find_image(settings, name) : NULL;
    if (name != NULL && image == NULL)
        return error_set(error, "there is no drive or block node '%s'", name);
    if (!key_values_get_number(values, "bootindex", 1000, &boot_index, error))
        return false;
    *request = (DriveRequest){.boot_index = boot_index < 1000 ? (int)boot_index : -1};
    request->id = settings_keep_string(settings, id != NULL ? id : name);
    request->device_id = settings_keep_string(settings, id);
    if (image != NULL) {
        request->node_name = image->is_node ? image->id : NULL;
        request->backend = image->is_node ? NULL : image->id;
        request->file = image->file;
        request->format = image->format;
        request->read_only = image->read_only;
        request->snapshot = image->snapshot;
        request->is_cd = image->is_cd;
        request->serial = image->serial;
    }
    if (serial != NULL)
        request->serial = settings_keep_string(settings, serial);
    return read_geometry(values, &request->geometry, error);
}

/* 'bus=ide.0' or 'ide.1', 'unit=' 0 or 1; -1 where neither is given. */
static bool read_ide_place(KeyValues *values, int *index, Error *error) {
    const char *bus = key_values_get(values, "bus");
    uint64_t unit;
    if (!key_values_get_number(values, "unit", 0, &unit, error))
        return false;
    if (unit > 1)
        return error_set(error, "unit is 0 or 1");
    if (bus == NULL)
        *index = -1;
    else if (strcmp(bus, "ide.0") == 0)
        *index = (int)unit;
    else if (strcmp(bus, "ide.1") == 0)
        *index = 2 + (int)unit;
    else
        return error_set(error, "there is no bus '%s'; known are ide.0 and ide.1", bus);
    return true;
}

/* 'addr=4', '4.0' or '0x4', in hexadecimal digits as ever; 0 where it is not given. */
bool options_read_slot(KeyValues *values, unsigned *slot, Error *error) {
    const char *address = key_values_get(values, "addr");
    char *end;
    *slot = 0;
    if (address == NULL)
        return true;
    *slot = (unsigned)strtoul(address, &end, 16);
    if (end == address || (*end != '\0' && strcmp(end, ".0") != 0) || *slot == 0 || *slot > 31)
        return error_set(error, "addr is a slot of the PCI bus, 1 to 1f, not '%s'", address);
    return true;
}

static bool plug_in_pci_disk(Settings *settings, KeyValues *values, PciDiskKind kind,
                             Error *error) {
    PciDiskConfig disk = {.kind = kind};
    DriveRequest request;
    return options_read_drive(settings, values, &request, error) &&
           options_read_slot(values, &disk.slot, error) &&
           settings_add_pci_disk(settings, &disk, &request, error);
}

/* 'bus=ID.N', port N of the AHCI controller; false: it is no such bus. */
static bool is_ahci_bus(const Settings *settings, const char *bus, unsigned *port) {
    size_t length = settings->ahci_id != NULL ? strlen(settings->ahci_id) : 0;
    if (length == 0 || bus == NULL || strncmp(bus, settings->ahci_id, length) != 0 ||
        bus[length] != '.' || bus[length + 1] < '0' || bus[length + 1] > '9' ||
        bus[length + 2] != '\0')
        return false;
    *port = (unsigned)(bus[length + 1] - '0');
    return true;
}

static bool plug_in_ahci(Settings *settings, KeyValues *values, Error *error) {
    const char *id = key_values_get(values, "id");
    if (settings->machine.has_ahci)
        return error_set(error, "there is one AHCI controller already");
    settings->machine.has_ahci = true;
    settings->ahci_id = settings_keep_string(settings, id != NULL ? id : "ahci");
    return options_read_slot(values, &settings->machine.ahci_slot, error);
}

static bool plug_in_ahci_drive(Settings *settings, KeyValues *values, bool is_cd, unsigned port,
                               Error *error) {
    PciDiskConfig disk = {.kind = PCI_DISK_AHCI, .port = port};
    DriveRequest request;
    if (port >= MACHINE_AHCI_PORTS)
        return error_set(error, "the AHCI controller has %d ports", MACHINE_AHCI_PORTS);
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const PciDiskConfig *other = &settings->machine.pci_disk[i];
        if (other->drive.present && other->kind == PCI_DISK_AHCI && other->port == port)
            return error_set(error, "port %u of the AHCI controller is taken", port);
    }
    if (!options_read_drive(settings, values, &request, error))
        return false;
    request.is_cd = is_cd;
    return settings_add_pci_disk(settings, &disk, &request, error);
}

static bool plug_in_virtio(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_pci_disk(settings, values, PCI_DISK_VIRTIO, error);
}

static bool plug_in_ide(Settings *settings, KeyValues *values, bool is_cd, Error *error) {
    DriveRequest request;
    int index = -1;
    unsigned port;
    if (is_ahci_bus(settings, key_values_get(values, "bus"), &port))
        return plug_in_ahci_drive(settings, values, is_cd, port, error);
    if (!options_read_drive(settings, values, &request, error) ||
        !read_ide_place(values, &index, error))
        return false;
    if (!is_cd && request.file == NULL)
        return error_set(error, "a hard disk needs drive=");
    request.is_cd = is_cd;
    return settings_add_ide_drive(settings, index, &request, error);
}

static bool plug_in_ide_disk(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_ide(settings, values, false, error);
}

static bool plug_in_ide_cd(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_ide(settings, values, true, error);
}

static bool plug_in_nvme(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_pci_disk(settings, values, PCI_DISK_NVME, error);
}

static bool plug_in_floppy(Settings *settings, KeyValues *values, Error *error) {
    DriveRequest request;
    uint64_t unit;
    bool has_unit = key_values_get(values, "unit") != NULL;
    if (!options_read_drive(settings, values, &request, error) ||
        !key_values_get_number(values, "unit", 0, &unit, error))
        return false;
    return settings_add_floppy_drive(settings, has_unit ? (int)(unit & 0xFF) : -1, &request, error);
}

bool vga_config_set_memory(VgaConfig *vga, uint64_t megabytes, Error *error) {
    uint32_t most = vga->model == VGA_CIRRUS ? CIRRUS_MEMORY_MOST : VGA_MEMORY_MOST;
    if (megabytes < 1 || megabytes > most >> 20 || (megabytes & (megabytes - 1)) != 0)
        return error_set(error, "vgamem_mb is a power of two, 1 to %u", most >> 20);
    vga->memory_bytes = (uint32_t)megabytes << 20;
    return true;
}

/* QEMU's Cirrus adapter takes more memory than the chip can address. */
static bool read_video_memory(Settings *settings, KeyValues *values, VgaConfig *vga, Error *error) {
    uint32_t usual = vga->model == VGA_CIRRUS ? CIRRUS_MEMORY_MOST >> 20 : 16;
    uint64_t megabytes;
    if (!key_values_get_number(values, "vgamem_mb", usual, &megabytes, error))
        return false;
    if (vga->model == VGA_CIRRUS && (megabytes == 8 || megabytes == 16)) {
        settings_warn(settings, "a GD5446 has %u MB of video memory, not %u", usual,
                      (unsigned)megabytes);
        megabytes = usual;
    }
    return vga_config_set_memory(vga, megabytes, error);
}

/* The mode that the display says it prefers. */
static bool read_identification(KeyValues *values, VgaConfig *vga, Error *error) {
    uint64_t width, height;
    bool edid;
    if (!key_values_get_bool(values, "edid", true, &edid, error) ||
        !key_values_get_number(values, "xres", 0, &width, error) ||
        !key_values_get_number(values, "yres", 0, &height, error))
        return false;
    if (width > EDID_PIXELS_MOST || height > EDID_PIXELS_MOST || (width == 0) != (height == 0))
        return error_set(error, "xres and yres are the size of a screen, at most %u by %u",
                         EDID_PIXELS_MOST, EDID_PIXELS_MOST);
    vga->no_edid = !edid;
    vga->edid_width = (uint16_t)width;
    vga->edid_height = (uint16_t)height;
    return true;
}

/* A named adapter takes the place of the usual one. */
static bool plug_in_adapter(Settings *settings, KeyValues *values, VgaModel model, Error *error) {
    VgaConfig *vga = &settings->machine.vga;
    if (settings->vga_is_named)
        return error_set(error, "there is one display adapter already");
    *vga = (VgaConfig){.model = model};
    settings->machine.has_vga = settings->vga_is_named = true;
    return read_video_memory(settings, values, vga, error) &&
           options_read_slot(values, &vga->slot, error) &&
           (model != VGA_STANDARD || read_identification(values, vga, error));
}

static bool plug_in_vga(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_adapter(settings, values, VGA_STANDARD, error);
}

static bool plug_in_isa_vga(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_adapter(settings, values, VGA_ISA, error);
}

static bool plug_in_cirrus(Settings *settings, KeyValues *values, Error *error) {
    return plug_in_adapter(settings, values, VGA_CIRRUS, error);
}

static bool plug_in_vmware_mouse(Settings *settings, KeyValues *values, Error *error) {
    key_values_get(values, "i8042");
    return !settings->machine.no_vmware_port ||
           error_set(error, "vmmouse needs -machine vmport=on");
}

static bool plug_in_pc_testdev(Settings *settings, KeyValues *values, Error *error) {
    (void)values;
    (void)error;
    settings->machine.has_pc_testdev = true;
    return true;
}

static bool plug_in_pci_testdev(Settings *settings, KeyValues *values, Error *error) {
    (void)values;
    (void)error;
    settings->machine.has_pci_testdev = true;
    return true;
}

static const DeviceOption device_options[] = {
    // clang-format off
    {"VGA", "vgamem_mb edid xres yres id bus addr", "a display adapter, 'std'", plug_in_vga},
    {"cirrus-vga", "vgamem_mb id bus addr", "a Cirrus Logic GD5446", plug_in_cirrus},
    {"isa-vga", "vgamem_mb id", "a display adapter that is no PCI device", plug_in_isa_vga},
    {"floppy", "drive unit id bootindex", "a floppy drive", plug_in_floppy},
    {"ide-cd", "drive bus unit id bootindex serial", "a CD drive", plug_in_ide_cd},
    {"ide-hd", "drive bus unit id bootindex serial cyls heads secs bios-chs-trans", "a hard disk", plug_in_ide_disk},
    {"isa-debug-exit", "iobase iosize", "a port that ends the program with a status", plug_in_debug_exit},
    {"pvpanic", "ioport events", "a port by which a guest says that it panicked", plug_in_pvpanic},
    {"pc-testdev", "id", "ports and memory that suites of test kernels use", plug_in_pc_testdev},
    {"pci-testdev", "id addr bus", "a PCI device that counts writes, for the same", plug_in_pci_testdev},
    {"isa-debugcon", "chardev iobase id", "the debug console", plug_in_debug_console},
    {"vmmouse", "id i8042", "the pointer of VMware's port (-machine vmport=on), which is there anyway", plug_in_vmware_mouse},
    {"sb16", "audiodev iobase irq dma dma16 version midi id bus", "a Sound Blaster 16 with OPL3 and MPU-401", plug_in_sb16},
    {"gameport", "joysticks id bus", "a gameport with joysticks=1 (or 0, 2): the host's, in a window", plug_in_gameport},
    {"mpu401", "iobase irq midi id bus", "a MIDI port; midi= is a file to write, or a MIDI device", plug_in_mpu401},
    {"AC97", "audiodev addr bus id", "the sound of an Intel 82801AA", plug_in_ac97},
    {"ES1370", "audiodev addr bus id", "an Ensoniq AudioPCI", plug_in_es1370},
    {"adlib", "audiodev iobase freq id bus", "an AdLib card: an OPL2 or OPL3 alone", plug_in_adlib},
    {"isa-serial", "chardev index id", "a serial port", plug_in_serial},
    {"isa-parallel", "chardev index iobase id", "a parallel port", plug_in_parallel},
    {"ahci", "id addr bus", "a Serial ATA controller; its buses are ID.0 to ID.5", plug_in_ahci},
    {"ich9-ahci", "id addr bus", "the same", plug_in_ahci},
    {"lsi53c895a", "id addr bus", "a SCSI host adapter; its bus is ID.0", plug_in_scsi_controller},
    {"lsi", "id addr bus", "the same", plug_in_scsi_controller},
    {"scsi-hd", "drive serial bus scsi-id lun channel device_id write-cache id bootindex cyls heads secs", "a SCSI disk", plug_in_scsi_disk},
    {"scsi-cd", "drive serial bus scsi-id lun channel device_id write-cache id bootindex", "a SCSI CD drive", plug_in_scsi_cd},
    {"piix3-usb-uhci", "id addr bus", "a USB controller; its bus is ID.0", plug_in_usb_controller},
    {"usb-tablet", "id port bus", "a tablet on USB: the pointer is where the host's is", plug_in_usb_tablet},
    {"usb-kbd", "id port bus", "a keyboard on USB", plug_in_usb_keyboard},
    {"usb-mouse", "id port bus", "a mouse on USB", plug_in_usb_mouse},
    {"usb-hub", "id port bus", "a USB hub; what is in its ports has two numbers, as port=1.3", plug_in_usb_hub},
    {"usb-storage", "drive serial removable id port bus bootindex", "a disk or CD drive on USB", plug_in_usb_storage},
    {"nvme", "drive serial addr bus id bootindex", "an NVMe disk", plug_in_nvme},
    {"virtio-blk-pci", "drive serial addr bus id bootindex cyls heads secs", "a virtio disk", plug_in_virtio},
    {"virtio-blk", "drive serial addr bus id bootindex cyls heads secs", "the same", plug_in_virtio},
    // clang-format on
};
#define DEVICE_OPTIONS (sizeof(device_options) / sizeof(device_options[0]))

bool device_type_at(size_t index, DeviceType *type) {
    if (index < DEVICE_OPTIONS) {
        *type = (DeviceType){device_options[index].name, device_options[index].keys};
        return true;
    }
    const NetworkCardModel *model = network_card_model((unsigned)(index - DEVICE_OPTIONS));
    if (model != NULL)
        *type = (DeviceType){model->name, NETWORK_CARD_KEYS};
    return model != NULL;
}

/* Keeps how the device was asked for, for whoever looks later. */
static bool note_device(Settings *settings, const char *driver, KeyValues *values, Error *error) {
    const char *id = key_values_get(values, "id");
    for (int i = 0; id != NULL && i < settings->plugged_count; i++)
        if (settings->plugged[i].id != NULL && strcmp(settings->plugged[i].id, id) == 0)
            return error_set(error, "there is a device '%s' already", id);
    if (settings->plugged_count == SETTINGS_DEVICES)
        return error_set(error, "too many devices");
    PluggedDevice *device = &settings->plugged[settings->plugged_count++];
    device->driver = settings_keep_string(settings, driver);
    device->id = settings_keep_string(settings, id);
    device->values = *values; /* freed with the settings */
    *values = (KeyValues){.items = NULL};
    return true;
}

/* Settings that every device may be given and that change nothing here. */
static void accept_common_keys(KeyValues *values) {
    static const char *const keys[] = {
        "id", "addr", "bootindex", "bus",
        /* How QEMU shares the work with the host. */
        "iothread", "num-queues", "queue-size", "write-cache", "ioeventfd", "event_idx", "packed",
        "share-rw", "werror", "rerror", "discard_granularity", "rotation_rate", "disable-legacy",
        "disable-modern", "multifunction", "acpi-index"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        key_values_get(values, keys[i]);
}

static bool print_devices(void) {
    for (size_t i = 0; i < DEVICE_OPTIONS; i++)
        printf("%-16s %s (%s)\n", device_options[i].name, device_options[i].help,
               device_options[i].keys);
    option_network_card_list();
    return true;
}

static bool plug_in(Settings *settings, const char *name, KeyValues *values, Error *error) {
    NearestName nearest = {.wanted = name};
    bool is_card;
    bool good = option_network_card(settings, name, values, &is_card, error);
    if (is_card)
        return good;
    option_network_card_names(&nearest);
    for (size_t i = 0; i < DEVICE_OPTIONS; i++) {
        if (strcmp(device_options[i].name, name) == 0) {
            accept_common_keys(values);
            return device_options[i].plug_in(settings, values, error) &&
                   key_values_check_used(values, device_options[i].keys, error);
        }
        nearest_name_consider(&nearest, device_options[i].name);
    }
    const char *best = nearest_name_get(&nearest);
    if (best != NULL)
        return error_set(error, "there is no device '%s'; did you mean '%s'?", name, best);
    return error_set(error, "there is no device '%s'; '-device help' lists them", name);
}

static const char *device_keys(const char *name) {
    DeviceType type;
    for (size_t i = 0; device_type_at(i, &type); i++)
        if (strcmp(type.name, name) == 0)
            return type.keys;
    return network_card_find(name) != NULL ? NETWORK_CARD_KEYS : "";
}

/* 'NAME' is what takes the place of a device that there is not; NULL: it is left out. What only the
 * other one can be told is let go. */
static const char *substitute(Settings *settings, const char *name, KeyValues *values) {
    const DeviceSubstitute *found = device_substitute_find(name);
    if (found == NULL)
        return name;
    bool is_second =
        found->instead != NULL && strcmp(found->instead, "VGA") == 0 && settings->vga_is_named;
    if (found->note != NULL)
        settings_warn(settings, "there is no %s: %s", name,
                      is_second ? "one display adapter is there" : found->note);
    if (found->instead == NULL || is_second)
        return NULL;
    for (int i = 0; i < values->count; i++)
        if (!key_is_among(values->items[i].key, device_keys(found->instead)))
            values->items[i].used = true;
    return found->instead;
}

static bool add_device(Settings *settings, const char *name, KeyValues *values, Error *error) {
    name = substitute(settings, name, values);
    if (name == NULL)
        return true;
    settings_apply_globals(settings, name, device_keys(name), values);
    return plug_in(settings, name, values, error) && note_device(settings, name, values, error);
}

bool options_plug_in_device(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "driver", error);
    const char *name = key_values_get(&values, "driver");
    if (good && name == NULL)
        good = error_set(error, "the device's name is missing");
    good = good && add_device(settings, name, &values, error);
    key_values_free(&values);
    return good;
}

bool option_device(Settings *settings, const char *argument, Error *error) {
    if (strcmp(argument, "help") == 0 || strcmp(argument, "?") == 0)
        return settings->listed = print_devices();
    if (settings->late_device_count == SETTINGS_DEVICES)
        return error_set(error, "too many devices");
    settings->late_device[settings->late_device_count++] = argument;
    return true;
}

bool options_plug_in_late_devices(Settings *settings, Error *error) {
    int count = settings->late_device_count;
    bool good = true;
    settings->late_device_count = 0;
    settings->option = "device";
    for (int i = 0; i < count && good; i++)
        good = options_plug_in_device(settings, settings->late_device[i], error);
    settings->option = NULL;
    return good || error_prefix(error, "-device: ");
}
