/* See script_output.h. */
#include "script_output.h"

/* All of a structure's buffers, by number. */
enum { BUFFERS = MACHINE_SERIAL_PORTS + MACHINE_PARALLEL_PORTS + 2 };

static ByteBuffer *find_buffer(ScriptOutput *output, int index) {
    if (index < MACHINE_SERIAL_PORTS)
        return &output->serial[index];
    index -= MACHINE_SERIAL_PORTS;
    if (index < MACHINE_PARALLEL_PORTS)
        return &output->parallel[index];
    return index == MACHINE_PARALLEL_PORTS ? &output->debug_console : &output->firmware_log;
}

void script_output_free(ScriptOutput *output) {
    for (int i = 0; i < BUFFERS; i++)
        byte_buffer_free(find_buffer(output, i));
}

void script_output_copy(ScriptOutput *to, const ScriptOutput *from) {
    for (int i = 0; i < BUFFERS; i++) {
        const ByteBuffer *source = find_buffer((ScriptOutput *)from, i);
        ByteBuffer *copy = find_buffer(to, i);
        copy->size = 0;
        if (source->size > 0)
            byte_buffer_append(copy, source->data, source->size);
    }
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++)
        to->serial_waited[i] = from->serial_waited[i];
}

static void capture(void *opaque, const uint8_t *data, size_t size) {
    byte_buffer_append(opaque, data, size);
}

void script_output_wire(ScriptOutput *output, MachineConfig *config, bool has_firmware_log) {
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++)
        config->serial[i] = (ByteSink){capture, &output->serial[i]};
    for (int i = 0; i < MACHINE_PARALLEL_PORTS; i++)
        config->parallel[i] = (ByteSink){capture, &output->parallel[i]};
    config->debug_console = (ByteSink){capture, &output->debug_console};
    if (has_firmware_log)
        config->firmware_log = (ByteSink){capture, &output->firmware_log};
}
