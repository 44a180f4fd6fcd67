/* See sb16.h: ports, interrupts, State. */
#include "sb16.h"
#include "allocate.h"
#include "sb16_internal.h"
#include <stdlib.h>

static const Field sb16_state_fields[] = {
    FIELD_ONE_STRUCT(Sb16State, transfer, &sb16_transfer_fields),
    FIELD(Sb16State, U64, due_ns),
    FIELD(Sb16State, U32, rate),
    FIELD(Sb16State, U16, block_size),
    FIELD(Sb16State, U8, time_constant),
    FIELD(Sb16State, U8, reset_pin),
    FIELD(Sb16State, U8, command),
    FIELD(Sb16State, U8, arguments_wanted),
    FIELD(Sb16State, U8, argument_count),
    FIELD_BYTES_OF(Sb16State, arguments),
    FIELD_BYTES_OF(Sb16State, answers),
    FIELD(Sb16State, U8, answer_first),
    FIELD(Sb16State, U8, answer_count),
    FIELD(Sb16State, U8, last_answer),
    FIELD(Sb16State, U8, speaker_on),
    FIELD(Sb16State, U8, test_register),
    FIELD(Sb16State, U8, identity),
    FIELD(Sb16State, U8, identity_count),
    FIELD(Sb16State, U8, irq_pending),
    FIELD(Sb16State, U8, mixer_index),
    FIELD_BYTES_OF(Sb16State, mixer),
    FIELD(Sb16State, U8, midi),
    FIELD_END,
};

static const FieldTable sb16_fields = {"sb16", 1, sizeof(Sb16State), sb16_state_fields};

void sb16_update_irq(Sb16 *card) {
    const Sb16State *state = &card->state;
    for (unsigned i = 0; i < SB16_IRQS; i++)
        wire_set(&card->irqs[i], state->irq_pending != 0 && (state->mixer[0x80] >> i & 1));
}

void sb16_raise(Sb16 *card, uint8_t cause) {
    card->state.irq_pending |= cause;
    sb16_update_irq(card);
}

static void acknowledge(Sb16 *card, uint8_t cause) {
    card->state.irq_pending &= (uint8_t)~cause;
    sb16_update_irq(card);
}

void sb16_set_midi_irq(void *opaque, int line, int level) {
    Sb16 *card = opaque;
    (void)line;
    if (level)
        sb16_raise(card, SB16_IRQ_MIDI);
    else
        acknowledge(card, SB16_IRQ_MIDI);
}

enum { VERSION_PRO = 0x300 }; /* of the DSP: from here on there is a mixer */

/* Offsets of two ranges of ports. */
enum { MIXER_PORTS = 0x4, MIXER_INDEX = 0, MIXER_DATA = 1, DSP_RESET = 2 };
enum {
    DSP_PORTS = 0xA,
    DSP_READ = 0,
    DSP_WRITE = 2,
    DSP_READ_STATUS = 4,
    DSP_ACKNOWLEDGE_16 = 5,
};

static uint32_t mixer_port_read(void *opaque, uint32_t offset, unsigned size) {
    const Sb16 *card = opaque;
    (void)size;
    if (card->version < VERSION_PRO)
        return 0xFF;
    return offset == MIXER_INDEX  ? card->state.mixer_index
           : offset == MIXER_DATA ? sb16_mixer_read(card)
                                  : 0xFF;
}

static void mixer_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Sb16 *card = opaque;
    (void)size;
    bool has_mixer = card->version >= VERSION_PRO;
    if (offset == MIXER_INDEX && has_mixer) {
        card->state.mixer_index = (uint8_t)value;
    } else if (offset == MIXER_DATA && has_mixer) {
        sb16_mixer_write(card, (uint8_t)value);
    } else if (offset == DSP_RESET) {
        if (card->state.reset_pin && !(value & 1))
            sb16_dsp_reset(card);
        card->state.reset_pin = value & 1;
    }
}

static uint32_t dsp_port_read(void *opaque, uint32_t offset, unsigned size) {
    Sb16 *card = opaque;
    (void)size;
    switch (offset) {
    case DSP_READ:
        return sb16_dsp_read(card);
    case DSP_WRITE:
        return 0x7F; /* never busy */
    case DSP_READ_STATUS:
        acknowledge(card, SB16_IRQ_8);
        return card->state.answer_count > 0 ? 0xFF : 0x7F;
    case DSP_ACKNOWLEDGE_16:
        acknowledge(card, SB16_IRQ_16);
        return 0xFF;
    default:
        return 0xFF;
    }
}

static void dsp_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)size;
    if (offset == DSP_WRITE)
        sb16_dsp_write(opaque, (uint8_t)value);
}

static void timer_due(void *opaque) {
    sb16_transfer_run(opaque);
}

static void sb16_sync(void *opaque) {
    Sb16 *card = opaque;
    if (card->state.transfer.running)
        sb16_transfer_run(card);
}

static void sb16_reset(void *opaque) {
    Sb16 *card = opaque;
    card->state.irq_pending = 0;
    card->state.reset_pin = 0;
    card->state.mixer_index = 0;
    sb16_mixer_reset(card);
    sb16_dsp_reset(card);
}

/* A state may come from anywhere: what the code relies on is made so. */
static void sb16_restored(void *opaque) {
    Sb16 *card = opaque;
    Sb16Transfer *transfer = &card->state.transfer;
    if (transfer->adpcm == 1 || transfer->adpcm > 4)
        transfer->adpcm = 0;
    if (transfer->per_second == 0 || transfer->divisor == 0)
        transfer->per_second = transfer->divisor = 1;
    if (transfer->running && (transfer->block == 0 || transfer->left == 0))
        transfer->block = transfer->left = 1;
    if (card->state.answer_count > SB16_ANSWERS)
        card->state.answer_count = SB16_ANSWERS;
    audio_voice_restored(card->voice);
    sb16_mixer_apply(card);
}

static const DeviceClass sb16_class = {"sb16", &sb16_fields, sb16_reset, sb16_restored};

static bool claim_ports(Sb16 *card, const DeviceContext *context, uint16_t base, Error *error) {
    const PortRange mixer = {
        "sb16-mixer", (uint16_t)(base + MIXER_PORTS), 3, PORT_8, mixer_port_read, mixer_port_write,
        card};
    const PortRange dsp = {
        "sb16-dsp", (uint16_t)(base + DSP_PORTS), 6, PORT_8, dsp_port_read, dsp_port_write, card};
    return port_map_add(context->ports, &mixer, error) && port_map_add(context->ports, &dsp, error);
}

Sb16 *sb16_create(const DeviceContext *context, const Sb16Options *options, Error *error) {
    Sb16 *card = allocate_zeroed(sizeof *card);
    if (!claim_ports(card, context, options->port, error)) {
        free(card);
        return NULL;
    }
    card->clock = context->clock;
    card->dma = options->dma_controller;
    card->version = options->version;
    card->default_irq = options->irq;
    card->default_dma = options->dma;
    card->default_dma16 = options->dma16;
    card->fm = options->fm;
    card->midi = options->midi;
    for (unsigned i = 0; i < SB16_IRQS; i++)
        card->irqs[i] = options->irqs[i];
    card->voice = audio_voice_open(options->mixer, NULL, NULL);
    timer_init(&card->timer, context->clock, "sb16", &card->state.due_ns, timer_due, card);
    i8237_watch(card->dma, sb16_sync, card);
    device_list_add(context->devices, &sb16_class, "sb16", card, &card->state);
    sb16_reset(card);
    return card;
}

void sb16_destroy(Sb16 *card) {
    free(card);
}
