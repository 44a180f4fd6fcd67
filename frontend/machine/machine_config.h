/* What a machine is made of: filled in by a front end, read once by machine_create(). Strings
 * belong to the caller and must outlive the machine. */
#ifndef REPRISE_MACHINE_CONFIG_H
#define REPRISE_MACHINE_CONFIG_H

#include "audio_sink.h"
#include "clock.h"
#include "keyboard_layouts.h"
#include "midi_sink.h"
#include "network_back_end.h"
#include "network_link.h"
#include "post_log.h"
#include "smbios_tables.h"
#include "trace.h"
#include "translator.h"
#include "vga.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MACHINE_FLOPPIES = 2,
    MACHINE_IDE_DRIVES = 4,
    MACHINE_PCI_DISKS = 8,
    MACHINE_DRIVES = MACHINE_FLOPPIES + MACHINE_IDE_DRIVES + MACHINE_PCI_DISKS,
    MACHINE_AHCI_PORTS = 6,
    MACHINE_SCSI_NUMBERS = 7, /* of disks; the adapter has the next one */
    MACHINE_SERIAL_PORTS = 4,
    MACHINE_PARALLEL_PORTS = 3,
    MACHINE_PROCESSORS = 8,
    MACHINE_USB_DEVICES = 16,
    MACHINE_USB_HUBS = 4,
    MACHINE_NETWORK_CARDS = 8,
    MACHINE_NETWORK_BACK_ENDS = 8,
    MACHINE_NETWORK_DUMPS = 8,
    MACHINE_AUDIO_SINKS = 4,
};

#define MACHINE_RAM_MIN (1ull << 20)
#define MACHINE_RAM_MAX (3584ull << 20)
#define MACHINE_RAM_DEFAULT (128ull << 20)
#define MACHINE_ICOUNT_SHIFT_MAX 10

/* Of a disk, where a user gives it; 'translation' is one of IdeTranslation. */
typedef struct DriveGeometry {
    uint32_t cylinders; /* 0: it is guessed */
    uint32_t heads, sectors;
    unsigned translation;
} DriveGeometry;

typedef struct DriveConfig {
    bool present;
    bool is_cd;         /* IDE and AHCI drives only */
    const char *file;   /* NULL: no medium */
    const char *format; /* "raw"; NULL: found out from the content */
    bool read_only;
    bool snapshot;      /* writes go to a temporary place and are forgotten */
    const char *id;     /* as 'info block' names it; NULL for the default name */
    int boot_index;     /* -1: not given */
    const char *serial; /* number of a disk; NULL: a default */
    DriveGeometry geometry;
    const char *scsi_device_id; /* by which a SCSI disk is told from all others; NULL: a default */
    /* What QMP calls the device, the block node in it, and a -drive that it was made of: NULL where
     * nobody gave a name. */
    const char *device_id, *node_name, *backend;
} DriveConfig;

/* A disk behind a controller on the PCI bus; each has its own but those of AHCI,
 * SCSI and USB. */
typedef enum PciDiskKind {
    PCI_DISK_VIRTIO,
    PCI_DISK_AHCI,
    PCI_DISK_NVME,
    PCI_DISK_SCSI,
    PCI_DISK_USB,
} PciDiskKind;

typedef struct PciDiskConfig {
    DriveConfig drive;
    PciDiskKind kind;
    unsigned port; /* of the AHCI controller; the number on the SCSI bus */
    unsigned slot; /* of its own controller on the bus; 0: the first that is free */
} PciDiskConfig;

/* A network card; which there are: network_cards.h. */
typedef struct NetworkCardConfig {
    const char *model;    /* NULL: none */
    const char *id;       /* NULL: a default */
    const char *back_end; /* what is at the other end of its cable; NULL: nothing */
    uint8_t address[NETWORK_ADDRESS_BYTES];
    unsigned slot;        /* on the PCI bus; 0: the first that is free */
    bool comes_first;     /* takes its slot before disks do */
    uint16_t io_base;     /* on the ISA bus */
    unsigned irq;         /* likewise */
    const char *boot_rom; /* NULL: the one that firmware packages have; "": none */
    int boot_index;       /* -1: not given */
} NetworkCardConfig;

/* What can be plugged into the USB controller; one of each at most, but disks and hubs. */
typedef enum UsbDeviceKind {
    USB_DEVICE_NONE,
    USB_DEVICE_TABLET,
    USB_DEVICE_KEYBOARD,
    USB_DEVICE_MOUSE,
    USB_DEVICE_STORAGE,
    USB_DEVICE_HUB,
    USB_DEVICE_KINDS,
} UsbDeviceKind;

typedef struct UsbDeviceConfig {
    UsbDeviceKind kind;
    const char *id; /* NULL: none */
    uint32_t port;  /* the way to it (UsbPath, usb_bus.h); 0: the first that is free */
    unsigned disk;  /* of USB_DEVICE_STORAGE: which of the disks on the PCI bus; which hub */
} UsbDeviceConfig;

/* What makes sound; one of each at most. */
typedef enum SoundKind {
    SOUND_SPEAKER, /* always there */
    SOUND_SB16,
    SOUND_ADLIB,
    SOUND_AC97,
    SOUND_ES1370,
    SOUND_MPU401, /* without a card around it */
    SOUND_KINDS,
} SoundKind;

typedef struct SoundConfig {
    bool present;
    bool is_heard;
    unsigned audio; /* where it is heard: one of MachineConfig.audio */
    uint16_t port;  /* of ISA cards, as are these: */
    uint8_t irq, dma, dma16;
    uint16_t version;
    unsigned slot; /* of PCI cards; 0: the first that is free */
} SoundConfig;

/* Where the bytes of a port go. Called on the machine's thread. A NULL write: the port has nobody
 * at its other end. */
typedef struct ByteSink {
    void (*write)(void *opaque, const uint8_t *data, size_t size);
    void *opaque;
} ByteSink;

/* By default universal time; but with icount, whose runs are to be repeatable, RTC_FIXED_SECONDS.
 */
typedef enum RtcBase {
    RTC_BASE_DEFAULT,
    RTC_BASE_UTC,
    RTC_BASE_LOCALTIME,
    RTC_BASE_SECONDS,
} RtcBase;
#define RTC_FIXED_SECONDS 946684800 /* 2000-01-01 00:00:00 */

typedef struct MachineConfig {
    const char *name; /* -name; may be NULL */
    uint64_t ram_bytes;
    const char *cpu_model; /* "pentium4,+sse3,-mmx" */
    unsigned processors;   /* at most MACHINE_PROCESSORS */
    TranslatorOptions translator;

    /* The clock: the host's, or instructions << icount_shift nanoseconds. */
    bool icount;
    unsigned icount_shift;
    ClockPerturbation perturbation; /* of timings that hardware leaves free; only with icount */
    RtcBase rtc_base;
    int64_t rtc_seconds; /* since 1970, for RTC_BASE_SECONDS */
    bool rtc_runs_on;    /* the clock chip goes on while the machine is paused */
    bool rtc_catches_up; /* and has gone on when a snapshot is loaded */

    const char *bios;            /* NULL for the standard one */
    const char *firmware_folder; /* -L; may be NULL */
    const char *boot_order;      /* letters of a, c, d, n; NULL for the standard order */
    const char *boot_once;       /* the same, until the first reset; NULL: nothing special */
    bool boot_menu;
    uint64_t boot_menu_wait_ms; /* how long the menu can be asked for */
    uint32_t boot_fail_wait_ms; /* before the BIOS reboots if nothing boots; all ones: never */

    /* A kernel to start in place of what the drives have; NULL: none. The initrd is a file, for a
     * Multiboot kernel a list of modules: "FILE ARGUMENTS,FILE ARGUMENTS". */
    const char *kernel, *initrd, *kernel_command_line;

    DriveConfig floppy[MACHINE_FLOPPIES];
    DriveConfig ide[MACHINE_IDE_DRIVES]; /* primary master and slave, secondary master and slave */
    PciDiskConfig pci_disk[MACHINE_PCI_DISKS];
    bool has_ahci;
    unsigned ahci_slot; /* 0: the first that is free */
    bool has_scsi;
    unsigned scsi_slot; /* likewise */
    NetworkCardConfig network_card[MACHINE_NETWORK_CARDS];
    NetworkBackEndOptions network_back_end[MACHINE_NETWORK_BACK_ENDS];
    bool network_detached; /* no back end is made: a replay delivers what was recorded */
    NetworkDumpOptions network_dump[MACHINE_NETWORK_DUMPS];
    /* What the drives hold instead of those files, in a clone (disk_base.h); read by
     * machine_create() alone. */
    const struct DiskBase *disks;
    /* Likewise what the board takes over in place of firmware and kernel (board_roms.h). */
    const struct BoardRoms *roms;
    AudioSink audio[MACHINE_AUDIO_SINKS];
    SoundConfig sound[SOUND_KINDS];
    MidiSink midi; /* of the MPU-401 */
    bool has_gameport;
    unsigned joysticks;  /* plugged in at first */
    bool no_vmware_port; /* by which an absolute pointer needs no USB */
    bool no_clipboard;   /* the guest and the window have each their own */
    bool has_usb;
    unsigned usb_slot;                               /* of the controller; 0: the usual place */
    UsbDeviceConfig usb_device[MACHINE_USB_DEVICES]; /* from the first on */
    const KeyboardLayout *keyboard_layout; /* for what is typed as characters; NULL: USA */
    bool has_vga;
    VgaConfig vga; /* of slot, memory and identification; slot 0: the usual one */
    bool has_pci;  /* else an ISA board (isa_board.h) */
    bool has_acpi; /* power management and the tables that tell of it */
    bool has_hpet;
    bool no_suspend_to_ram, no_suspend_to_disk; /* S3 and S4 are not offered */
    SmbiosConfig smbios;
    bool has_serial[MACHINE_SERIAL_PORTS];
    ByteSink serial[MACHINE_SERIAL_PORTS];
    bool has_parallel[MACHINE_PARALLEL_PORTS];
    ByteSink parallel[MACHINE_PARALLEL_PORTS];
    ByteSink debug_console; /* port E9h */
    ByteSink firmware_log;  /* port 402h, where SeaBIOS writes */
    PostSink post;          /* POST codes */
    bool serial_screen;     /* the BIOS shows its text screen on serial port 0 too */
    bool has_debug_exit;
    uint16_t debug_exit_port, debug_exit_size;

    bool has_pvpanic;
    uint16_t pvpanic_port, pvpanic_events;
    bool has_pc_testdev, has_pci_testdev;

    const char *snapshots_path; /* the file for savevm; NULL: beside the first image */

    bool incoming;     /* a state will come, and the images are another process's until then */
    bool start_paused; /* -S */
    bool no_reboot, no_shutdown;
    uint32_t trace_mask;
    FILE *trace_output;
} MachineConfig;

/* A PC with 128 MB, a Pentium 4, VGA, one empty floppy drive and nothing else plugged in. */
void machine_config_init(MachineConfig *config);

#endif
