/* The parts of the Sound Blaster 16, shared by its files. */
#ifndef REPRISE_SB16_INTERNAL_H
#define REPRISE_SB16_INTERNAL_H

#include "sb16.h"

enum { SB16_ANSWERS = 64, SB16_ARGUMENTS = 3 };

/* Bits of the mixer's interrupt status register. */
enum { SB16_IRQ_8 = 1, SB16_IRQ_16 = 2, SB16_IRQ_MIDI = 4 };

/* What a DMA command asked for. */
enum {
    SB16_STEREO = 0x01,
    SB16_SIGNED = 0x02,
    SB16_WIDE = 0x04, /* 16 bits */
    SB16_INPUT = 0x08,
    SB16_AUTO = 0x10,    /* block after block */
    SB16_SILENCE = 0x20, /* no DMA at all, time passes */
    SB16_REFERENCE = 0x40,
    SB16_HIGH_SPEED = 0x80,
};

/* A byte, or a frame, of what is transferred is a group: it lasts 'frames' sampling periods. */
typedef struct Sb16Transfer {
    int64_t start_ns;    /* when the first group began */
    uint64_t done;       /* groups since then */
    uint32_t per_second; /* sampling periods in 'divisor' seconds */
    uint32_t divisor;
    uint32_t block; /* bytes of a block */
    uint32_t left;  /* of the present one */
    uint8_t running, paused;
    uint8_t format;       /* SB16_STEREO and others */
    uint8_t adpcm;        /* bits of a sample: 2, 3 or 4; 0: PCM */
    uint8_t level, scale; /* of the ADPCM decoder */
    uint8_t part_count;   /* bytes of a frame that is not whole yet */
    uint8_t part[4];
    uint8_t padding[5];
} Sb16Transfer;

typedef struct Sb16State {
    Sb16Transfer transfer;
    int64_t due_ns; /* when it is looked at next */
    uint32_t rate;  /* frames a second by command 41h; 0: the time constant counts */
    uint16_t block_size;
    uint8_t time_constant;
    uint8_t reset_pin;
    uint8_t command, arguments_wanted, argument_count;
    uint8_t arguments[SB16_ARGUMENTS];
    uint8_t answers[SB16_ANSWERS];
    uint8_t answer_first, answer_count, last_answer;
    uint8_t speaker_on;
    uint8_t test_register;
    uint8_t identity, identity_count; /* command E2h */
    uint8_t irq_pending;
    uint8_t mixer_index;
    uint8_t mixer[256];
    uint8_t midi; /* what is written to the DSP is MIDI, until it is reset */
} Sb16State;

struct Sb16 {
    Sb16State state;
    VirtualClock *clock;
    Timer timer;
    I8237 *dma;
    Wire irqs[SB16_IRQS];
    AudioVoice *voice, *fm;
    MidiSink midi;
    uint16_t version;
    uint8_t default_irq, default_dma, default_dma16;
};

extern const FieldTable sb16_transfer_fields;

/* sb16_dsp.c */
void sb16_dsp_reset(Sb16 *card);
void sb16_dsp_write(Sb16 *card, uint8_t value);
uint8_t sb16_dsp_read(Sb16 *card);

/* sb16_dma.c: begins what 'transfer' says (format, adpcm, block, rate); up to now; and so on. */
void sb16_transfer_begin(Sb16 *card);
void sb16_transfer_run(Sb16 *card);
void sb16_transfer_pause(Sb16 *card, bool paused);
/* One byte to memory, for command E2h. */
void sb16_transfer_byte(Sb16 *card, uint8_t value);

/* sb16_adpcm.c: the samples in a byte, oldest first; returns how many. */
unsigned sb16_adpcm_decode(Sb16Transfer *transfer, uint8_t byte, uint8_t samples[4]);

/* sb16_mixer.c */
void sb16_mixer_reset(Sb16 *card);
void sb16_mixer_write(Sb16 *card, uint8_t value);
uint8_t sb16_mixer_read(const Sb16 *card);
void sb16_mixer_apply(Sb16 *card);
int sb16_dma_channel(const Sb16 *card, bool wide); /* -1: none */

/* sb16.c */
void sb16_raise(Sb16 *card, uint8_t cause);
void sb16_update_irq(Sb16 *card);

#endif
