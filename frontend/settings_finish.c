#include "settings_finish.h"
#include "isa_board.h"
#include "options.h"
#include "options_network.h"

#include <stdio.h>
#include <string.h>

static void finish_drives(Settings *settings) {
    MachineConfig *machine = &settings->machine;
    DriveConfig *cd = &machine->ide[2];
    if (settings->no_defaults && !settings->vga_is_named && !settings->vga_is_chosen)
        machine->has_vga = false;
    if (settings->no_defaults) {
        machine->floppy[0].present = settings->floppy_named[0];
    } else if (!cd->present) {
        cd->present = true;
        cd->is_cd = true;
        cd->boot_index = -1;
    }
    for (int i = 0; i < MACHINE_FLOPPIES; i++) {
        if (settings->floppy_boots[i])
            machine->floppy[i].boot_index = settings->floppy_boot_index[i];
        if (settings->snapshot || (settings->snapshot_by_default && !settings->floppy_named[i]))
            machine->floppy[i].snapshot = true;
    }
    for (int i = 0; settings->snapshot && i < MACHINE_IDE_DRIVES; i++)
        machine->ide[i].snapshot = true;
    for (int i = 0; settings->snapshot && i < MACHINE_PCI_DISKS; i++)
        machine->pci_disk[i].drive.snapshot = true;
}

/* -nographic: serial port 0 and the monitor share the terminal, unless options put them elsewhere.
 */
static void finish_ports(Settings *settings) {
    bool defaults = !settings->no_defaults;
    bool shared = settings->no_graphic && defaults && settings->serial_count == 0;
    if (settings->serial_count == 0 && defaults) {
        settings->serial[0].kind = shared ? CHARACTER_STDIO : CHARACTER_NULL;
        settings->serial[0].mux = shared && !settings->monitor_given;
        settings->serial[0].no_signals = shared;
        settings->serial_count = 1;
    }
    settings->machine.serial_screen = settings->no_graphic && settings->serial_count > 0;
    if (settings->parallel_count == 0 && defaults) {
        settings->parallel[0].kind = CHARACTER_NULL;
        settings->parallel_count = 1;
    }
    if (settings->no_graphic)
        settings->display = DISPLAY_NONE;
}

static bool finish_globals(Settings *settings, Error *error) {
    VgaConfig *vga = &settings->machine.vga;
    KeyValues values = {.items = NULL};
    uint64_t megabytes = 0;
    const char *driver = vga->model == VGA_CIRRUS ? "cirrus-vga" : "VGA";
    if (!settings->vga_is_named && settings->machine.has_vga)
        settings_apply_globals(settings, driver, "vgamem_mb", &values);
    bool given = key_values_get(&values, "vgamem_mb") != NULL;
    bool good = key_values_get_number(&values, "vgamem_mb", 0, &megabytes, error);
    if (good && given)
        good = vga_config_set_memory(vga, megabytes, error);
    key_values_free(&values);
    settings_warn_of_globals(settings);
    return good || error_prefix(error, "-global: ");
}

/* What older options say of things that others make. */
static bool finish_older_options(Settings *settings, Error *error) {
    DriveConfig *disk = &settings->machine.ide[0];
    bool has_disk = disk->present && !disk->is_cd;
    if (settings->debug_is_firmware_log && settings->debug_console.kind != CHARACTER_NONE) {
        settings->firmware_log = settings->debug_console;
        settings->debug_console = (CharacterSpec){.kind = CHARACTER_NONE};
    }
    if (settings->first_disk_geometry.cylinders == 0)
        return true;
    disk->geometry = settings->first_disk_geometry;
    return has_disk || error_set(error, "-hdachs: there is no first hard disk");
}

/* An ISA machine has neither what makes ACPI nor an HPET, and the usual adapter has another form.
 */
static void finish_isa_machine(Settings *settings) {
    MachineConfig *machine = &settings->machine;
    if (machine->has_pci)
        return;
    machine->has_acpi = machine->has_hpet = false;
    if (machine->vga.model == VGA_STANDARD && !settings->vga_is_named)
        machine->vga.model = VGA_ISA;
}

/* "/dev/fdset/N" is a descriptor of -add-fd. */
static bool resolve_path(const Settings *settings, char path[256], Error *error) {
    static const char prefix[] = "/dev/fdset/";
    uint64_t set;
    if (strncmp(path, prefix, strlen(prefix)) != 0)
        return true;
    bool is_number = parse_number(path + strlen(prefix), &set);
    for (int i = 0; is_number && i < settings->descriptor_count; i++) {
        if (settings->descriptor[i].set == set) {
            snprintf(path, 256, "/dev/fd/%d", settings->descriptor[i].fd);
            return true;
        }
    }
    return error_set(error, "there is no '%s'; -add-fd makes one", path);
}

/* Guest memory is one piece; a back end of another size than -m says would be a mistake. */
static bool check_memory_backend(const Settings *settings, Error *error) {
    const char *id = settings->memory_backend;
    for (int i = 0; id != NULL && i < settings->object_count; i++) {
        const ObjectSpec *object = &settings->object[i];
        if (strcmp(object->id, id) != 0 || strcmp(object->type, "memory-backend-ram") != 0)
            continue;
        return object->size == settings->machine.ram_bytes ||
               error_set(error, "the memory back end '%s' has another size than -m says", id);
    }
    return id == NULL || error_set(error, "there is no memory back end '%s'", id);
}

static bool resolve(const Settings *settings, CharacterSpec *spec, Error *error) {
    if (spec->kind != CHARACTER_NAMED)
        return true;
    for (int i = 0; i < settings->character_device_count; i++) {
        const NamedCharacterSpec *named = &settings->character_device[i];
        if (strcmp(named->id, spec->path) == 0) {
            *spec = named->spec;
            return resolve_path(settings, spec->log_path, error) &&
                   (spec->kind != CHARACTER_FILE || resolve_path(settings, spec->path, error));
        }
    }
    return error_set(error, "there is no character device '%s'; -chardev makes one", spec->path);
}

static bool resolve_all(const Settings *settings, CharacterSpec *specs, int count, Error *error) {
    for (int i = 0; i < count; i++) {
        if (!resolve(settings, &specs[i], error))
            return false;
    }
    return true;
}

/* The terminal is one; only a mux may share it, and that with the monitor alone. */
static bool check_stdio(const Settings *settings, Error *error) {
    int users = (settings->debug_console.kind == CHARACTER_STDIO) +
                (settings->firmware_log.kind == CHARACTER_STDIO);
    for (int i = 0; i < settings->serial_count; i++)
        users += settings->serial[i].kind == CHARACTER_STDIO;
    for (int i = 0; i < settings->parallel_count; i++)
        users += settings->parallel[i].kind == CHARACTER_STDIO;
    for (int i = 0; i < settings->monitor_count; i++)
        users += settings->monitor[i].kind == CHARACTER_STDIO && !settings->monitor[i].mux;
    return users <= 1 || error_set(error, "only one of serial ports, parallel ports, debug console "
                                          "and monitor can use stdio; 'mon:stdio' shares it");
}

/* By its name, or the first; without any, a window plays what there is. */
static bool find_audio(Settings *settings, const char *id, unsigned *index, Error *error) {
    for (*index = 0; *index < settings->audio_count; (*index)++) {
        if (id == NULL || strcmp(settings->audio[*index].id, id) == 0)
            return true;
    }
    if (id != NULL)
        return error_set(error, "there is no audio device '%s'; -audiodev makes one", id);
    *index = settings->audio_count++;
    settings->audio[*index] = (AudioSpec){.id = "",
                                          .driver = AUDIO_DRIVER_DEFAULT,
                                          .rate = AUDIO_DEFAULT_RATE,
                                          .channels = AUDIO_CHANNELS};
    return true;
}

/* The speaker is heard where it is asked to be, and where something plays; a recording of a card
 * has it only if it was asked for. */
static bool finish_sound(Settings *settings, Error *error) {
    for (unsigned kind = 0; kind < SOUND_KINDS; kind++) {
        SoundConfig *config = &settings->machine.sound[kind];
        const char *id = settings->sound_audio[kind];
        if (kind == SOUND_SPEAKER && id == NULL && !config->present && settings->audio_count > 0 &&
            settings->audio[0].driver == AUDIO_DRIVER_WAV)
            continue;
        if ((kind != SOUND_SPEAKER && !config->present) || kind == SOUND_MPU401)
            continue;
        if (!find_audio(settings, id, &config->audio, error))
            return false;
        config->is_heard = true;
    }
    return true;
}

bool settings_finish(Settings *settings, Error *error) {
    if (settings->finished)
        return true;
    settings->finished = true;
    if (!options_plug_in_late_devices(settings, error))
        return false;
    if (settings->no_machine) { /* nothing to see, and nobody who writes */
        settings->display = DISPLAY_NONE;
        settings->serial_count = settings->parallel_count = 0;
        return resolve_all(settings, settings->monitor, settings->monitor_count, error);
    }
    finish_drives(settings);
    finish_ports(settings);
    finish_isa_machine(settings);
    return finish_globals(settings, error) && finish_older_options(settings, error) &&
           settings_finish_network(settings, error) &&
           isa_board_check_config(&settings->machine, error) && finish_sound(settings, error) &&
           resolve_all(settings, settings->serial, settings->serial_count, error) &&
           resolve_all(settings, settings->parallel, settings->parallel_count, error) &&
           resolve_all(settings, settings->monitor, settings->monitor_count, error) &&
           resolve(settings, &settings->debug_console, error) &&
           resolve(settings, &settings->firmware_log, error) &&
           check_memory_backend(settings, error) && check_stdio(settings, error);
}
