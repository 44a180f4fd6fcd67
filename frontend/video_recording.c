#include "video_recording.h"
#include "allocate.h"
#include "avi_file.h"
#include "byte_buffer.h"
#include "machine_parts.h"
#include "video_sound.h"
#include "zmbv_encoder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PICTURES = 8,               /* that wait to be encoded */
    SOUND_BYTES_MOST = 8 << 20, /* likewise */
    PERIOD_LEAST_NS = 10000000,
    PERIOD_MOST_NS = 25000000,
    PERIOD_OTHERWISE_NS = 14268200,
    PATH_BYTES = sizeof(((VideoRecordingState *)0)->path),
};
/* Sound is told that much after the picture it belongs to, at most. */
#define SOUND_LATE_SECONDS 0.25
/* Under icount a guest's second may take much less. */
#define SOUND_LATE_SECONDS_ICOUNT 10.0

typedef struct WaitingPicture {
    DisplaySurface surface;
    uint64_t frame; /* that shows it first */
} WaitingPicture;

/* Before each piece of sound that waits. */
typedef struct WaitingSound {
    double seconds; /* after the recording began */
    uint64_t count;
} WaitingSound;

struct VideoRecording {
    Machine *machine;
    AudioTap *tap;
    char path[PATH_BYTES];
    int64_t period_ns;
    pthread_t thread;
    /* The machine's thread alone. */
    DisplaySurface screen;
    bool missed; /* the picture on the screen was left out */
    /* Shared. */
    pthread_mutex_t lock;
    pthread_cond_t changed, done; /* for the encoder, by the encoder */
    WaitingPicture pictures[PICTURES];
    unsigned first, count;
    uint64_t frames, left_out;
    double base_ns; /* the guest time at which frame 0 would have been */
    ByteBuffer sound;
    bool over;          /* nobody looks any more */
    bool ends, stopped; /* is to end, has ended */
    VideoRecordingState state;
    /* The encoder's thread alone. */
    AviFile *avi;
    ZmbvEncoder *encoder;
    AviFormat format;
    unsigned part;
    DisplaySurface canvas, shown;
    uint64_t encoded;
    bool shows_black;
    VideoSound sound_place;
    ByteBuffer frame, hearing;
    Error error;
};

/* ---- On the machine's thread ---- */

static void copy_surface(DisplaySurface *to, const DisplaySurface *from) {
    display_surface_resize(to, from->width, from->height);
    to->aspect_width = from->aspect_width;
    to->aspect_height = from->aspect_height;
    for (uint32_t y = 0; y < from->height; y++)
        memcpy(display_surface_line(to, y), display_surface_line(from, y),
               from->width * sizeof(uint32_t));
}

/* The lock is held. */
static void queue_screen(VideoRecording *recording) {
    while (recording->count == PICTURES && recording->machine->config.icount && !recording->stopped)
        pthread_cond_wait(&recording->done, &recording->lock);
    recording->missed = recording->count == PICTURES;
    if (recording->missed) {
        recording->left_out++;
        return;
    }
    unsigned at = (recording->first + recording->count++) % PICTURES;
    copy_surface(&recording->pictures[at].surface, &recording->screen);
    recording->pictures[at].frame = recording->frames;
}

/* A frame is over. Where guest time was set to another, the film goes on. */
static void look(void *opaque) {
    VideoRecording *recording = opaque;
    Machine *machine = recording->machine;
    bool fresh = board_render(&machine->board, &recording->screen) || recording->missed;
    double base_ns = (double)(machine->observer.next_ns - machine->observer.period_ns) -
                     (double)recording->frames * (double)recording->period_ns;
    pthread_mutex_lock(&recording->lock);
    if (recording->frames != 0)
        recording->base_ns = base_ns;
    if (fresh && recording->screen.pixels != NULL)
        queue_screen(recording);
    recording->frames++;
    pthread_cond_signal(&recording->changed);
    pthread_mutex_unlock(&recording->lock);
}

/* As often as the screen shows a frame; before the firmware has set a mode, that of VGA text. */
static int64_t find_period(const Machine *machine) {
    int64_t frame_ns = vga_frame_ns(machine->board.vga);
    return frame_ns >= PERIOD_LEAST_NS && frame_ns <= PERIOD_MOST_NS ? frame_ns
                                                                     : PERIOD_OTHERWISE_NS;
}

static void begin_looking(void *opaque) {
    VideoRecording *recording = opaque;
    Machine *machine = recording->machine;
    if (machine->observer.look != NULL) {
        error_set(&recording->error, "the machine's screen is being recorded already");
        return;
    }
    if (machine->board.vga == NULL) {
        error_set(&recording->error, "there is no screen");
        return;
    }
    recording->period_ns = find_period(machine);
    recording->base_ns = (double)clock_now_ns(&machine->clock);
    machine_observe(machine, recording->period_ns, look, recording);
    look(recording);
}

static void end_looking(void *opaque) {
    VideoRecording *recording = opaque;
    machine_observe(recording->machine, 0, NULL, NULL);
    pthread_mutex_lock(&recording->lock);
    recording->over = true;
    pthread_mutex_unlock(&recording->lock);
}

/* ---- On the thread of who renders sound ---- */

static void hear(void *opaque, double time_ns, const int16_t *frames, size_t count) {
    VideoRecording *recording = opaque;
    pthread_mutex_lock(&recording->lock);
    WaitingSound head = {(time_ns - recording->base_ns) / NS_PER_SECOND, count};
    /* The machine goes on: what it sounds after the last picture is not of the film. */
    bool late = recording->over && head.seconds * NS_PER_SECOND >
                                       (double)recording->frames * (double)recording->period_ns;
    if (recording->sound.size < SOUND_BYTES_MOST && !late) {
        byte_buffer_append(&recording->sound, &head, sizeof(head));
        byte_buffer_append(&recording->sound, frames, count * 2 * sizeof(int16_t));
    }
    pthread_mutex_unlock(&recording->lock);
}

/* ---- The encoder's thread ---- */

static double film_seconds(const VideoRecording *recording, uint64_t frames) {
    return (double)frames * (double)recording->period_ns / NS_PER_SECOND;
}

static void write_sound(void *opaque, const int16_t *frames, size_t count) {
    VideoRecording *recording = opaque;
    if (recording->avi != NULL)
        avi_file_add_sound(recording->avi, frames, count);
}

static void close_part(VideoRecording *recording) {
    zmbv_encoder_destroy(recording->encoder);
    recording->encoder = NULL;
    if (recording->avi != NULL) {
        if (recording->sound_place.rate != 0)
            video_sound_fill(&recording->sound_place, film_seconds(recording, recording->encoded),
                             write_sound, recording);
        avi_file_close(recording->avi, &recording->error);
    }
    recording->avi = NULL;
}

/* FILE, then FILE-2, its extension kept. */
static bool name_part(const VideoRecording *recording, char *path) {
    const char *slash = strrchr(recording->path, '/');
    const char *dot = strrchr(slash != NULL ? slash : recording->path, '.');
    int length = (int)(dot != NULL ? (size_t)(dot - recording->path) : strlen(recording->path));
    return (recording->part == 1 ? snprintf(path, PATH_BYTES, "%s", recording->path)
                                 : snprintf(path, PATH_BYTES, "%.*s-%u%s", length, recording->path,
                                            recording->part, dot != NULL ? dot : "")) < PATH_BYTES;
}

static bool open_part(VideoRecording *recording, const DisplaySurface *picture) {
    char path[PATH_BYTES];
    AviFormat *format = &recording->format;
    close_part(recording);
    *format = (AviFormat){.codec = "ZMBV",
                          .width = picture->width,
                          .height = picture->height,
                          .bits = 32,
                          .aspect_width = picture->aspect_width,
                          .aspect_height = picture->aspect_height,
                          .period_ns = recording->period_ns,
                          .sound_rate = recording->sound_place.rate};
    recording->part++;
    if (!name_part(recording, path))
        return error_set(&recording->error, "the file's name is too long");
    recording->avi = avi_file_create(path, format, &recording->error);
    if (recording->avi == NULL)
        return false;
    recording->encoder = zmbv_encoder_create(format->width, format->height);
    recording->sound_place.next =
        (int64_t)(film_seconds(recording, recording->encoded) * recording->sound_place.rate);
    pthread_mutex_lock(&recording->lock);
    memcpy(recording->state.path, path, sizeof(path));
    pthread_mutex_unlock(&recording->lock);
    return recording->encoder != NULL || error_set(&recording->error, "no memory for the video");
}

/* By which whole numbers a picture is multiplied to fill the canvas in its own shape. */
static void find_times(const DisplaySurface *canvas, const DisplaySurface *picture,
                       uint32_t *across, uint32_t *down) {
    uint64_t shape_width = picture->aspect_width ? picture->aspect_width : picture->width;
    uint64_t shape_height = picture->aspect_height ? picture->aspect_height : picture->height;
    uint32_t most = canvas->width / picture->width;
    for (*down = canvas->height / picture->height; *down > 1; --*down) {
        uint64_t height = (uint64_t)*down * picture->height;
        uint64_t wanted =
            (height * shape_width / shape_height + picture->width / 2) / picture->width;
        *across = wanted > 1 ? (uint32_t)wanted : 1;
        if (*across <= most)
            return;
    }
    *across = 1;
}

static const uint32_t *draw_canvas(VideoRecording *recording, const DisplaySurface *picture) {
    DisplaySurface *canvas = &recording->canvas;
    uint32_t across, down;
    display_surface_resize(canvas, recording->format.width, recording->format.height);
    canvas->stride = canvas->width;
    memset(canvas->pixels, 0, (size_t)canvas->width * canvas->height * sizeof(uint32_t));
    find_times(canvas, picture, &across, &down);
    uint32_t left = (canvas->width - picture->width * across) / 2;
    uint32_t top = (canvas->height - picture->height * down) / 2;
    for (uint32_t y = 0; y < picture->height * down; y++) {
        const uint32_t *from = display_surface_line(picture, y / down);
        uint32_t *to = display_surface_line(canvas, top + y) + left;
        for (uint32_t x = 0; x < picture->width; x++)
            for (uint32_t time = 0; time < across; time++)
                *to++ = from[x] & 0xFFFFFF;
    }
    return canvas->pixels;
}

static bool fits(const VideoRecording *recording, const DisplaySurface *picture) {
    return recording->avi != NULL && picture->width <= recording->format.width &&
           picture->height <= recording->format.height &&
           avi_file_size(recording->avi) < AVI_FILE_BYTES_MOST;
}

static bool is_black(const DisplaySurface *picture) {
    for (uint32_t y = 0; picture->pixels != NULL && y < picture->height; y++)
        for (uint32_t x = 0; x < picture->width; x++)
            if ((display_surface_line(picture, y)[x] & 0xFFFFFF) != 0)
                return false;
    return true;
}

/* One frame; 'fresh': it is the first that shows recording->shown. */
static bool encode_frame(VideoRecording *recording, bool fresh) {
    const DisplaySurface *picture = &recording->shown;
    if (recording->avi == NULL && !recording->shows_black &&
        is_black(picture)) /* the film begins with the first to be seen */
        return true;
    if (!fits(recording, picture)) {
        if (!open_part(recording, picture))
            return false;
        fresh = true;
    }
    const uint32_t *pixels = fresh ? draw_canvas(recording, picture) : NULL;
    bool is_key = zmbv_encoder_encode(recording->encoder, pixels, &recording->frame);
    avi_file_add_frame(recording->avi, recording->frame.data, recording->frame.size, is_key);
    return !avi_file_has_failed(recording->avi) ||
           error_set(&recording->error, "the video cannot be written");
}

static bool encode_frames(VideoRecording *recording, uint64_t end) {
    for (bool good = true; recording->encoded < end; recording->encoded++) {
        bool fresh = false;
        pthread_mutex_lock(&recording->lock);
        WaitingPicture *next = &recording->pictures[recording->first];
        if (recording->count != 0 && next->frame <= recording->encoded) {
            DisplaySurface old = recording->shown;
            recording->shown = next->surface;
            next->surface = old;
            recording->first = (recording->first + 1) % PICTURES;
            recording->count--;
            pthread_cond_signal(&recording->done);
            fresh = true;
        }
        pthread_mutex_unlock(&recording->lock);
        good = encode_frame(recording, fresh);
        if (!good)
            return false;
    }
    return true;
}

static void encode_sound(VideoRecording *recording) {
    for (size_t at = 0; at < recording->hearing.size;) {
        WaitingSound head;
        memcpy(&head, recording->hearing.data + at, sizeof(head));
        at += sizeof(head);
        if (head.seconds >= 0 && recording->avi != NULL)
            video_sound_put(&recording->sound_place, head.seconds,
                            (const int16_t *)(recording->hearing.data + at), (size_t)head.count,
                            write_sound, recording);
        at += head.count * 2 * sizeof(int16_t);
    }
    recording->hearing.size = 0;
    double late =
        recording->machine->config.icount ? SOUND_LATE_SECONDS_ICOUNT : SOUND_LATE_SECONDS;
    double quiet = film_seconds(recording, recording->encoded) - late;
    if (recording->sound_place.rate != 0 && recording->avi != NULL && quiet > 0)
        video_sound_fill(&recording->sound_place, quiet, write_sound, recording);
}

/* False: the end. */
static bool wait_for_work(VideoRecording *recording, uint64_t *end) {
    pthread_mutex_lock(&recording->lock);
    while (recording->frames == recording->encoded && !recording->ends)
        pthread_cond_wait(&recording->changed, &recording->lock);
    *end = recording->frames;
    ByteBuffer empty = recording->hearing;
    recording->hearing = recording->sound;
    recording->sound = empty;
    bool ends = recording->ends;
    recording->state.frames = recording->encoded;
    pthread_mutex_unlock(&recording->lock);
    return !ends;
}

static void *encode(void *opaque) {
    VideoRecording *recording = opaque;
    uint64_t end;
    bool good = true, more = true;
    while (more && good) {
        more = wait_for_work(recording, &end);
        good = encode_frames(recording, end);
        encode_sound(recording);
    }
    if (good && recording->part == 0 && recording->shown.pixels != NULL) {
        recording->shows_black = true; /* there was nothing else */
        encode_frame(recording, true);
    }
    close_part(recording);
    pthread_mutex_lock(&recording->lock);
    recording->stopped = true;
    pthread_cond_signal(&recording->done);
    pthread_mutex_unlock(&recording->lock);
    return NULL;
}

/* ---- Beginning and ending ---- */

static void free_recording(VideoRecording *recording) {
    for (unsigned i = 0; i < PICTURES; i++)
        display_surface_free(&recording->pictures[i].surface);
    display_surface_free(&recording->screen);
    display_surface_free(&recording->canvas);
    display_surface_free(&recording->shown);
    byte_buffer_free(&recording->sound);
    byte_buffer_free(&recording->hearing);
    byte_buffer_free(&recording->frame);
    pthread_mutex_destroy(&recording->lock);
    pthread_cond_destroy(&recording->changed);
    pthread_cond_destroy(&recording->done);
    free(recording);
}

/* A file that cannot be written is told at once, not when the film is over. */
static bool try_file(VideoRecording *recording) {
    FILE *file = fopen(recording->path, "ae");
    return (file != NULL && fclose(file) == 0) ||
           error_set(&recording->error, "cannot write '%s'", recording->path);
}

VideoRecording *video_recording_begin(Machine *machine, const char *path, AudioTap *tap,
                                      Error *error) {
    VideoRecording *recording = allocate_zeroed(sizeof(*recording));
    recording->machine = machine;
    recording->tap = tap;
    recording->sound_place.rate = tap != NULL ? audio_tap_rate(tap) : 0;
    pthread_mutex_init(&recording->lock, NULL);
    pthread_cond_init(&recording->changed, NULL);
    pthread_cond_init(&recording->done, NULL);
    snprintf(recording->path, sizeof(recording->path), "%s", path);
    snprintf(recording->state.path, sizeof(recording->state.path), "%s", path);
    if (strlen(path) >= PATH_BYTES)
        error_set(&recording->error, "the file's name is too long");
    if (!recording->error.set && try_file(recording))
        machine_call(machine, begin_looking, recording);
    if (!recording->error.set && pthread_create(&recording->thread, NULL, encode, recording) != 0) {
        machine_call(machine, end_looking, recording);
        error_set(&recording->error, "there can be no thread for the video");
    }
    if (recording->error.set) {
        *error = recording->error;
        free_recording(recording);
        return NULL;
    }
    if (tap != NULL)
        audio_tap_listen(tap, &(AudioListener){hear, recording});
    return recording;
}

bool video_recording_end(VideoRecording *recording, Error *error) {
    machine_call(recording->machine, end_looking, recording);
    if (recording->tap != NULL)
        audio_tap_listen(recording->tap, NULL);
    pthread_mutex_lock(&recording->lock);
    recording->ends = true;
    pthread_cond_signal(&recording->changed);
    pthread_mutex_unlock(&recording->lock);
    pthread_join(recording->thread, NULL);
    bool good = !recording->error.set || error_set(error, "%s", recording->error.message);
    free_recording(recording);
    return good;
}

void video_recording_get_state(VideoRecording *recording, VideoRecordingState *state) {
    pthread_mutex_lock(&recording->lock);
    *state = recording->state;
    state->frames = recording->frames;
    state->left_out = recording->left_out;
    state->seconds = film_seconds(recording, recording->frames);
    pthread_mutex_unlock(&recording->lock);
}
