/* The handlers behind the option table, one file a family. Each takes the option's argument (NULL
 * where it has none) into the settings; an error is one line without the option's name. */
#ifndef REPRISE_OPTIONS_H
#define REPRISE_OPTIONS_H

#include "error.h"
#include "key_values.h"
#include "settings.h"
#include <stdbool.h>
#include <stddef.h>

typedef bool OptionHandler(Settings *settings, const char *argument, Error *error);

/* options_machine.c */
OptionHandler option_machine, option_cpu, option_smp, option_memory, option_name;
OptionHandler option_start_paused, option_no_reboot, option_no_shutdown, option_no_defaults;
OptionHandler option_no_acpi, option_no_hpet, option_action, option_usb, option_usbdevice;

/* options_object.c */
OptionHandler option_object, option_add_fd;

/* options_accel.c */
OptionHandler option_accel, option_enable_kvm;
/* The accelerator alone, for '-machine accel=': "jit:interp" means the first of them that can be
 * had; 'kvm' never can. */
OptionHandler option_accel_name;

/* options_smbios.c */
OptionHandler option_smbios, option_uuid;

/* options_coverage.c */
OptionHandler option_coverage, option_profile, option_symbols;

/* options_time.c */
OptionHandler option_icount, option_perturb, option_rtc;
/* The argument of -perturb, and the other way round. */
bool perturbation_read(ClockPerturbation *perturbation, const char *argument, Error *error);
#define PERTURBATION_TEXT_BYTES 96
void perturbation_print(const ClockPerturbation *perturbation, char text[PERTURBATION_TEXT_BYTES]);

/* options_snapshot.c */
OptionHandler option_snapshots, option_load_snapshot, option_incoming;

/* options_older.c */
OptionHandler option_accept_anything; /* has no meaning here and does no harm */
OptionHandler option_left_out;        /* has a meaning, and is left out with a warning */
OptionHandler option_not_here;
OptionHandler option_spice, option_no_kvm, option_single_step, option_local_time, option_start_date,
    option_standard_vga, option_sdl, option_curses, option_redirect, option_user_tftp,
    option_user_boot_file, option_disk_geometry, option_flash;
/* A flash chip, whose image takes the place of the BIOS; 'unit' -1: the next. */
bool settings_add_flash(Settings *settings, int unit, const char *file, Error *error);

/* options_global.c */
OptionHandler option_global;
/* Adds what -global says of devices of this kind to the settings of one; 'keys' lists those that it
 * takes. */
void settings_apply_globals(Settings *settings, const char *driver, const char *keys,
                            KeyValues *values);
/* When all options are read. */
void settings_warn_of_globals(Settings *settings);

/* options_boot.c */
OptionHandler option_boot, option_bios, option_firmware_folder;
OptionHandler option_kernel, option_initrd, option_append;

/* options_storage.c */
OptionHandler option_fda, option_fdb, option_hda, option_hdb, option_hdc, option_hdd, option_cdrom,
    option_drive;
OptionHandler option_blockdev, option_snapshot;

/* options_display.c */
OptionHandler option_display, option_full_screen, option_no_user_config, option_vga, option_vnc,
    option_no_graphic;

/* options_character.c */
OptionHandler option_serial, option_parallel, option_debug_console, option_monitor, option_chardev,
    option_mon, option_qmp, option_qmp_pretty;

/* options_device.c: what '-device' names is plugged in when all options were read, since it may
 * lead to drives, networks and character devices that stand behind it on the command line. */
OptionHandler option_device;
/* Plugs 'argument' of -device in at once. */
OptionHandler options_plug_in_device;
/* All that option_device() has kept, in its order. */
bool options_plug_in_late_devices(Settings *settings, Error *error);

/* options_keyboard.c */
OptionHandler option_keyboard_layout;

/* options_network.c */
OptionHandler option_netdev, option_nic, option_net;

/* options_device.c: 'vgamem_mb='. */
bool vga_config_set_memory(VgaConfig *vga, uint64_t megabytes, Error *error);
/* options_device.c: 'addr=' of a PCI device; 0: not given. */
bool options_read_slot(KeyValues *values, unsigned *slot, Error *error);

/* options_usb.c */
bool plug_in_scsi_controller(Settings *settings, KeyValues *values, Error *error);
bool plug_in_scsi_disk(Settings *settings, KeyValues *values, Error *error);
bool plug_in_scsi_cd(Settings *settings, KeyValues *values, Error *error);
bool plug_in_usb_controller(Settings *settings, KeyValues *values, Error *error);
bool plug_in_usb_tablet(Settings *settings, KeyValues *values, Error *error);
bool plug_in_usb_keyboard(Settings *settings, KeyValues *values, Error *error);
bool plug_in_usb_mouse(Settings *settings, KeyValues *values, Error *error);
bool plug_in_usb_hub(Settings *settings, KeyValues *values, Error *error);
bool plug_in_usb_storage(Settings *settings, KeyValues *values, Error *error);

/* options_audio.c */
OptionHandler option_audiodev, option_audio, option_soundhw;
/* The sound devices of -device; 'audiodev=' among their settings. */
bool plug_in_sb16(Settings *settings, KeyValues *values, Error *error);
bool plug_in_ac97(Settings *settings, KeyValues *values, Error *error);
bool plug_in_es1370(Settings *settings, KeyValues *values, Error *error);
bool plug_in_gameport(Settings *settings, KeyValues *values, Error *error);
bool plug_in_mpu401(Settings *settings, KeyValues *values, Error *error);
bool plug_in_adlib(Settings *settings, KeyValues *values, Error *error);

/* options_program.c */
OptionHandler option_help, option_version, option_trace, option_trace_file, option_pid_file,
    option_daemonize;
OptionHandler option_perf_map, option_jit_dump;
OptionHandler option_sandbox;

/* options_record.c */
OptionHandler option_record_video, option_record;

/* options_gdb.c */
OptionHandler option_gdb, option_gdb_default;
/* What -device plugs in. options_device.c */
typedef struct DeviceOption {
    const char *name;
    const char *keys; /* the settings it takes, for the message and for introspection */
    const char *help;
    bool (*plug_in)(Settings *settings, KeyValues *values, Error *error);
} DeviceOption;
/* What -device knows, network cards too: by number; false after the last. */
typedef struct DeviceType {
    const char *name, *keys;
} DeviceType;
bool device_type_at(size_t index, DeviceType *type);

/* Takes a -drive or -device drive into its slot; used by options_storage.c, options_device.c and
 * image_guess.c. */
typedef struct DriveRequest {
    const char *file, *format, *id;
    /* Of -device: the id of the device, the node or the -drive behind it. NULL: none. */
    const char *device_id, *node_name, *backend;
    bool read_only, snapshot, is_cd;
    int boot_index;             /* -1: not given */
    const char *serial;         /* of a disk; NULL: a default */
    const char *scsi_device_id; /* likewise */
    DriveGeometry geometry;
} DriveRequest;
/* 'index': the place, or -1 for the first free one (2 for a CD if that is free). */
bool settings_add_ide_drive(Settings *settings, int index, const DriveRequest *request,
                            Error *error);
/* Of the kind that 'disk' says, which has everything but the drive. */
bool settings_add_pci_disk(Settings *settings, const PciDiskConfig *disk,
                           const DriveRequest *request, Error *error);
/* 'index': its number on the SCSI bus, or -1 for the first free one; the adapter comes with it. */
bool settings_add_scsi_drive(Settings *settings, int index, const DriveRequest *request,
                             Error *error);
/* The drive that a -device has behind it: drive=, id=, serial=, bootindex=. */
bool options_read_drive(Settings *settings, KeyValues *values, DriveRequest *request, Error *error);
bool settings_add_floppy_drive(Settings *settings, int index, const DriveRequest *request,
                               Error *error);

#endif
