/* What is plugged into the machine and what shows it: PCI devices, mice, memory, displays. */
#include "monitor_pci.h"
#include "qmp_server.h"

#include <stdio.h>
#include <string.h>

/* ---- PCI ---- */

static json_object *describe_bar(unsigned bar, const MonitorPciBar *place) {
    json_object *region = qmp_pack(
        "bar:i type:s address:i size:i", (int64_t)bar, place->is_io ? "io" : "memory",
        place->first == UINT64_MAX ? (int64_t)-1 : (int64_t)place->first, (int64_t)place->size);
    if (!place->is_io) {
        json_object_object_add(region, "prefetch", json_object_new_boolean(place->is_prefetchable));
        json_object_object_add(region, "mem_type_64", json_object_new_boolean(0));
    }
    return region;
}

static json_object *describe_identity(const PciDeviceInfo *info) {
    json_object *identity =
        qmp_pack("device:i vendor:i", (int64_t)info->device_id, (int64_t)info->vendor_id);
    if (info->subsystem_vendor_id != 0) {
        json_object_object_add(identity, "subsystem", json_object_new_int(info->subsystem_id));
        json_object_object_add(identity, "subsystem-vendor",
                               json_object_new_int(info->subsystem_vendor_id));
    }
    return identity;
}

static json_object *describe_device(const PciDevice *device, unsigned slot, unsigned function) {
    const PciDeviceInfo *info = pci_device_info(device);
    json_object *regions = json_object_new_array();
    for (unsigned bar = 0; bar <= PCI_BARS; bar++) {
        MonitorPciBar place;
        if (monitor_pci_bar(device, bar, &place))
            json_object_array_add(regions, describe_bar(bar, &place));
    }
    json_object *described = qmp_pack(
        "bus:i slot:i function:i class_info:o id:o irq_pin:i qdev_id:s regions:o", (int64_t)0,
        (int64_t)slot, (int64_t)function,
        qmp_pack("class:i desc:s", (int64_t)(info->class_code >> 8), monitor_pci_class_name(info)),
        describe_identity(info), (int64_t)info->interrupt_pin, "", regions);
    if (info->interrupt_pin != 0)
        json_object_object_add(
            described, "irq",
            json_object_new_int((int)pci_device_get(device, PCI_INTERRUPT_LINE, 1)));
    return described;
}

bool qmp_query_pci(QmpCall *call) {
    struct PciBus *bus = call->machine->board.pci;
    json_object *devices = json_object_new_array();
    call->result = json_object_new_array();
    for (unsigned place = 0; bus != NULL && place < 32 * 8; place++) {
        const PciDevice *device = pci_bus_device(bus, place / 8, place % 8);
        if (device != NULL)
            json_object_array_add(devices, describe_device(device, place / 8, place % 8));
    }
    if (bus == NULL)
        json_object_put(devices);
    else
        json_object_array_add(call->result, qmp_pack("bus:i devices:o", (int64_t)0, devices));
    return true;
}

/* ---- Input, memory, time ---- */

bool qmp_query_mice(QmpCall *call) {
    bool is_absolute = machine_has_absolute_pointer(call->machine);
    call->result = json_object_new_array();
    if (is_absolute)
        json_object_array_add(call->result, qmp_pack("name:s index:i current:b absolute:b",
                                                     "tablet", (int64_t)3, true, true));
    json_object_array_add(call->result, qmp_pack("name:s index:i current:b absolute:b",
                                                 "PS/2 Mouse", (int64_t)2, !is_absolute, false));
    return true;
}

/* By ACPI. */
bool qmp_query_current_machine(QmpCall *call) {
    const MachineConfig *config = &call->machine->config;
    call->result =
        qmp_pack("wakeup-suspend-support:b", config->has_acpi && !config->no_suspend_to_ram);
    return true;
}

bool qmp_query_memdev(QmpCall *call) {
    const char *id = call->program->settings->memory_backend;
    call->result = json_object_new_array();
    json_object_array_add(
        call->result,
        qmp_pack("id:s size:i merge:b dump:b prealloc:b share:b reserve:b host-nodes:o policy:s",
                 id != NULL ? id : "pc.ram", (int64_t)call->machine->config.ram_bytes, true, true,
                 false, false, true, json_object_new_array(), "default"));
    return true;
}

bool qmp_query_replay(QmpCall *call) {
    const Settings *settings = call->program->settings;
    bool records = settings->record_path != NULL;
    call->result = qmp_pack("mode:s filename:s icount:i",
                            records                    ? "record"
                            : settings->replay != NULL ? "play"
                                                       : "none",
                            records ? settings->record_path : NULL,
                            (int64_t)machine_count_instructions(call->machine));
    return true;
}

/* There is no balloon. */
bool qmp_balloon(QmpCall *call) {
    return qmp_fail(call, "DeviceNotActive", "No balloon device has been activated");
}

/* ---- What shows it, and where ports lead ---- */

bool qmp_query_display_options(QmpCall *call) {
    const Settings *settings = call->program->settings;
    call->result = qmp_pack("type:s", settings->display == DISPLAY_NONE ? "none" : "sdl");
    return true;
}

bool qmp_query_vnc_servers(QmpCall *call) {
    const VncServer *vnc = call->program->vnc;
    const VncSpec *spec = &call->program->settings->vnc;
    const char *authority = spec->has_password ? "vnc" : "none";
    json_object *servers = json_object_new_array();
    char port[16] = "";
    call->result = json_object_new_array();
    if (vnc == NULL) {
        json_object_put(servers);
        return true;
    }
    snprintf(port, sizeof(port), "%d", vnc_server_port(vnc));
    json_object_array_add(servers,
                          qmp_pack("host:s service:s family:s websocket:b auth:s",
                                   spec->path != NULL ? "" : spec->host,
                                   spec->path != NULL ? spec->path : port,
                                   spec->path != NULL ? "unix" : "ipv4", false, authority));
    json_object_array_add(call->result, qmp_pack("id:s server:o clients:o auth:s", "default",
                                                 servers, json_object_new_array(), authority));
    return true;
}

bool qmp_query_chardev_backends(QmpCall *call) {
    static const char *const names[] = {"socket", "file", "pipe",    "serial", "parallel",
                                        "stdio",  "pty",  "ringbuf", "null"};
    call->result = json_object_new_array();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        json_object_array_add(call->result, qmp_pack("name:s", names[i]));
    return true;
}
