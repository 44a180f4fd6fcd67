/* Everything that the command line says, in one place: what machine to make, and what to show it
 * on. */
#ifndef REPRISE_SETTINGS_H
#define REPRISE_SETTINGS_H

#include "audio_spec.h"
#include "character_spec.h"
#include "guest_coverage.h"
#include "machine_config.h"
#include "vnc_spec.h"
#include "window_settings.h"

#define SETTINGS_CHARACTER_DEVICES 32
#define SETTINGS_IMAGES 32
#define SETTINGS_MONITORS 4
#define SETTINGS_OBJECTS 16
#define SETTINGS_DEVICES 64
#define SETTINGS_DESCRIPTORS 16
#define SETTINGS_WARNINGS 32
#define SETTINGS_GLOBALS 32
#define SETTINGS_USER_NETWORK 16

/* -global: a setting of every device of a kind that is not given otherwise. */
typedef struct GlobalSetting {
    const char *driver, *key, *value;
    bool used;
} GlobalSetting;

typedef enum DisplayKind { DISPLAY_DEFAULT, DISPLAY_SDL, DISPLAY_NONE } DisplayKind;

/* -chardev: a back end with a name, for -serial chardev:ID, -mon and -device. */
typedef struct NamedCharacterSpec {
    const char *id;
    CharacterSpec spec;
} NamedCharacterSpec;

/* -blockdev and -drive if=none: an image with a name, which a -device plugs in. */
typedef struct ImageSpec {
    const char *id;
    const char *file, *format;
    const char *serial;
    bool read_only, snapshot, is_cd;
    bool is_node;      /* of -blockdev, */
    bool is_file;      /* without a format */
    const char *child; /* the node that a format node lies on; NULL: its own file */
} ImageSpec;

/* -device: how it was asked for. */
typedef struct PluggedDevice {
    const char *driver, *id; /* the id may be NULL */
    KeyValues values;
} PluggedDevice;

/* -object: what has an id and does its work by being there. */
typedef struct ObjectSpec {
    const char *type, *id;
    uint64_t size; /* of a memory back end */
} ObjectSpec;

/* -add-fd: a descriptor of the parent process, which options name as /dev/fdset/SET. */
typedef struct DescriptorSpec {
    unsigned set;
    int fd;
} DescriptorSpec;

typedef struct Settings {
    MachineConfig machine;

    DisplayKind display;
    bool full_screen;
    bool vga_is_named;  /* by -device */
    bool vga_is_chosen; /* by -vga */
    DisplayScaling scaling;
    bool scaling_is_named, full_screen_is_named;
    bool no_user_config; /* the user's settings of the window do not count */
    VncSpec vnc;         /* -vnc, -display vnc= */
    bool no_graphic;     /* -nographic */
    bool no_defaults;

    CharacterSpec serial[MACHINE_SERIAL_PORTS];
    int serial_count;
    CharacterSpec parallel[MACHINE_PARALLEL_PORTS];
    int parallel_count;
    CharacterSpec debug_console; /* port E9h */
    CharacterSpec firmware_log;  /* port 402h */
    CharacterSpec monitor[SETTINGS_MONITORS];
    bool monitor_is_control[SETTINGS_MONITORS]; /* it speaks QMP */
    bool monitor_is_pretty[SETTINGS_MONITORS];
    int monitor_count;
    bool monitor_given;
    NamedCharacterSpec character_device[SETTINGS_CHARACTER_DEVICES];
    int character_device_count;
    const char *ahci_id;  /* of its controller, which names the buses of its drives */
    const char *scsi_id;  /* likewise; NULL: none by -device */
    bool scsi_came_along; /* with a drive; a -device may say more of the same */
    const char *usb_id;   /* of the USB controller, likewise; NULL: none by -device */
    ImageSpec image[SETTINGS_IMAGES];
    int image_count;
    AudioSpec audio[MACHINE_AUDIO_SINKS]; /* -audiodev */
    unsigned audio_count;
    const char *midi_path;                     /* of the MPU-401; NULL: nowhere */
    const char *sound_audio[SOUND_KINDS];      /* audiodev= of each; NULL: the first there is */
    const char *late_device[SETTINGS_DEVICES]; /* of -device; not plugged in yet */
    int late_device_count;
    PluggedDevice plugged[SETTINGS_DEVICES];
    int plugged_count;
    ObjectSpec object[SETTINGS_OBJECTS];
    int object_count;
    DescriptorSpec descriptor[SETTINGS_DESCRIPTORS];
    int descriptor_count;

    bool network_given; /* some option says what network there is, or that there is none */
    unsigned network_address_count, network_id_count;
    /* Of '-net', which go together by their order. */
    NetworkCardConfig *net_card[MACHINE_NETWORK_CARDS];
    const char *net_back_end[MACHINE_NETWORK_BACK_ENDS];
    unsigned net_card_count, net_back_end_count;
    bool network_card_is_default[MACHINE_NETWORK_CARDS]; /* nobody named its model */

    bool snapshot;                       /* -snapshot: for every drive */
    bool snapshot_by_default;            /* for drives that do not say snapshot=off */
    bool floppy_named[MACHINE_FLOPPIES]; /* some option says what is in it */
    bool floppy_boots[MACHINE_FLOPPIES]; /* -global isa-fdc.bootindexA: at this place */
    int floppy_boot_index[MACHINE_FLOPPIES];
    /* Of older options (-redir, -tftp): further settings of the first network of kind 'user'. */
    const char *user_network[SETTINGS_USER_NETWORK];
    unsigned user_network_count;
    DriveGeometry first_disk_geometry; /* -hdachs; of no cylinders: not given */
    const char *flash;                 /* -pflash: an image in the place of the BIOS */

    GlobalSetting global[SETTINGS_GLOBALS];
    unsigned global_count;
    bool debug_is_firmware_log; /* what -debugcon names is for port 402h */

    /* What was asked for and is not as it was meant, one line each, for whoever started the
     * program. */
    const char *warning[SETTINGS_WARNINGS];
    unsigned warning_count;
    const char *option; /* the one that is being read; NULL: none */

    bool show_help, show_version;
    bool finished;                /* settings_finish() was here */
    bool sandbox;                 /* -sandbox on */
    bool listed;                  /* an option printed a list: nothing more to do */
    const char *trace_categories; /* -d */
    const char *trace_file;       /* -D */
    const char *pid_file;
    const char *main_image; /* the first path without an option: what a window remembers */
    bool has_cpu_model;     /* by -cpu: not the machine's own */
    bool no_machine;        /* -machine none: somebody asks what this program can do */
    bool daemonize;
    const char *memory_backend;     /* of -machine; NULL: none */
    const char *incoming;           /* where the state comes from; NULL: no state comes */
    const char *load_snapshot;      /* -loadvm */
    const char *video_path;         /* -record-video; NULL: no film is made */
    const char *record_path;        /* -record; NULL: the run is not recorded */
    GuestCoverageOptions coverage;  /* -coverage, -profile, -symbols */
    const struct Recording *replay; /* the machine replays this; NULL: it lives */
    char **words;                   /* the command line, as it was given */
    int word_count;
    const char *gdb_address; /* -gdb; NULL: nobody listens for debuggers */

    /* Strings that options made; settings_free() frees them. */
    char **strings;
    int string_count;
} Settings;

void settings_init(Settings *settings);
void settings_free(Settings *settings);

/* A copy that lives as long as the settings. NULL stays NULL. */
const char *settings_keep_string(Settings *settings, const char *string);

/* Notes a warning, with the name of the option that is being read before it; the same one again is
 * not noted. */
void settings_warn(Settings *settings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
