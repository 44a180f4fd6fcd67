/* See script_output.h. */
#include "script_output.h"
#include <string.h>

/* All of a structure's buffers, by number. */
enum { BUFFERS = MACHINE_SERIAL_PORTS + MACHINE_PARALLEL_PORTS + 3 };

/* Programs that use port 80h for a delay write there a million times a second. */
#define POST_CODES_MAX (64 << 10)

static ByteBuffer *find_buffer(ScriptOutput *output, int index) {
    if (index < MACHINE_SERIAL_PORTS)
        return &output->serial[index];
    index -= MACHINE_SERIAL_PORTS;
    if (index < MACHINE_PARALLEL_PORTS)
        return &output->parallel[index];
    ByteBuffer *others[] = {&output->debug_console, &output->firmware_log, &output->post};
    return others[index - MACHINE_PARALLEL_PORTS];
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
    to->post_waited = from->post_waited;
}

static void capture(void *opaque, const uint8_t *data, size_t size) {
    byte_buffer_append(opaque, data, size);
}

PostCode script_output_post(const ScriptOutput *output, size_t offset) {
    const uint8_t *bytes = output->post.data + offset;
    return (PostCode){(uint16_t)(bytes[0] | bytes[1] << 8), bytes[2]};
}

static void capture_post(void *opaque, PostCode code) {
    ScriptOutput *output = opaque;
    ByteBuffer *post = &output->post;
    if (post->size >= POST_CODES_MAX * SCRIPT_POST_BYTES) {
        size_t dropped = POST_CODES_MAX / 2 * SCRIPT_POST_BYTES;
        memmove(post->data, post->data + dropped, post->size - dropped);
        post->size -= dropped;
        output->post_waited = output->post_waited > dropped ? output->post_waited - dropped : 0;
    }
    byte_buffer_append_le(post, code.port, 2);
    byte_buffer_append_le(post, code.code, 1);
}

void script_output_wire(ScriptOutput *output, MachineConfig *config, bool has_firmware_log) {
    for (int i = 0; i < MACHINE_SERIAL_PORTS; i++)
        config->serial[i] = (ByteSink){capture, &output->serial[i]};
    for (int i = 0; i < MACHINE_PARALLEL_PORTS; i++)
        config->parallel[i] = (ByteSink){capture, &output->parallel[i]};
    config->post = (PostSink){capture_post, output};
    config->debug_console = (ByteSink){capture, &output->debug_console};
    if (has_firmware_log)
        config->firmware_log = (ByteSink){capture, &output->firmware_log};
}
