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
};

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
    i8254_set_gate2(speaker->pit, (value & TIMER_GATE) != 0);
}

void pc_speaker_query(PcSpeaker *speaker, PcSpeakerTone *tone) {
    tone->driven = (speaker->state.control & SPEAKER_DATA) != 0;
    tone->period = i8254_period(speaker->pit, 2);
    tone->level = tone->driven && i8254_out(speaker->pit, 2);
}

static void pc_speaker_reset(void *opaque) {
    speaker_write(opaque, 0, 1, 0);
}

static const DeviceClass pc_speaker_class = {
    "isa-pcspk",
    &pc_speaker_fields,
    pc_speaker_reset,
    NULL,
};

PcSpeaker *pc_speaker_create(const DeviceContext *context, I8254 *pit, Error *error) {
    PcSpeaker *speaker = allocate_zeroed(sizeof *speaker);
    const PortRange range = {"pc-speaker", 0x61, 1, PORT_8, speaker_read, speaker_write, speaker};
    if (!port_map_add(context->ports, &range, error)) {
        free(speaker);
        return NULL;
    }
    speaker->clock = context->clock;
    speaker->pit = pit;
    device_list_add(context->devices, &pc_speaker_class, "speaker", speaker, &speaker->state);
    return speaker;
}

void pc_speaker_destroy(PcSpeaker *speaker) {
    free(speaker);
}
