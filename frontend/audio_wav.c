#include "audio_wav.h"
#include "allocate.h"
#include "host_file.h"
#include "little_endian.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 44, BUFFER = 32768 };
#define DATA_MAX (UINT32_MAX - 65536u)

struct AudioWav {
    int file;
    unsigned rate, channels;
    int64_t next;    /* number of the frame that would go on without a gap */
    uint64_t silent; /* frames of silence that are written once something follows */
    bool sounded;
    uint64_t written; /* bytes of samples in the file */
    uint8_t buffer[BUFFER];
    size_t buffered;
};

/* "Multimedia Programming Interface and Data Specifications 1.0", Waveform Audio File Format. */
static void make_header(const AudioWav *wav, uint8_t *header) {
    memcpy(header, "RIFF....WAVEfmt ", 16);
    store_le32(header + 4, (uint32_t)wav->written + HEADER - 8);
    store_le32(header + 16, 16);
    store_le16(header + 20, 1); /* PCM */
    store_le16(header + 22, (uint16_t)wav->channels);
    store_le32(header + 24, wav->rate);
    store_le32(header + 28, wav->rate * wav->channels * 2);
    store_le16(header + 32, (uint16_t)(wav->channels * 2));
    store_le16(header + 34, 16);
    memcpy(header + 36, "data", 4);
    store_le32(header + 40, (uint32_t)wav->written);
}

static bool write_all(int file, const uint8_t *data, size_t size, off_t at) {
    while (size > 0) {
        ssize_t written = pwrite(file, data, size, at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data += written;
        size -= (size_t)written;
        at += written;
    }
    return true;
}

/* Samples first: whoever looks between the two finds a shorter file. */
static void flush(AudioWav *wav) {
    uint8_t header[HEADER];
    if (wav->file < 0)
        return;
    bool fits = wav->written + wav->buffered <= DATA_MAX;
    bool good =
        fits && write_all(wav->file, wav->buffer, wav->buffered, (off_t)(HEADER + wav->written));
    if (good)
        wav->written += wav->buffered;
    wav->buffered = 0;
    make_header(wav, header);
    good = good && write_all(wav->file, header, HEADER, 0);
    if (good)
        return;
    fprintf(stderr, "reprise: the WAV file ends here: %s\n",
            fits ? strerror(errno) : "it can have no more than 4 GB");
    close(wav->file);
    wav->file = -1;
}

static void put_frame(AudioWav *wav, const int16_t *frame) {
    if (wav->buffered + 4 > BUFFER)
        flush(wav);
    if (wav->channels == 1) {
        store_le16(wav->buffer + wav->buffered, (uint16_t)((frame[0] + frame[1]) / 2));
        wav->buffered += 2;
        return;
    }
    store_le16(wav->buffer + wav->buffered, (uint16_t)frame[0]);
    store_le16(wav->buffer + wav->buffered + 2, (uint16_t)frame[1]);
    wav->buffered += 4;
}

static void put_silence(AudioWav *wav) {
    static const int16_t nothing[AUDIO_CHANNELS];
    uint64_t count = wav->silent < wav->rate ? wav->silent : wav->rate;
    for (; wav->sounded && count > 0; count--)
        put_frame(wav, nothing);
    wav->silent = 0;
    wav->sounded = true;
}

static void wav_write(void *opaque, int64_t first, const int16_t *frames, size_t count) {
    AudioWav *wav = opaque;
    wav->silent += first > wav->next ? (uint64_t)(first - wav->next) : 0;
    wav->next = first + (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        const int16_t *frame = frames + i * AUDIO_CHANNELS;
        if (frame[0] == 0 && frame[1] == 0) {
            wav->silent++;
            continue;
        }
        put_silence(wav);
        put_frame(wav, frame);
    }
}

AudioWav *audio_wav_open(const char *path, unsigned rate, unsigned channels, Error *error) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        error_set(error, "cannot write '%s': %s", path, strerror(errno));
        return NULL;
    }
    AudioWav *wav = allocate_zeroed(sizeof *wav);
    wav->file = file;
    wav->rate = rate;
    wav->channels = channels;
    flush(wav);
    return wav;
}

void audio_wav_close(AudioWav *wav) {
    if (wav == NULL)
        return;
    flush(wav);
    if (wav->file >= 0)
        close(wav->file);
    free(wav);
}

AudioSink audio_wav_sink(AudioWav *wav) {
    return (AudioSink){.rate = wav->rate, .write = wav_write, .opaque = wav};
}
