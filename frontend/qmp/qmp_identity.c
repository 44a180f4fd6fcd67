/* Who this is and what can be had of it: answers that follow from no machine. */
#include "command_line.h"
#include "cpu_model.h"
#include "options.h"
#include "qmp_command.h"
#include "version.h"

#include <stdio.h>
#include <string.h>

bool qmp_query_version(QmpCall *call) {
    unsigned major = 0, minor = 0, micro = 0;
    sscanf(REPRISE_QEMU_VERSION, "%u.%u.%u", &major, &minor, &micro);
    call->result = qmp_pack(
        "qemu:o package:s",
        qmp_pack("micro:i minor:i major:i", (int64_t)micro, (int64_t)minor, (int64_t)major),
        "Reprise " REPRISE_VERSION);
    return true;
}

bool qmp_query_target(QmpCall *call) {
    call->result = qmp_pack("arch:s", "i386");
    return true;
}

bool qmp_query_kvm(QmpCall *call) {
    call->result = qmp_pack("enabled:b present:b", false, false);
    return true;
}

bool qmp_query_name(QmpCall *call) {
    call->result = qmp_pack("name:s", call->program->settings->machine.name);
    return true;
}

bool qmp_query_uuid(QmpCall *call) {
    const uint8_t *id = call->program->settings->machine.smbios.uuid;
    char text[37];
    snprintf(text, sizeof(text),
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[0], id[1],
             id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12], id[13],
             id[14], id[15]);
    call->result = qmp_pack("UUID:s", text);
    return true;
}

static json_object *machine_info(const char *name, const char *alias, int64_t processors,
                                 const char *ram_id) {
    json_object *info = qmp_pack("name:s alias:s cpu-max:i hotpluggable-cpus:b "
                                 "numa-mem-supported:b deprecated:b default-ram-id:s",
                                 name, alias, processors, false, false, false, ram_id);
    if (alias != NULL)
        json_object_object_add(info, "is-default", json_object_new_boolean(1));
    return info;
}

bool qmp_query_machines(QmpCall *call) {
    call->result = json_object_new_array();
    json_object_array_add(call->result,
                          machine_info("pc-i440fx-7.2", "pc", MACHINE_PROCESSORS, "pc.ram"));
    json_object_array_add(call->result, machine_info("isapc", NULL, 1, "pc.ram"));
    json_object_array_add(call->result, machine_info("none", NULL, 1, NULL));
    return true;
}

bool qmp_query_cpu_definitions(QmpCall *call) {
    call->result = json_object_new_array();
    const CpuModel *model;
    for (unsigned i = 0; (model = cpu_model_at(i)) != NULL; i++) {
        char type[QMP_WORD_BYTES];
        snprintf(type, sizeof(type), "%s-i386-cpu", model->name);
        json_object_array_add(
            call->result, qmp_pack("name:s typename:s migration-safe:b static:b deprecated:b "
                                   "unavailable-features:o",
                                   model->name, type, true, false, false, json_object_new_array()));
    }
    return true;
}

/* The settings within an option's value that somebody looks for before using them. */
static const struct {
    const char *option, *parameters;
} parameter_lists[] = {
    {"machine",
     "type accel acpi hpet usb dump-guest-core vmport graphics mem-merge memory-backend"},
    {"name", "guest debug-threads process"},
    {"boot", "order once menu strict splash-time reboot-timeout"},
    {"rtc", "base clock driftfix"},
    {"smp", "cpus sockets dies cores threads maxcpus"},
    {"mon", "chardev mode pretty id"},
    {"add-fd", "set fd opaque"},
};

static json_object *list_parameters(const char *option) {
    json_object *list = json_object_new_array();
    char word[QMP_WORD_BYTES];
    for (size_t i = 0; i < sizeof(parameter_lists) / sizeof(parameter_lists[0]); i++) {
        if (strcmp(parameter_lists[i].option, option) != 0)
            continue;
        for (const char *rest = parameter_lists[i].parameters; qmp_value_next(&rest, word);)
            json_object_array_add(list, qmp_pack("name:s type:s", word, "string"));
    }
    return list;
}

/* Those that do something, but for those whose values libvirt and others would use in ways that are
 * not ours: told, an option is used. */
static bool is_told(const OptionInfo *option) {
    return option->name != NULL && option->argument != NULL && option->handle != option_not_here &&
           option->handle != option_left_out && option->handle != option_spice &&
           option->handle != option_sandbox;
}

bool qmp_query_command_line_options(QmpCall *call) {
    const char *wanted = qmp_get_string(call, "option");
    json_object *list = json_object_new_array();
    for (const OptionInfo *option = option_table; option->name || option->help; option++) {
        if (is_told(option) && (wanted == NULL || strcmp(wanted, option->name) == 0))
            json_object_array_add(list, qmp_pack("option:s parameters:o", option->name,
                                                 list_parameters(option->name)));
    }
    call->result = list;
    return json_object_array_length(list) > 0 ||
           qmp_fail(call, QMP_GENERIC_ERROR, "invalid option name");
}
