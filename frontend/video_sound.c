#include "video_sound.h"

enum { SLACK_A_SECOND = 100 }; /* so many parts of a second are closed up */

static void put_silence(VideoSound *sound, int64_t end, VideoSoundWrite *write, void *opaque) {
    static const int16_t silence[2048];
    const int64_t part_most = sizeof(silence) / sizeof(silence[0]) / 2;
    while (sound->next < end) {
        int64_t part = end - sound->next < part_most ? end - sound->next : part_most;
        write(opaque, silence, (size_t)part);
        sound->next += part;
    }
}

void video_sound_put(VideoSound *sound, double seconds, const int16_t *frames, size_t count,
                     VideoSoundWrite *write, void *opaque) {
    int64_t first = (int64_t)(seconds * sound->rate + 0.5);
    int64_t slack = (int64_t)sound->rate / SLACK_A_SECOND;
    if (first > sound->next + slack)
        put_silence(sound, first, write, opaque);
    size_t skipped = first + slack < sound->next ? (size_t)(sound->next - first) : 0;
    if (skipped >= count)
        return;
    write(opaque, frames + skipped * 2, count - skipped);
    sound->next += (int64_t)(count - skipped);
}

void video_sound_fill(VideoSound *sound, double seconds, VideoSoundWrite *write, void *opaque) {
    put_silence(sound, (int64_t)(seconds * sound->rate), write, opaque);
}
