/* The mixer CT1745, with the registers of the Sound Blaster Pro's beside its own. */
#include "sb16_internal.h"
#include <math.h>
#include <string.h>

enum {
    MIXER_RESET = 0x00,
    MIXER_VOICE_PRO = 0x04,
    MIXER_MASTER = 0x30,
    MIXER_VOICE = 0x32,
    MIXER_FM = 0x34,
    MIXER_SWITCHES = 0x3C,
    MIXER_INPUT_LEFT = 0x3D,
    MIXER_INPUT_RIGHT = 0x3E,
    MIXER_TONE = 0x44, /* treble, bass: two each, to 47h */
    MIXER_IRQ = 0x80,
    MIXER_DMA = 0x81,
    MIXER_IRQ_STATUS = 0x82,
    LOUDEST = 0xF8,
};

/* Registers of the Pro hold both sides of a volume in four bits each: which of ours they mean. */
static const struct {
    uint8_t pro, left;
} pro_registers[] = {{0x04, 0x32}, {0x22, 0x30}, {0x26, 0x34}, {0x28, 0x36}, {0x2E, 0x38}};

static int find_pro(uint8_t index) {
    for (unsigned i = 0; i < sizeof pro_registers / sizeof pro_registers[0]; i++)
        if (pro_registers[i].pro == index)
            return pro_registers[i].left;
    return -1;
}

/* The lines of the interrupt setup register, in the order of its bits. */
static const uint8_t irq_numbers[SB16_IRQS] = {9, 5, 7, 10};

int sb16_dma_channel(const Sb16 *card, bool wide) {
    uint8_t chosen = card->state.mixer[MIXER_DMA];
    if (wide && (chosen & 0xE0) != 0)
        return __builtin_ctz(chosen & 0xE0u);
    return (chosen & 0x0B) != 0 ? __builtin_ctz(chosen & 0x0Bu) : -1;
}

/* Five bits of 2 dB each; 0 is silence. */
static float volume(const Sb16 *card, unsigned reg) {
    unsigned steps = card->state.mixer[reg] >> 3;
    return steps == 0 ? 0 : (float)pow(10, ((int)steps - 31) * 2 / 20.0);
}

void sb16_mixer_apply(Sb16 *card) {
    float left = volume(card, MIXER_MASTER), right = volume(card, MIXER_MASTER + 1);
    audio_voice_set_gain(card->voice, left * volume(card, MIXER_VOICE),
                         right * volume(card, MIXER_VOICE + 1));
    audio_voice_set_gain(card->fm, left * volume(card, MIXER_FM),
                         right * volume(card, MIXER_FM + 1));
}

/* The setup of interrupt and DMA is kept in the card beyond a reset; so it is only made here when
 * 'everything' is. */
static void set_defaults(Sb16 *card) {
    uint8_t *mixer = card->state.mixer;
    memset(mixer, 0, MIXER_IRQ);
    memset(mixer + MIXER_MASTER, LOUDEST, 6);
    mixer[MIXER_SWITCHES] = 0x1F;
    mixer[MIXER_INPUT_LEFT] = 0x15;
    mixer[MIXER_INPUT_RIGHT] = 0x0B;
    memset(mixer + MIXER_TONE, 0x80, 4);
    sb16_mixer_apply(card);
}

void sb16_mixer_reset(Sb16 *card) {
    uint8_t *mixer = card->state.mixer;
    set_defaults(card);
    mixer[MIXER_IRQ] = 0;
    for (unsigned i = 0; i < SB16_IRQS; i++)
        if (irq_numbers[i] == card->default_irq)
            mixer[MIXER_IRQ] = (uint8_t)(1u << i);
    mixer[MIXER_DMA] = (uint8_t)(1u << (card->default_dma & 7) | 1u << (card->default_dma16 & 7));
}

/* The Pro's mixer, CT1345, has few registers: those for both sides, inputs, filters and stereo. */
static bool is_there(const Sb16 *card, uint8_t index) {
    return card->version >= 0x400 || find_pro(index) >= 0 || index == MIXER_RESET ||
           index == 0x0A || index == 0x0C || index == 0x0E;
}

void sb16_mixer_write(Sb16 *card, uint8_t value) {
    Sb16State *state = &card->state;
    uint8_t index = state->mixer_index;
    int pro = find_pro(index);
    if (!is_there(card, index))
        return;
    if (index == MIXER_RESET) {
        set_defaults(card);
    } else if (pro >= 0) {
        state->mixer[pro] = (uint8_t)((value & 0xF0) | 0x08);
        state->mixer[pro + 1] = (uint8_t)(value << 4 | 0x08);
    } else if (index == MIXER_DMA) {
        sb16_transfer_run(card);
        state->mixer[index] = value & 0xEB;
    } else if (index == MIXER_IRQ) {
        state->mixer[index] = value & 0x0F;
        sb16_update_irq(card);
    } else if (index != MIXER_IRQ_STATUS) {
        state->mixer[index] = value;
    }
    if (index < MIXER_IRQ)
        sb16_mixer_apply(card);
}

uint8_t sb16_mixer_read(const Sb16 *card) {
    const Sb16State *state = &card->state;
    int pro = find_pro(state->mixer_index);
    if (!is_there(card, state->mixer_index))
        return 0xFF;
    if (pro >= 0)
        return (uint8_t)((state->mixer[pro] & 0xF0) | state->mixer[pro + 1] >> 4);
    if (state->mixer_index == MIXER_IRQ_STATUS)
        return (uint8_t)(state->irq_pending | 0x20); /* DSP 4.xx */
    if (state->mixer_index == MIXER_IRQ)
        return state->mixer[MIXER_IRQ] | 0xF0;
    return state->mixer[state->mixer_index];
}
