#include "key_values.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static const char *const ide_places[MACHINE_IDE_DRIVES] = {"-hda", "-hdb", "-hdc", "-hdd"};

static void fill_drive(DriveConfig *drive, const DriveRequest *request) {
    *drive = (DriveConfig){
        .present = true,
        .is_cd = request->is_cd,
        .file = request->file,
        .format = request->format,
        .read_only = request->read_only,
        .snapshot = request->snapshot,
        .id = request->id,
        .device_id = request->device_id,
        .node_name = request->node_name,
        .backend = request->backend,
        .boot_index = request->boot_index,
        .serial = request->serial,
        .scsi_device_id = request->scsi_device_id,
        .geometry = request->geometry,
    };
}

bool settings_add_ide_drive(Settings *settings, int index, const DriveRequest *request,
                            Error *error) {
    DriveConfig *drives = settings->machine.ide;
    if (index < 0) {
        index = request->is_cd ? 2 : 0;
        while (index < MACHINE_IDE_DRIVES && drives[index].present)
            index++;
        for (int i = 0; index == MACHINE_IDE_DRIVES && i < MACHINE_IDE_DRIVES; i++) {
            if (!drives[i].present)
                index = i;
        }
    }
    if (index >= MACHINE_IDE_DRIVES)
        return error_set(error, "there are four places for IDE drives, index 0 to 3");
    if (drives[index].present)
        return error_set(error, "the place of IDE drive %d (%s) is taken", index,
                         ide_places[index]);
    fill_drive(&drives[index], request);
    return true;
}

bool settings_add_pci_disk(Settings *settings, const PciDiskConfig *disk,
                           const DriveRequest *request, Error *error) {
    PciDiskConfig *disks = settings->machine.pci_disk;
    unsigned index = 0;
    if (request->file == NULL && !request->is_cd)
        return error_set(error, "a disk needs an image");
    while (index < MACHINE_PCI_DISKS && disks[index].drive.present)
        index++;
    if (index == MACHINE_PCI_DISKS)
        return error_set(error, "there is room for %d disks on the PCI bus", MACHINE_PCI_DISKS);
    disks[index] = *disk;
    fill_drive(&disks[index].drive, request);
    return true;
}

bool settings_add_floppy_drive(Settings *settings, int index, const DriveRequest *request,
                               Error *error) {
    bool *named = settings->floppy_named;
    if (index < 0)
        index = named[0] ? 1 : 0;
    if (index >= MACHINE_FLOPPIES)
        return error_set(error, "there are two floppy drives, index 0 and 1");
    if (named[index])
        return error_set(error, "floppy drive %c is named twice", 'A' + index);
    named[index] = true;
    fill_drive(&settings->machine.floppy[index], request);
    return true;
}

static bool add_plain_floppy(Settings *settings, int index, const char *file, Error *error) {
    DriveRequest request = {
        .file = file, .snapshot = settings->snapshot_by_default, .boot_index = -1};
    return settings_add_floppy_drive(settings, index, &request, error);
}

static bool add_plain_disk(Settings *settings, int index, const char *file, Error *error) {
    DriveRequest request = {
        .file = file, .snapshot = settings->snapshot_by_default, .boot_index = -1};
    return settings_add_ide_drive(settings, index, &request, error);
}

bool option_fda(Settings *settings, const char *argument, Error *error) {
    return add_plain_floppy(settings, 0, argument, error);
}

bool option_fdb(Settings *settings, const char *argument, Error *error) {
    return add_plain_floppy(settings, 1, argument, error);
}

bool option_hda(Settings *settings, const char *argument, Error *error) {
    return add_plain_disk(settings, 0, argument, error);
}

bool option_hdb(Settings *settings, const char *argument, Error *error) {
    return add_plain_disk(settings, 1, argument, error);
}

bool option_hdc(Settings *settings, const char *argument, Error *error) {
    return add_plain_disk(settings, 2, argument, error);
}

bool option_hdd(Settings *settings, const char *argument, Error *error) {
    return add_plain_disk(settings, 3, argument, error);
}

bool option_cdrom(Settings *settings, const char *argument, Error *error) {
    DriveRequest request = {.file = argument, .is_cd = true, .boot_index = -1};
    return settings_add_ide_drive(settings, 2, &request, error);
}

bool option_snapshot(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->snapshot = true;
    return true;
}

/* What -drive may say besides: it tunes how QEMU reads the image, which changes nothing that a
 * guest sees. */
static const char *const tuning_keys[] = {"cache",  "aio",    "discard",      "detect-zeroes",
                                          "werror", "rerror", "copy-on-read", "boot"};

#define DRIVE_KEYS                                                                                 \
    "file if index bus unit media format readonly snapshot id "                                    \
    "cache aio discard detect-zeroes werror rerror copy-on-read serial driver dir floppy rw "      \
    "fat-type server.type server.path server.host server.port host port path export "              \
    "reconnect-delay"

/* A folder as a disk by its parts, as one text: "fat:rw:16:FOLDER". NULL on error. 'prefix' stands
 * before the keys. */
static const char *read_folder(Settings *settings, KeyValues *values, const char *prefix,
                               Error *error) {
    static const char *const keys[] = {"dir", "floppy", "rw", "fat-type"};
    char names[4][24], text[4096];
    bool floppy, writable;
    uint64_t bits;
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof(names[i]), "%s%s", prefix, keys[i]);
    const char *folder = key_values_get(values, names[0]);
    if (!key_values_get_bool(values, names[1], false, &floppy, error) ||
        !key_values_get_bool(values, names[2], false, &writable, error) ||
        !key_values_get_number(values, names[3], 0, &bits, error))
        return NULL;
    if (folder == NULL || (bits != 0 && bits != 12 && bits != 16 && bits != 32)) {
        error_set(error, folder == NULL ? "driver=vvfat needs dir=" : "fat-type is 12, 16 or 32");
        return NULL;
    }
    int length =
        snprintf(text, sizeof(text), "fat:%s%s%s%s", writable ? "rw:" : "", floppy ? "floppy:" : "",
                 bits == 12   ? "12:"
                 : bits == 16 ? "16:"
                 : bits == 32 ? "32:"
                              : "",
                 folder);
    if (length < (int)sizeof(text))
        return settings_keep_string(settings, text);
    error_set(error, "the folder's name is too long");
    return NULL;
}

static const char *either_value(KeyValues *values, const char *prefix, const char *one,
                                const char *other) {
    char name[32];
    snprintf(name, sizeof(name), "%s%s", prefix, other);
    const char *otherwise = key_values_get(values, name);
    snprintf(name, sizeof(name), "%s%s", prefix, one);
    const char *value = key_values_get(values, name);
    return value != NULL ? value : otherwise;
}

/* The export of an NBD server by its parts, as one text; QEMU knows two sets of keys. NULL on
 * error. */
static const char *read_export(Settings *settings, KeyValues *values, const char *prefix,
                               Error *error) {
    const char *socket = either_value(values, prefix, "server.path", "path");
    const char *host = either_value(values, prefix, "server.host", "host");
    const char *port = either_value(values, prefix, "server.port", "port");
    const char *type = either_value(values, prefix, "server.type", "server.type");
    const char *name = either_value(values, prefix, "export", "export");
    const char *word = name != NULL ? ":exportname=" : "";
    bool is_unix = type != NULL ? strcmp(type, "unix") == 0 : socket != NULL;
    if ((type != NULL && !is_unix && strcmp(type, "inet") != 0) ||
        (is_unix ? socket : host) == NULL) {
        error_set(error, "driver=nbd needs server.type=unix with server.path=, or "
                         "server.type=inet with server.host= and server.port=");
        return NULL;
    }
    const char *delay = either_value(values, prefix, "reconnect-delay", "reconnect-delay");
    const char *delay_word = delay != NULL ? ":reconnect-delay=" : "";
    char text[4096];
    int length;
    if (is_unix)
        length = snprintf(text, sizeof(text), "nbd:unix:%s%s%s%s%s", socket, delay_word,
                          delay != NULL ? delay : "", word, name != NULL ? name : "");
    else
        length = snprintf(text, sizeof(text),
                          strchr(host, ':') != NULL ? "nbd:[%s]:%s%s%s%s%s" : "nbd:%s:%s%s%s%s%s",
                          host, port != NULL ? port : "10809", delay_word,
                          delay != NULL ? delay : "", word, name != NULL ? name : "");
    if (length < (int)sizeof(text))
        return settings_keep_string(settings, text);
    error_set(error, "the name of the export is too long");
    return NULL;
}

/* The file of a drive, or of its driver. */
static bool read_file(Settings *settings, KeyValues *values, const char **file, Error *error) {
    const char *driver = key_values_get(values, "driver");
    const char *below = key_values_get(values, "file.driver");
    *file = settings_keep_string(settings, key_values_get(values, "file"));
    if (driver == NULL && below == NULL)
        return true;
    if (strcmp(driver != NULL ? driver : below, "nbd") == 0) {
        *file = read_export(settings, values, driver != NULL ? "" : "file.", error);
        return *file != NULL;
    }
    if (strcmp(driver != NULL ? driver : below, "vvfat") != 0)
        return error_set(error,
                         "driver=%s is not in this version; vvfat and nbd are, and format= names "
                         "the formats of images",
                         driver != NULL ? driver : below);
    *file = read_folder(settings, values, driver != NULL ? "" : "file.", error);
    return *file != NULL;
}

static bool read_media(KeyValues *values, bool *is_cd, Error *error) {
    const char *media = key_values_get(values, "media");
    *is_cd = media != NULL && strcmp(media, "cdrom") == 0;
    if (media != NULL && !*is_cd && strcmp(media, "disk") != 0)
        return error_set(error, "media is disk or cdrom, not '%s'", media);
    return true;
}

/* 'index=', or 'bus=' and 'unit='; -1 if neither is given. */
static bool read_place(KeyValues *values, unsigned units_a_bus, int *index, Error *error) {
    uint64_t number, bus, unit;
    bool has_index = key_values_get(values, "index") != NULL;
    bool has_bus = key_values_get(values, "bus") != NULL || key_values_get(values, "unit") != NULL;
    if (!key_values_get_number(values, "index", 0, &number, error) ||
        !key_values_get_number(values, "bus", 0, &bus, error) ||
        !key_values_get_number(values, "unit", 0, &unit, error))
        return false;
    if (has_bus && (bus > 1 || unit >= units_a_bus))
        return error_set(error, "there is no bus %llu, unit %llu", (unsigned long long)bus,
                         (unsigned long long)unit);
    if (has_bus)
        number = bus * units_a_bus + unit;
    else if (!has_index) {
        *index = -1;
        return true;
    }
    *index = number > 99 ? 99 : (int)number;
    return true;
}

static bool add_image(Settings *settings, const DriveRequest *request, Error *error) {
    if (request->id == NULL)
        return error_set(error, "if=none needs an id");
    if (settings->image_count == SETTINGS_IMAGES)
        return error_set(error, "too many images");
    settings->image[settings->image_count++] = (ImageSpec){
        .id = request->id,
        .file = request->file,
        .format = request->format,
        .read_only = request->read_only,
        .snapshot = request->snapshot,
        .is_cd = request->is_cd,
        .serial = request->serial,
    };
    return true;
}

static bool read_request(Settings *settings, KeyValues *values, DriveRequest *request,
                         Error *error) {
    for (size_t i = 0; i < sizeof(tuning_keys) / sizeof(tuning_keys[0]); i++)
        key_values_get(values, tuning_keys[i]);
    if (!read_file(settings, values, &request->file, error))
        return false;
    request->format = settings_keep_string(settings, key_values_get(values, "format"));
    request->id = settings_keep_string(settings, key_values_get(values, "id"));
    request->serial = settings_keep_string(settings, key_values_get(values, "serial"));
    request->boot_index = -1;
    if (request->file != NULL && *request->file == '\0')
        request->file = NULL;
    return key_values_get_bool(values, "readonly", false, &request->read_only, error) &&
           key_values_get_bool(values, "snapshot", settings->snapshot_by_default,
                               &request->snapshot, error) &&
           read_media(values, &request->is_cd, error);
}

static bool add_drive(Settings *settings, KeyValues *values, Error *error) {
    DriveRequest request = {.file = NULL};
    int index = -1;
    const char *interface = key_values_get(values, "if");
    bool is_floppy = interface != NULL && strcmp(interface, "floppy") == 0;
    bool is_scsi = interface != NULL && strcmp(interface, "scsi") == 0;
    if (!read_request(settings, values, &request, error) ||
        !read_place(values,
                    is_floppy ? 1
                    : is_scsi ? MACHINE_SCSI_NUMBERS
                              : 2,
                    &index, error) ||
        !key_values_check_used(values, DRIVE_KEYS, error))
        return false;
    request.backend = request.id;
    if (is_floppy)
        return settings_add_floppy_drive(settings, index, &request, error);
    if (interface == NULL || strcmp(interface, "ide") == 0) {
        if (request.file == NULL && !request.is_cd)
            return error_set(error, "a hard disk needs file=");
        return settings_add_ide_drive(settings, index, &request, error);
    }
    if (is_scsi)
        return settings_add_scsi_drive(settings, index, &request, error);
    if (strcmp(interface, "virtio") == 0)
        return settings_add_pci_disk(settings, &(PciDiskConfig){.kind = PCI_DISK_VIRTIO}, &request,
                                     error);
    if (strcmp(interface, "none") == 0)
        return add_image(settings, &request, error);
    if (strcmp(interface, "pflash") == 0)
        return settings_add_flash(settings, index, request.file, error);
    return error_set(error,
                     "if=%s is not in this version; known are floppy, ide, scsi, virtio and none",
                     interface);
}

bool option_drive(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good =
        key_values_parse(&values, argument, NULL, error) && add_drive(settings, &values, error);
    key_values_free(&values);
    return good;
}

static const ImageSpec *find_image(const Settings *settings, const char *id) {
    for (int i = 0; i < settings->image_count; i++) {
        if (id != NULL && strcmp(settings->image[i].id, id) == 0)
            return &settings->image[i];
    }
    return NULL;
}

static bool add_node(Settings *settings, const DriveRequest *request, bool is_file,
                     const char *child, Error *error) {
    if (find_image(settings, request->id) != NULL)
        return error_set(error, "there is a node '%s' already", request->id);
    if (!add_image(settings, request, error))
        return false;
    ImageSpec *image = &settings->image[settings->image_count - 1];
    image->is_node = true;
    image->is_file = is_file;
    image->child = child;
    return true;
}

/* The image itself says what it lies over; who names it must name a node. */
static bool check_backing(const Settings *settings, const char *name, Error *error) {
    return name == NULL || find_image(settings, name) != NULL ||
           error_set(error, "backing= names no node that was given before");
}

/* A format node takes the file of the node that it names; a file node brings its own. */
static bool add_block_node(Settings *settings, KeyValues *values, Error *error) {
    const char *driver = key_values_get(values, "driver");
    const char *name = key_values_get(values, "node-name");
    if (driver == NULL || name == NULL)
        return error_set(error, "driver= and node-name= are needed");
    DriveRequest request = {.id = settings_keep_string(settings, name),
                            .snapshot = settings->snapshot_by_default};
    if (!key_values_get_bool(values, "read-only", false, &request.read_only, error))
        return false;
    if (strcmp(driver, "file") == 0) {
        request.file = settings_keep_string(settings, key_values_get(values, "filename"));
        if (request.file == NULL)
            return error_set(error, "filename= is needed");
        request.format = "raw";
        return add_node(settings, &request, true, NULL, error);
    }
    if (strcmp(driver, "vvfat") == 0) {
        request.file = read_folder(settings, values, "", error);
        return request.file != NULL && add_node(settings, &request, true, NULL, error);
    }
    if (strcmp(driver, "nbd") == 0) {
        request.file = read_export(settings, values, "", error);
        return request.file != NULL && add_node(settings, &request, true, NULL, error);
    }
    const ImageSpec *below = find_image(settings, key_values_get(values, "file"));
    const char *filename = key_values_get(values, "file.filename");
    if (below == NULL && filename == NULL)
        return error_set(error, "file= names no node that was given before");
    request.file = below != NULL ? below->file : settings_keep_string(settings, filename);
    request.format = settings_keep_string(settings, driver);
    return check_backing(settings, key_values_get(values, "backing"), error) &&
           add_node(settings, &request, false, below != NULL ? below->id : NULL, error);
}

bool option_blockdev(Settings *settings, const char *argument, Error *error) {
    static const char *const ignored[] = {"discard",        "auto-read-only", "cache.direct",
                                          "cache.no-flush", "detect-zeroes",  "aio",
                                          "file.driver",    "read-only",      "cache-size"};
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "driver", error);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        key_values_get(&values, ignored[i]);
    good =
        good && add_block_node(settings, &values, error) &&
        key_values_check_used(&values,
                              "driver node-name filename file file.driver "
                              "file.filename read-only backing discard cache.direct dir floppy rw "
                              "fat-type server.type server.path server.host server.port host port "
                              "path export reconnect-delay",
                              error);
    key_values_free(&values);
    return good;
}
