#include "midi_output.h"
#include "allocate.h"
#include "big_endian.h"
#include "byte_buffer.h"
#include "host_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tick is a millisecond: 1000 a quarter note, which lasts a second. */
enum { TICKS_A_QUARTER = 1000, HEADER = 22, MESSAGE_MAX = 65536 };
#define TICK_NS 1000000LL
/* The file is whole so often, should the process be killed. */
#define FLUSH_NS 100000000LL

struct MidiOutput {
    int file;
    bool is_device;
    /* Of a file: */
    ByteBuffer track;   /* not written yet */
    uint32_t written;   /* bytes of the track in the file */
    int64_t event_tick; /* of the last event; -1: none yet */
    int64_t flushed_ns;
    uint8_t status;     /* of the message that is under way; 0: none */
    ByteBuffer message; /* what follows it */
};

/* --- the file ----------------------------------------------------------------------------------
 */

static const uint8_t end_of_track[] = {0x00, 0xFF, 0x2F, 0x00};

static void flush(MidiOutput *output) {
    uint8_t header[HEADER] = "MThd\0\0\0\6\0\0\0\1\0\0MTrk";
    size_t size = output->track.size;
    byte_buffer_append(&output->track, end_of_track, sizeof end_of_track);
    store_be16(header + 12, TICKS_A_QUARTER);
    store_be32(header + 18, output->written + (uint32_t)output->track.size);
    bool good = pwrite(output->file, output->track.data, output->track.size,
                       HEADER + output->written) == (ssize_t)output->track.size &&
                pwrite(output->file, header, HEADER, 0) == HEADER;
    if (good)
        output->written += (uint32_t)size;
    output->track.size = 0;
    if (!good) {
        fprintf(stderr, "reprise: the MIDI file ends here: %s\n", strerror(errno));
        close(output->file);
        output->file = -1;
    }
}

static void put_variable(ByteBuffer *buffer, uint32_t value) {
    for (int shift = 28; shift >= 0; shift -= 7)
        if (shift == 0 || value >> shift != 0)
            byte_buffer_append_le(buffer, (value >> shift & 0x7F) | (shift != 0 ? 0x80 : 0), 1);
}

/* Time begins with the first message. */
static void put_message(MidiOutput *output, int64_t time_ns) {
    int64_t tick = time_ns / TICK_NS;
    int64_t since = output->event_tick < 0 ? 0 : tick - output->event_tick;
    output->event_tick = tick;
    put_variable(&output->track, since < 0 ? 0 : (uint32_t)(since & 0xFFFFFFF));
    byte_buffer_append(&output->track, &output->status, 1);
    if (output->status == 0xF0)
        put_variable(&output->track, (uint32_t)output->message.size);
    byte_buffer_append(&output->track, output->message.data, output->message.size);
    if (time_ns - output->flushed_ns >= FLUSH_NS || time_ns < output->flushed_ns) {
        output->flushed_ns = time_ns;
        flush(output);
    }
}

/* How many bytes follow a status byte of a channel. */
static size_t channel_bytes(uint8_t status) {
    return (status & 0xE0) == 0xC0 ? 1 : 2;
}

/* Channel messages, with or without their status repeated, and exclusive ones; others belong to no
 * file. */
static void file_write(MidiOutput *output, int64_t time_ns, uint8_t byte) {
    if (byte >= 0xF8)
        return;
    bool ends_exclusive = output->status == 0xF0 && byte == 0xF7;
    if (byte >= 0x80 && !ends_exclusive) {
        output->status = byte <= 0xF0 ? byte : 0;
        output->message.size = 0;
        return;
    }
    if (output->status == 0 || output->message.size == MESSAGE_MAX)
        return;
    byte_buffer_append(&output->message, &byte, 1);
    if (output->status == 0xF0 ? !ends_exclusive
                               : output->message.size < channel_bytes(output->status))
        return;
    put_message(output, time_ns);
    output->message.size = 0;
    if (output->status == 0xF0)
        output->status = 0;
}

/* --- both --------------------------------------------------------------------------------------
 */

/* A device that takes no more loses the byte: nobody waits for it. */
static void midi_write(void *opaque, int64_t time_ns, uint8_t byte) {
    MidiOutput *output = opaque;
    if (output->file < 0)
        return;
    if (!output->is_device) {
        file_write(output, time_ns, byte);
        return;
    }
    ssize_t written = write(output->file, &byte, 1);
    (void)written;
}

MidiOutput *midi_output_open(const char *path, Error *error) {
    struct stat status;
    bool is_device = stat(path, &status) == 0 && S_ISCHR(status.st_mode);
    int file = is_device ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
                         : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        error_set(error, "cannot write '%s': %s", path, strerror(errno));
        return NULL;
    }
    MidiOutput *output = allocate_zeroed(sizeof *output);
    output->file = file;
    output->is_device = is_device;
    output->event_tick = -1;
    if (!is_device) {
        /* The tempo: a quarter note has 1000000 microseconds. */
        static const uint8_t tempo[] = {0x00, 0xFF, 0x51, 0x03, 0x0F, 0x42, 0x40};
        byte_buffer_append(&output->track, tempo, sizeof tempo);
        flush(output);
    }
    return output;
}

void midi_output_close(MidiOutput *output) {
    if (output == NULL)
        return;
    if (!output->is_device && output->file >= 0)
        flush(output);
    if (output->file >= 0)
        close(output->file);
    byte_buffer_free(&output->track);
    byte_buffer_free(&output->message);
    free(output);
}

MidiSink midi_output_sink(MidiOutput *output) {
    return (MidiSink){midi_write, output};
}
