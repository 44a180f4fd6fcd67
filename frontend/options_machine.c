#include "key_values.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static bool list_machines(void) {
    printf("pc               a PC with a PCI bus: i440FX and PIIX3 (default)\n"
           "isapc            a PC without PCI, ACPI and I/O APIC\n"
           "none             no machine\n");
    return true;
}

/* QEMU's versions of the same board: "pc-i440fx-7.2", and "pc-1.0" before they had such names. */
static bool is_pc(const char *type) {
    return strcmp(type, "pc") == 0 || strncmp(type, "pc-i440fx-", 10) == 0 ||
           strncmp(type, "pc-0.", 5) == 0 || strncmp(type, "pc-1.", 5) == 0;
}

/* A newer board, whose systems mostly start on this one too. */
static bool is_newer_board(const char *type) {
    return strcmp(type, "q35") == 0 || strncmp(type, "pc-q35-", 7) == 0;
}

static bool is_known_machine(const char *type) {
    return strcmp(type, "none") == 0 || strcmp(type, "isapc") == 0 || is_pc(type) ||
           is_newer_board(type);
}

/* Properties of QEMU's pc machine that change nothing here when they have these values. */
static bool check_machine_properties(Settings *settings, KeyValues *values, Error *error) {
    static const char *const harmless[] = {"dump-guest-core", "graphics", "mem-merge",
                                           "suppress-vmdesc"};
    /* Neither their words nor what they change reaches a guest here. */
    static const char *const unread[] = {"kernel_irqchip", "kernel-irqchip", "smm",  "nvdimm",
                                         "kvm_shadow_mem", "kvm-shadow-mem", "hmat", "iommu"};
    bool value;
    for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++)
        key_values_get(values, unread[i]);
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (!key_values_get_bool(values, harmless[i], false, &value, error))
            return false;
    }
    MachineConfig *machine = &settings->machine;
    const char *vmware_port = key_values_get(values, "vmport");
    if (vmware_port == NULL || strcmp(vmware_port, "auto") == 0)
        value = true;
    else if (!key_values_get_bool(values, "vmport", true, &value, error))
        return false;
    bool has_clipboard = !machine->no_clipboard;
    if (!key_values_get_bool(values, "clipboard", has_clipboard, &has_clipboard, error))
        return false;
    machine->no_clipboard = !has_clipboard;
    machine->no_vmware_port = vmware_port != NULL ? !value : machine->no_vmware_port;
    const char *speaker = key_values_get(values, "pcspk-audiodev");
    if (speaker != NULL)
        settings->sound_audio[SOUND_SPEAKER] = settings_keep_string(settings, speaker);
    if (!key_values_get_bool(values, "acpi", machine->has_acpi, &machine->has_acpi, error) ||
        !key_values_get_bool(values, "hpet", machine->has_hpet, &machine->has_hpet, error) ||
        !key_values_get_bool(values, "usb", machine->has_usb, &machine->has_usb, error))
        return false;
    settings->memory_backend =
        settings_keep_string(settings, key_values_get(values, "memory-backend"));
    return key_values_check_used(values,
                                 "type memory-backend accel acpi usb dump-guest-core hpet vmport "
                                 "clipboard graphics mem-merge "
                                 "pcspk-audiodev smm",
                                 error);
}

/* Processors with a local APIC are nothing for an ISA board: SeaBIOS's MP table names an I/O APIC
 * then, which is not there, and Linux believes it. */
static void set_board(Settings *settings, bool has_pci) {
    MachineConfig usual;
    machine_config_init(&usual);
    settings->machine.has_pci = has_pci;
    if (!settings->has_cpu_model)
        settings->machine.cpu_model = has_pci ? usual.cpu_model : "486";
}

bool option_machine(Settings *settings, const char *argument, Error *error) {
    if (strcmp(argument, "help") == 0 || strcmp(argument, "?") == 0)
        return settings->listed = list_machines();
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "type", error);
    const char *type = key_values_get(&values, "type");
    const char *accel = key_values_get(&values, "accel");
    if (good && type != NULL && !is_known_machine(type))
        good = error_set(error, "unknown machine '%s'; known are pc, isapc and none", type);
    if (good && accel != NULL)
        good = option_accel_name(settings, accel, error);
    if (good && type != NULL && is_newer_board(type))
        settings_warn(settings, "there is no %s; the machine is a pc (i440FX)", type);
    settings->no_machine = type != NULL && strcmp(type, "none") == 0;
    if (type != NULL)
        set_board(settings, strcmp(type, "isapc") != 0);
    good = good && check_machine_properties(settings, &values, error);
    key_values_free(&values);
    return good;
}

bool option_no_acpi(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.has_acpi = false;
    return true;
}

bool option_no_hpet(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.has_hpet = false;
    return true;
}

bool option_usb(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.has_usb = true;
    return true;
}

#define PROCESSORS_TAKEN_MAX 255 /* as many as a PC of QEMU can have */

/* What is not given follows from the rest: "cpus=4", "sockets=2,cores=2". Each processor is one of
 * its own to the guest, whatever the topology. */
bool option_smp(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    static const char *const parts[] = {"sockets", "dies", "cores", "threads"};
    uint64_t product = 1, count = 0, most = 0;
    bool good = key_values_parse(&values, argument, "cpus", error);
    for (size_t i = 0; good && i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint64_t factor;
        good = key_values_get_number(&values, parts[i], 1, &factor, error);
        product = factor < PROCESSORS_TAKEN_MAX ? product * factor : PROCESSORS_TAKEN_MAX + 1;
    }
    good = good && key_values_get_number(&values, "cpus", product, &count, error) &&
           key_values_get_number(&values, "maxcpus", count, &most, error) &&
           key_values_check_used(&values, "cpus sockets cores threads dies maxcpus", error);
    if (good && (count < 1 || count > PROCESSORS_TAKEN_MAX))
        good = error_set(error, "1 to %d processors are possible", MACHINE_PROCESSORS);
    if (good && most < count)
        good = error_set(error, "maxcpus=%llu is less than cpus=%llu", (unsigned long long)most,
                         (unsigned long long)count);
    if (good && count > MACHINE_PROCESSORS) {
        settings_warn(settings, "the machine has %d processors, which are the most, not %d",
                      MACHINE_PROCESSORS, (int)count);
        count = MACHINE_PROCESSORS;
    }
    settings->machine.processors = (unsigned)count;
    key_values_free(&values);
    return good;
}

/* Of more memory than there can be the rest has no use to a guest of 32 bits without PAE. */
#define MEMORY_TAKEN_MAX (1ull << 40)

bool option_memory(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    uint64_t bytes = 0, slots, most;
    bool good = key_values_parse(&values, argument, "size", error);
    const char *size = key_values_get(&values, "size");
    if (good && (size == NULL || !parse_size(size, 1 << 20, &bytes)))
        good = error_set(error, "'%s' is no memory size; write 64M or 1G", argument);
    else if (good && (bytes < MACHINE_RAM_MIN || bytes > MEMORY_TAKEN_MAX))
        good = error_set(error, "the machine can have 1M to 3.5G of memory, not '%s'", size);
    good = good && key_values_get_number(&values, "slots", 0, &slots, error) &&
           key_values_get_size(&values, "maxmem", 0, &most, error) &&
           key_values_check_used(&values, "size slots maxmem", error);
    if (good && bytes > MACHINE_RAM_MAX) {
        settings_warn(settings, "the machine has 3.5G, which is the most, not '%s'", size);
        bytes = MACHINE_RAM_MAX;
    }
    key_values_free(&values);
    settings->machine.ram_bytes = bytes & ~(uint64_t)(PAGE_SIZE - 1);
    return good;
}

bool option_name(Settings *settings, const char *argument, Error *error) {
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, argument, "guest", error);
    settings->machine.name = settings_keep_string(settings, key_values_get(&values, "guest"));
    key_values_get(&values, "debug-threads");
    key_values_get(&values, "process");
    good = good && key_values_check_used(&values, "guest debug-threads process", error);
    key_values_free(&values);
    return good;
}

bool option_start_paused(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.start_paused = true;
    return true;
}

bool option_no_reboot(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.no_reboot = true;
    return true;
}

bool option_no_shutdown(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->machine.no_shutdown = true;
    return true;
}

static bool read_action(KeyValues *values, const char *key, const char *one, const char *other,
                        bool *is_one, Error *error) {
    const char *action = key_values_get(values, key);
    if (action == NULL)
        return true;
    *is_one = strcmp(action, one) == 0;
    return *is_one || strcmp(action, other) == 0 ||
           error_set(error, "%s is %s or %s, not '%s'", key, one, other, action);
}

bool option_action(Settings *settings, const char *argument, Error *error) {
    MachineConfig *machine = &settings->machine;
    KeyValues values = {.items = NULL};
    bool good =
        key_values_parse(&values, argument, NULL, error) &&
        read_action(&values, "reboot", "shutdown", "reset", &machine->no_reboot, error) &&
        read_action(&values, "shutdown", "pause", "poweroff", &machine->no_shutdown, error) &&
        key_values_check_used(&values, "reboot shutdown", error);
    key_values_free(&values);
    return good;
}

bool option_no_defaults(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->no_defaults = true;
    return true;
}
