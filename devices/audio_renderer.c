#include "audio_renderer.h"
#include "allocate.h"
#include "audio_kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING = 16384, /* frames that events may still change, and those of the near future */
    PIECE = 512,  /* frames given to the sink, or asked of a synth, at once */
};

/* Frames are final once the latest event is so much later: the reach of an impulse at
 * AUDIO_SAMPLE_RATE_MIN (4.4 ms), and by how much devices tell late what they did (2 ms). */
#define HORIZON_NS 8e6

/* What couples a level to the output lets no direct voltage through. */
#define COUPLING_HZ 10.0

typedef struct Voice {
    float level[2], gain[2]; /* the level without the gain */
    const AudioSynth *description;
    void *synth;
    double synth_start_ns; /* of its sample 0 */
    int64_t synth_done;    /* samples */
} Voice;

struct AudioRenderer {
    AudioSink sink;
    AudioKernel kernel;
    Voice voice[AUDIO_VOICES];
    float samples[RING][2], steps[RING][2];
    double stepped[2]; /* the sum of all steps so far */
    double leak;
    /* Guest time 'origin_ns' is frame 'origin'; frames before 'done' are at the sink. */
    double origin_ns, origin, frames_per_ns;
    double known_ns; /* of the last AUDIO_ADVANCE */
    int64_t done;
    bool idle;
};

static double frame_at(const AudioRenderer *renderer, double time_ns) {
    return renderer->origin + (time_ns - renderer->origin_ns) * renderer->frames_per_ns;
}

/* --- the output --------------------------------------------------------------------------------
 */

static int16_t to_sample(double value) {
    return (int16_t)lrint(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
}

static void take_frame(AudioRenderer *renderer, int16_t *out) {
    size_t place = (size_t)renderer->done & (RING - 1);
    for (int side = 0; side < AUDIO_CHANNELS; side++) {
        renderer->stepped[side] =
            (renderer->stepped[side] + (double)renderer->steps[place][side]) * renderer->leak;
        out[side] = to_sample(renderer->stepped[side] + (double)renderer->samples[place][side]);
        renderer->samples[place][side] = renderer->steps[place][side] = 0;
    }
    renderer->done++;
}

static double time_of(const AudioRenderer *renderer, int64_t frame) {
    return renderer->origin_ns + ((double)frame - renderer->origin) / renderer->frames_per_ns;
}

static void render_to(AudioRenderer *renderer, int64_t end) {
    int16_t piece[PIECE][AUDIO_CHANNELS];
    while (renderer->done < end) {
        int64_t first = renderer->done;
        size_t count = end - first < PIECE ? (size_t)(end - first) : PIECE;
        for (size_t i = 0; i < count; i++)
            take_frame(renderer, piece[i]);
        if (renderer->sink.tell_time != NULL)
            renderer->sink.tell_time(renderer->sink.opaque, time_of(renderer, first));
        renderer->sink.write(renderer->sink.opaque, first, piece[0], count);
    }
}

/* --- the input ---------------------------------------------------------------------------------
 */

/* Puts an impulse into a ring. Frames that it cannot reach any more are made final if the ring is
 * too short; false where those that it must reach are. */
static bool add_impulse(AudioRenderer *renderer, float (*ring)[2], double position, double cutoff,
                        float left, float right) {
    double reach = audio_kernel_reach(cutoff) + 1;
    if (position - reach < (double)renderer->done)
        return false;
    if (position + reach >= (double)renderer->done + RING)
        render_to(renderer, (int64_t)(position + reach) - RING / 2);
    audio_kernel_add(&renderer->kernel, ring, RING - 1, position, cutoff, left, right);
    return true;
}

static void add_samples(AudioRenderer *renderer, const Voice *voice, double time_ns, double step_ns,
                        const int16_t *frames, size_t count) {
    double spacing = step_ns * renderer->frames_per_ns;
    double widest = renderer->sink.rate / (double)AUDIO_SAMPLE_RATE_MIN;
    double band = spacing < 1 ? 1 : 1 / (spacing < widest ? spacing : widest);
    for (size_t i = 0; i < count; i++) {
        float left = (float)(frames[2 * i] * spacing) * voice->gain[0];
        float right = (float)(frames[2 * i + 1] * spacing) * voice->gain[1];
        if (left != 0 || right != 0)
            add_impulse(renderer, renderer->samples,
                        frame_at(renderer, time_ns + (double)i * step_ns),
                        band * AUDIO_KERNEL_CUTOFF, left, right);
    }
}

/* A step that comes too late comes as soon as it can: levels must not be lost. */
static void set_level(AudioRenderer *renderer, Voice *voice, double time_ns, const float level[2],
                      const float gain[2]) {
    float step[2];
    for (int side = 0; side < AUDIO_CHANNELS; side++) {
        step[side] = level[side] * gain[side] - voice->level[side] * voice->gain[side];
        voice->level[side] = level[side];
        voice->gain[side] = gain[side];
    }
    if (renderer->idle)
        return;
    double earliest = (double)renderer->done + audio_kernel_reach(AUDIO_KERNEL_CUTOFF) + 1;
    if ((step[0] != 0 || step[1] != 0) &&
        !add_impulse(renderer, renderer->steps, frame_at(renderer, time_ns), AUDIO_KERNEL_CUTOFF,
                     step[0], step[1]))
        add_impulse(renderer, renderer->steps, earliest, AUDIO_KERNEL_CUTOFF, step[0], step[1]);
}

static void run_synth(AudioRenderer *renderer, Voice *voice, double time_ns) {
    if (voice->synth == NULL || renderer->idle)
        return;
    double step_ns = 1e9 / voice->description->rate;
    int64_t wanted = (int64_t)((time_ns - voice->synth_start_ns) / step_ns);
    int16_t frames[PIECE][AUDIO_CHANNELS];
    while (voice->synth_done < wanted) {
        int64_t left = wanted - voice->synth_done;
        size_t count = left < PIECE ? (size_t)left : PIECE;
        voice->description->render(voice->synth, frames[0], count);
        add_samples(renderer, voice, voice->synth_start_ns + (double)voice->synth_done * step_ns,
                    step_ns, frames[0], count);
        voice->synth_done += (int64_t)count;
    }
}

static void run_synths(AudioRenderer *renderer, double time_ns) {
    for (int i = 0; i < AUDIO_VOICES; i++)
        run_synth(renderer, &renderer->voice[i], time_ns);
}

/* --- time --------------------------------------------------------------------------------------
 */

/* From here on frames are made as fast as the sink wants them. */
static void follow_sink(AudioRenderer *renderer, double time_ns) {
    if (renderer->sink.trim == NULL)
        return;
    renderer->origin = frame_at(renderer, time_ns);
    renderer->origin_ns = time_ns;
    renderer->frames_per_ns =
        renderer->sink.rate * 1e-9 * (1 + renderer->sink.trim(renderer->sink.opaque));
}

static void advance(AudioRenderer *renderer, double time_ns) {
    if (renderer->idle)
        return;
    run_synths(renderer, time_ns);
    renderer->known_ns = time_ns;
    render_to(renderer, (int64_t)frame_at(renderer, time_ns - HORIZON_NS));
    follow_sink(renderer, time_ns);
}

static void become_idle(AudioRenderer *renderer, double time_ns) {
    if (renderer->idle)
        return;
    advance(renderer, time_ns);
    render_to(renderer, (int64_t)frame_at(renderer, time_ns + HORIZON_NS));
    renderer->idle = true;
}

/* The first impulses reach to before the start. Where another state was loaded time may be any;
 * frames go on. */
static void start(AudioRenderer *renderer, double time_ns) {
    double frames_per_ns = renderer->sink.rate * 1e-9;
    double before = HORIZON_NS * frames_per_ns;
    become_idle(renderer, renderer->known_ns);
    double frame = floor(time_ns * frames_per_ns + before);
    if (frame < (double)renderer->done + before)
        frame = ceil((double)renderer->done + before);
    renderer->origin = frame;
    renderer->origin_ns = renderer->known_ns = time_ns;
    renderer->frames_per_ns = frames_per_ns;
    renderer->done = (int64_t)(frame - before);
    renderer->idle = false;
    for (int i = 0; i < AUDIO_VOICES; i++) {
        renderer->voice[i].synth_start_ns = time_ns;
        renderer->voice[i].synth_done = 0;
    }
}

/* --- events ------------------------------------------------------------------------------------
 */

static void set_synth(Voice *voice, const AudioSynth *synth) {
    if (voice->synth != NULL)
        voice->description->destroy(voice->synth);
    voice->description = synth;
    voice->synth = synth != NULL ? synth->create(synth->options) : NULL;
}

static void process_event(AudioRenderer *renderer, const AudioEvent *event, const int16_t *frames) {
    Voice *voice = &renderer->voice[event->voice % AUDIO_VOICES];
    switch ((AudioEventKind)event->kind) {
    case AUDIO_SAMPLES:
        add_samples(renderer, voice, event->time_ns, event->step_ns, frames, event->count);
        break;
    case AUDIO_LEVEL:
        set_level(renderer, voice, event->time_ns, (float[2]){event->left, event->right},
                  (float[2]){voice->gain[0], voice->gain[1]});
        break;
    case AUDIO_GAIN:
        run_synth(renderer, voice, event->time_ns);
        set_level(renderer, voice, event->time_ns, (float[2]){voice->level[0], voice->level[1]},
                  event->gain);
        break;
    case AUDIO_SYNTH:
        set_synth(voice, event->synth);
        break;
    case AUDIO_SYNTH_RESET:
        run_synth(renderer, voice, event->time_ns);
        if (voice->synth != NULL)
            voice->description->reset(voice->synth);
        break;
    case AUDIO_SYNTH_WRITE:
        run_synth(renderer, voice, event->time_ns);
        if (voice->synth != NULL)
            voice->description->write(voice->synth, event->address, event->value);
        break;
    case AUDIO_ADVANCE:
        advance(renderer, event->time_ns);
        break;
    case AUDIO_IDLE:
        become_idle(renderer, event->time_ns);
        break;
    case AUDIO_START:
        start(renderer, event->time_ns);
        break;
    }
}

void audio_renderer_process(AudioRenderer *renderer, const uint8_t *events, size_t size) {
    for (size_t at = 0; at + sizeof(AudioEvent) <= size;) {
        AudioEvent event;
        memcpy(&event, events + at, sizeof event);
        at += sizeof event;
        const int16_t *frames = (const int16_t *)(const void *)(events + at);
        process_event(renderer, &event, frames);
        if (event.kind == AUDIO_SAMPLES)
            at += (event.count * sizeof(int16_t) * AUDIO_CHANNELS + 7) & ~(size_t)7;
    }
}

AudioRenderer *audio_renderer_create(const AudioSink *sink) {
    AudioRenderer *renderer = allocate_zeroed(sizeof *renderer);
    renderer->sink = *sink;
    renderer->leak = 1 - 2 * 3.14159265358979 * COUPLING_HZ / sink->rate;
    renderer->idle = true;
    audio_kernel_init(&renderer->kernel);
    for (int i = 0; i < AUDIO_VOICES; i++)
        renderer->voice[i].gain[0] = renderer->voice[i].gain[1] = 1;
    return renderer;
}

void audio_renderer_destroy(AudioRenderer *renderer) {
    if (renderer == NULL)
        return;
    for (int i = 0; i < AUDIO_VOICES; i++)
        set_synth(&renderer->voice[i], NULL);
    free(renderer);
}
