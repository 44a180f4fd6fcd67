#include "pc_speaker.h"
#include "allocate.h"
#include <stdlib.h>

enum {
    TIMER_GATE = 0x01,
    SPEAKER_DATA = 0x02,
    WRITABLE = 0x0F, /* bits 2 and 3 enable parity and channel checks, which never come */
    REFRESH_TOGGLE = 0x10,
    TIMER_OUT = 0x20,
};

/* Memory is refreshed every 18 cycles of the timer's clock, which is what a BIOS sets counter 1 to.
 */
#define REFRESH_CYCLES 18

typedef struct PcSpeakerState {
    uint8_t control;
} PcSpeakerState;

static const Field pc_speaker_state_fields[] = {
    FIELD(PcSpeakerState, U8, control),
    FIELD_END,
};

static const FieldTable pc_speaker_fields = {
    "pc-speaker",
    1,
    sizeof(PcSpeakerState),
    pc_speaker_state_fields,
};

struct PcSpeaker {
    PcSpeakerState state;
    const VirtualClock *clock;
    I8254 *pit;
    AudioVoice *voice; /* NULL: not heard */
    bool listens;      /* to the timer, which drives the speaker */
    bool stale;        /* another state was loaded */
};

/* The speaker is quieter than a sound card. */
#define LOUDNESS 10000

static void timer_told(void *opaque, double time_ns, int level) {
    PcSpeaker *speaker = opaque;
    int16_t height = (int16_t)(level * LOUDNESS / I8254_LEVEL_FULL);
    audio_voice_set_level(speaker->voice, time_ns, height, height);
}

/* With the data bit the speaker follows OUT 2, without it is at rest. */
static void follow_timer(PcSpeaker *speaker) {
    const I8254Listener listener = {timer_told, speaker};
    bool driven = (speaker->state.control & SPEAKER_DATA) != 0;
    if (speaker->voice == NULL || (driven == speaker->listens && !speaker->stale))
        return;
    speaker->stale = false;
    speaker->listens = driven;
    if (driven)
        audio_voice_wake(speaker->voice);
    i8254_listen(speaker->pit, driven ? &listener : NULL);
    if (!driven)
        audio_voice_set_level(speaker->voice, (double)clock_now_ns(speaker->clock), 0, 0);
}

static bool speaker_refresh(void *opaque, int64_t now_ns) {
    PcSpeaker *speaker = opaque;
    (void)now_ns;
    follow_timer(speaker);
    if (speaker->listens)
        i8254_tell(speaker->pit);
    return speaker->listens && i8254_is_tone(speaker->pit);
}

static uint32_t speaker_read(void *opaque, uint32_t offset, unsigned size) {
    PcSpeaker *speaker = opaque;
    (void)offset, (void)size;
    uint8_t value = speaker->state.control;
    int64_t cycles = clock_scale(clock_now_ns(speaker->clock), I8254_HZ, NS_PER_SECOND);
    if (cycles / REFRESH_CYCLES & 1)
        value |= REFRESH_TOGGLE;
    if (i8254_out(speaker->pit, 2))
        value |= TIMER_OUT;
    return value;
}

static void speaker_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    PcSpeaker *speaker = opaque;
    (void)offset, (void)size;
    speaker->state.control = value & WRITABLE;
    if (speaker->listens)
        i8254_tell(speaker->pit);
    i8254_set_gate2(speaker->pit, (value & TIMER_GATE) != 0);
    follow_timer(speaker);
}

static void pc_speaker_reset(void *opaque) {
    speaker_write(opaque, 0, 1, 0);
}

static void pc_speaker_restored(void *opaque) {
    PcSpeaker *speaker = opaque;
    speaker->stale = true;
    audio_voice_restored(speaker->voice);
}

static const DeviceClass pc_speaker_class = {
    "isa-pcspk",
    &pc_speaker_fields,
    pc_speaker_reset,
    pc_speaker_restored,
};

PcSpeaker *pc_speaker_create(const DeviceContext *context, I8254 *pit, AudioMixer *mixer,
                             Error *error) {
    PcSpeaker *speaker = allocate_zeroed(sizeof *speaker);
    const PortRange range = {"pc-speaker", 0x61, 1, PORT_8, speaker_read, speaker_write, speaker};
    if (!port_map_add(context->ports, &range, error)) {
        free(speaker);
        return NULL;
    }
    speaker->clock = context->clock;
    speaker->pit = pit;
    speaker->voice = audio_voice_open(mixer, speaker_refresh, speaker);
    device_list_add(context->devices, &pc_speaker_class, "speaker", speaker, &speaker->state);
    return speaker;
}

void pc_speaker_destroy(PcSpeaker *speaker) {
    free(speaker);
}
