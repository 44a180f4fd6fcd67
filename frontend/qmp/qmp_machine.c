/* Processors, memory and screen. */
#include "qmp_command.h"
#include "screenshot.h"

#include <stdio.h>

/* All processors have turns in one thread of the host; libvirt knows such machines. */
bool qmp_query_cpus_fast(QmpCall *call) {
    call->result = json_object_new_array();
    for (unsigned i = 0; i < call->machine->processor_count; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/machine/unattached/device[%u]", i);
        json_object *place =
            qmp_pack("socket-id:i core-id:i thread-id:i", (int64_t)i, (int64_t)0, (int64_t)0);
        json_object_array_add(call->result,
                              qmp_pack("cpu-index:i qom-path:s thread-id:i props:o target:s",
                                       (int64_t)i, path, (int64_t)machine_thread_id(call->machine),
                                       place, "i386"));
    }
    return true;
}

bool qmp_query_memory_size_summary(QmpCall *call) {
    call->result = qmp_pack("base-memory:i", (int64_t)call->machine->config.ram_bytes);
    return true;
}

bool qmp_query_iothreads(QmpCall *call) {
    call->result = json_object_new_array();
    return true;
}

/* The human monitor has these commands; what is wrong it says in one line. */
static bool save_memory(QmpCall *call, const char *command) {
    Monitor monitor;
    char line[4200];
    const char *path = qmp_get_string(call, "filename");
    int length = snprintf(line, sizeof(line), "%s 0x%llx %lld \"%s\"", command,
                          (unsigned long long)qmp_get_int(call, "val", 0),
                          (long long)qmp_get_int(call, "size", 0), path);
    for (const char *byte = path; *byte != '\0'; byte++)
        if (*byte == '"' || *byte == '\n')
            length = sizeof(line);
    if (length >= (int)sizeof(line))
        return qmp_fail(call, QMP_GENERIC_ERROR, "Could not open '%.200s'", path);
    monitor_init(&monitor, &call->program->monitor_host, NULL);
    int64_t processor = qmp_get_int(call, "cpu-index", 0);
    bool good = processor >= 0 && processor < call->machine->processor_count;
    if (good) {
        monitor.processor = (unsigned)processor;
        monitor_run_line(&monitor, line);
        good = monitor.output.size == 0;
    }
    if (!good)
        qmp_fail(call, QMP_GENERIC_ERROR, "%.*s",
                 monitor.output.size > 0 ? (int)monitor.output.size - 1 : 0,
                 monitor.output.size > 0 ? (const char *)monitor.output.data : "");
    monitor_destroy(&monitor);
    return good;
}

bool qmp_memsave(QmpCall *call) {
    return save_memory(call, "memsave");
}

bool qmp_pmemsave(QmpCall *call) {
    return save_memory(call, "pmemsave");
}

bool qmp_record_video(QmpCall *call) {
    return program_record_video(call->program, qmp_get_string(call, "filename"), &call->error);
}

bool qmp_stop_video(QmpCall *call) {
    return program_record_video(call->program, NULL, &call->error);
}

bool qmp_screendump(QmpCall *call) {
    const char *format = qmp_get_string(call, "format");
    if (qmp_get_int(call, "head", 0) != 0)
        return qmp_fail(call, QMP_GENERIC_ERROR, "the display adapter has one head");
    if (!call->machine->config.has_vga)
        return qmp_fail(call, QMP_GENERIC_ERROR, "There is no console to take a screendump from");
    return screenshot_write(call->machine, qmp_get_string(call, "filename"),
                            format != NULL ? format : "ppm", &call->error);
}
