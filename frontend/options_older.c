/* Options of QEMU, and of its older versions, that ask for something by another name, for nothing
 * here, or for what there is not: each is taken, taken with a warning, or refused with what to do
 * instead. */
#include "key_values.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What there is not ---- */

static const struct {
    const char *option;
    const char *note;
} notes[] = {
    /* Left out with a warning: the guest runs without. */
    {"spice", "there is no SPICE server; -vnc :0 shows the screen to others"},
    {"watchdog", "there is no watchdog; 'info hang' and -no-reboot tell of guests that stop"},
    {"watchdog-action", "there is no watchdog"},
    {"tpmdev", "there is no TPM"},
    {"balloon", "there is no memory balloon"},
    {"mem-path", "memory is that of the process"},
    {"mem-prealloc", "memory is taken when the guest uses it"},
    {"numa", "all memory is equally near"},
    {"trace", "there are no trace points; -d traces"},
    {"plugin", "there are no plug-ins; -coverage, -profile and -d tell what runs"},
    {"echr", "Ctrl-A stays the key that switches"},
    {"semihosting", "x86 has none"},
    {"semihosting-config", "x86 has none"},
    {"prom-env", "a PC has no such firmware"},
    {"alt-grab", "Ctrl-Alt-G frees the mouse"},
    {"ctrl-grab", "Ctrl-Alt-G frees the mouse"},
    {"g", "the guest sets the size of the screen"},
    {"rotate", "the screen is not rotated"},
    {"portrait", "the screen is not rotated"},
    {"bt", "there is no Bluetooth"},
    /* Refused. */
    {"chroot", "is not in this version; start the program within that folder (chroot DIR reprise)"},
    {"runas", "is not in this version; start the program as that user (sudo -u USER reprise)"},
    {"smb", "is not in this version; -nic user,tftp=FOLDER, http=FOLDER and "
            "-drive file=fat:FOLDER hand files to a guest"},
    {"virtfs", "is not in this version; -nic user,tftp=FOLDER, http=FOLDER and "
               "-drive file=fat:rw:FOLDER hand files to a guest"},
    {"fsdev", "is not in this version; -nic user,tftp=FOLDER, http=FOLDER and "
              "-drive file=fat:rw:FOLDER hand files to a guest"},
    {"sd", "a PC here has no SD card; -drive file=FILE or -device usb-storage plugs the image in"},
    {"mtdblock", "a PC has no such memory; -drive file=FILE plugs the image in"},
    {"iscsi", "is not in this version; -drive takes files, folders and NBD exports"},
    {"option-rom", "is not in this version; 'romfile=' gives a network card its ROM"},
    {"acpitable", "is not in this version; ACPI tables describe the machine as it is"},
    {"dtb", "a PC has no device tree"},
    {"fw_cfg", "is not in this version; -append and images hand data to a guest"},
    {"readconfig", "is not in this version; MACHINE.reprise files hold options, one a line"},
    {"writeconfig", "is not in this version; MACHINE.reprise files hold options, one a line"},
    {"set", "is not in this version; write the setting where the device is named"},
    {"preconfig", "is not in this version; -S waits before the first instruction"},
    {"qtest", "is not in this version; 'reprise test' runs scripts"},
    {"qtest-log", "is not in this version; 'reprise test' runs scripts"},
    {"dump-vmstate", "is not in this version; 'info devices' in the monitor shows states"},
    {"xen-domid", "there is no Xen here"},
    {"xen-attach", "there is no Xen here"},
};

static const char *find_note(const Settings *settings) {
    for (size_t i = 0; settings->option != NULL && i < sizeof(notes) / sizeof(notes[0]); i++)
        if (strcmp(notes[i].option, settings->option) == 0)
            return notes[i].note;
    return "is not in this version";
}

bool option_accept_anything(Settings *settings, const char *argument, Error *error) {
    (void)settings;
    (void)argument;
    (void)error;
    return true;
}

bool option_left_out(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings_warn(settings, "left out: %s", find_note(settings));
    return true;
}

bool option_not_here(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    return error_set(error, "%s", find_note(settings));
}

/* Its clients take the place of a window, as VNC's. */
bool option_spice(Settings *settings, const char *argument, Error *error) {
    if (settings->display == DISPLAY_DEFAULT)
        settings->display = DISPLAY_NONE;
    return option_left_out(settings, argument, error);
}

/* ---- Other spellings ---- */

bool option_no_kvm(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    return option_accel_name(settings, "tcg", error);
}

bool option_single_step(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.translator.one_insn_blocks = true;
    return true;
}

bool option_local_time(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    return option_rtc(settings, "base=localtime", error);
}

bool option_start_date(Settings *settings, const char *argument, Error *error) {
    char text[64];
    if (strcmp(argument, "now") == 0)
        return true;
    snprintf(text, sizeof(text), "base=%s", argument);
    return option_rtc(settings, text, error);
}

bool option_standard_vga(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    return option_vga(settings, "std", error);
}

bool option_sdl(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    return option_display(settings, "sdl", error);
}

bool option_curses(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    return option_display(settings, "curses", error);
}

static bool add_user_network(Settings *settings, const char *text, Error *error) {
    if (settings->user_network_count == SETTINGS_USER_NETWORK)
        return error_set(error, "there are no more than %d", SETTINGS_USER_NETWORK);
    settings->user_network[settings->user_network_count++] = settings_keep_string(settings, text);
    return true;
}

/* "tcp:PORT:[ADDRESS]:PORT" as hostfwd= has it: "tcp::PORT-ADDRESS:PORT". */
bool option_redirect(Settings *settings, const char *argument, Error *error) {
    char kind[8], host_port[8], address[40] = "", port[8], text[96];
    if ((sscanf(argument, "%7[a-z]:%7[0-9]:%39[0-9.]:%7[0-9]", kind, host_port, address, port) !=
             4 &&
         sscanf(argument, "%7[a-z]:%7[0-9]::%7[0-9]", kind, host_port, port) != 3))
        return error_set(error, "takes tcp:PORT:[ADDRESS]:PORT or udp:..., not '%s'", argument);
    snprintf(text, sizeof(text), "hostfwd=%s::%s-%s:%s", kind, host_port, address, port);
    return add_user_network(settings, text, error);
}

bool option_user_tftp(Settings *settings, const char *argument, Error *error) {
    char text[512];
    if (snprintf(text, sizeof(text), "tftp=%s", argument) >= (int)sizeof(text))
        return error_set(error, "the folder's name is too long");
    return add_user_network(settings, text, error);
}

bool option_user_boot_file(Settings *settings, const char *argument, Error *error) {
    char text[512];
    if (snprintf(text, sizeof(text), "bootfile=%s", argument) >= (int)sizeof(text))
        return error_set(error, "the file's name is too long");
    return add_user_network(settings, text, error);
}

/* "C,H,S[,TRANSLATION]" of the first hard disk. */
bool option_disk_geometry(Settings *settings, const char *argument, Error *error) {
    DriveGeometry *geometry = &settings->first_disk_geometry;
    char translation[8] = "auto";
    unsigned cylinders, heads, sectors;
    int count = sscanf(argument, "%5u,%3u,%3u,%7[a-z]", &cylinders, &heads, &sectors, translation);
    if (count < 3 || cylinders < 1 || cylinders > 16383 || heads < 1 || heads > 16 || sectors < 1 ||
        sectors > 63)
        return error_set(error, "takes CYLINDERS,HEADS,SECTORS (16383, 16 and 63 at most)");
    *geometry = (DriveGeometry){.cylinders = cylinders, .heads = heads, .sectors = sectors};
    geometry->translation = strcmp(translation, "none") == 0  ? 0
                            : strcmp(translation, "lba") == 0 ? 1
                                                              : cylinders > 1024;
    return true;
}

/* The first flash chip holds the firmware. What the guest would write into it has no place. */
bool settings_add_flash(Settings *settings, int unit, const char *file, Error *error) {
    if (file == NULL)
        return error_set(error, "a flash chip needs file=");
    if (unit > 0 || (unit < 0 && settings->flash != NULL)) {
        settings_warn(settings, "left out: '%s', a second flash chip, for the firmware's variables",
                      file);
        return true;
    }
    if (settings->flash != NULL)
        return error_set(error, "there is one flash chip with firmware");
    settings->flash = settings->machine.bios = settings_keep_string(settings, file);
    settings_warn(settings, "the firmware '%s' is read-only here", file);
    return true;
}

bool option_flash(Settings *settings, const char *argument, Error *error) {
    return settings_add_flash(settings, -1, argument, error);
}
