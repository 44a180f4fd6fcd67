/* The DSP's commands. */
#include "sb16_internal.h"
#include <string.h>

#define IDENTITY_FIRST 0xAA
static const char copyright[] = "COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.";

typedef void Command(Sb16 *card, uint8_t command, const uint8_t *arguments);

static void answer(Sb16 *card, uint8_t value) {
    Sb16State *state = &card->state;
    if (state->answer_count < SB16_ANSWERS)
        state->answers[(state->answer_first + state->answer_count++) % SB16_ANSWERS] = value;
}

static void clear_answers(Sb16 *card) {
    card->state.answer_count = card->state.answer_first = 0;
}

/* --- playing -----------------------------------------------------------------------------------
 */

/* The time constant is for samples, of which stereo has two a frame; the rate is for frames. */
static void set_rate(Sb16 *card, bool pairs_by_constant) {
    Sb16State *state = &card->state;
    Sb16Transfer *transfer = &state->transfer;
    transfer->per_second = state->rate != 0 ? state->rate : 1000000;
    transfer->divisor =
        state->rate != 0 ? 1 : (256u - state->time_constant) * (pairs_by_constant ? 2 : 1);
}

/* 'length' as commands give it, less by one than the samples. */
static void begin(Sb16 *card, uint8_t format, uint8_t adpcm, uint32_t length) {
    Sb16Transfer *transfer = &card->state.transfer;
    sb16_transfer_run(card);
    transfer->format = format;
    transfer->adpcm = adpcm;
    transfer->block = (length + 1) << ((format & SB16_WIDE) != 0);
    transfer->level = 0x80;
    transfer->scale = 0;
    sb16_transfer_begin(card);
}

static bool pro_stereo(const Sb16 *card) {
    return (card->state.mixer[0x0E] & 2) != 0;
}

static uint32_t pair(const uint8_t *low_first) {
    return low_first[0] | (uint32_t)low_first[1] << 8;
}

/* Commands 1xh, 2xh and 9xh; those for block after block take the size from command 48h. */
static void play_8(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    uint8_t kind = command & 0x0F, format = 0;
    bool high_speed = command >= 0x90;
    if ((command & 0xF0) == 0x20 || (high_speed && (kind & 8)))
        format |= SB16_INPUT;
    bool repeats = high_speed ? !(kind & 1) : (kind & 8) != 0;
    if (repeats)
        format |= SB16_AUTO;
    if (high_speed)
        format |= SB16_HIGH_SPEED;
    if (pro_stereo(card))
        format |= SB16_STEREO;
    set_rate(card, pro_stereo(card));
    bool sized = repeats || high_speed;
    begin(card, format, 0, sized ? card->state.block_size : pair(arguments));
}

/* Bit 0: the first byte is the level to begin with; bit 3: block after block. */
static void play_adpcm(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    uint8_t bits = (command & 0xF0) == 0x10 ? 2 : (command & 2) ? 3 : 4, format = 0;
    if (command & 8)
        format |= SB16_AUTO;
    if (command & 1)
        format |= SB16_REFERENCE;
    set_rate(card, false);
    begin(card, format, bits, format & SB16_AUTO ? card->state.block_size : pair(arguments));
}

/* Commands Bxh and Cxh. */
static void play_16(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    uint8_t format = (command & 0xF0) == 0xB0 ? SB16_WIDE : 0;
    if (command & 0x08)
        format |= SB16_INPUT;
    if (command & 0x04)
        format |= SB16_AUTO;
    if (arguments[0] & 0x20)
        format |= SB16_STEREO;
    if (arguments[0] & 0x10)
        format |= SB16_SIGNED;
    set_rate(card, (format & SB16_STEREO) != 0);
    begin(card, format, 0, pair(arguments + 1));
}

static void play_silence(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command;
    set_rate(card, false);
    begin(card, SB16_SILENCE, 0, pair(arguments));
}

static void play_direct(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command;
    int16_t level = (int16_t)((arguments[0] - 128) * 256);
    audio_voice_set_level(card->voice, (double)clock_now_ns(card->clock), level, level);
}

static void record_direct(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command, (void)arguments;
    answer(card, 0x80);
}

static void set_time_constant(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command;
    card->state.time_constant = arguments[0];
    card->state.rate = 0;
}

/* High byte first; what the DSP can: 5000 to 44100 and a little. */
static void set_frame_rate(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command;
    uint32_t rate = (uint32_t)arguments[0] << 8 | arguments[1];
    card->state.rate = rate < 4000 ? 4000 : rate > 48000 ? 48000 : rate;
}

static void set_block_size(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command;
    Sb16Transfer *transfer = &card->state.transfer;
    card->state.block_size = (uint16_t)pair(arguments);
    if (transfer->running && (transfer->format & SB16_AUTO))
        transfer->block = (card->state.block_size + 1u)
                          << ((transfer->format & SB16_WIDE) != 0); /* from the next on */
}

static void pause(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)arguments;
    sb16_transfer_pause(card, command == 0xD0 || command == 0xD5);
}

/* D9h and DAh end after this block, 45h and 47h take it back. */
static void set_repeat(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)arguments;
    sb16_transfer_run(card);
    if (command == 0x45 || command == 0x47)
        card->state.transfer.format |= SB16_AUTO;
    else
        card->state.transfer.format &= (uint8_t)~SB16_AUTO;
}

/* --- MIDI by the connector at the back ---------------------------------------------------------
 */

static void send_midi(Sb16 *card, uint8_t byte) {
    if (card->midi.write != NULL)
        card->midi.write(card->midi.opaque, clock_now_ns(card->clock), byte);
}

static void send_midi_byte(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command;
    send_midi(card, arguments[0]);
}

/* What comes in is asked for with an interrupt or without, with times or without: nothing comes. */
static void begin_midi_uart(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command, (void)arguments;
    card->state.midi = 1;
}

static void set_speaker(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)arguments;
    sb16_transfer_run(card);
    card->state.speaker_on = command == 0xD1;
}

/* --- questions ---------------------------------------------------------------------------------
 */

static void tell_speaker(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command, (void)arguments;
    answer(card, card->state.speaker_on ? 0xFF : 0x00);
}

static void tell_complement(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command;
    answer(card, (uint8_t)~arguments[0]);
}

static void tell_version(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command, (void)arguments;
    answer(card, (uint8_t)(card->version >> 8));
    answer(card, (uint8_t)card->version);
}

static void tell_copyright(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command, (void)arguments;
    for (unsigned i = 0; i < sizeof copyright; i++)
        answer(card, (uint8_t)copyright[i]);
}

static void tell_zero(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command, (void)arguments;
    answer(card, 0);
}

/* Whether a card is Creative's: each bit of the argument adds or subtracts its own value, by a
 * pattern of four steps, and the sum goes to memory by DMA. */
static void tell_identity(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    static const int16_t weights[4][9] = {{1, -2, -4, 8, -16, 32, 64, -128, -106},
                                          {-1, 2, -4, 8, 16, -32, 64, -128, 165},
                                          {-1, 2, 4, -8, 16, -32, -64, 128, -151},
                                          {1, -2, 4, -8, -16, 32, -64, 128, 90}};
    const int16_t *weight = weights[card->state.identity_count++ & 3];
    int sum = card->state.identity + weight[8];
    (void)command;
    for (unsigned bit = 0; bit < 8; bit++)
        if (arguments[0] >> bit & 1)
            sum += weight[bit];
    card->state.identity = (uint8_t)sum;
    sb16_transfer_byte(card, card->state.identity);
}

static void set_test(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command;
    card->state.test_register = arguments[0];
}

static void tell_test(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)command, (void)arguments;
    answer(card, card->state.test_register);
}

static void interrupt(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)arguments;
    sb16_raise(card, command == 0xF3 ? SB16_IRQ_16 : SB16_IRQ_8);
}

static void ignore(Sb16 *card, uint8_t command, const uint8_t *arguments) {
    (void)card, (void)command, (void)arguments;
}

/* --- the table ---------------------------------------------------------------------------------
 */

/* The first row that fits counts; commands of none, or of later versions, do nothing. */
static const struct {
    uint8_t first, last, arguments;
    uint16_t since; /* version of the DSP */
    Command *run;
} commands[] = {
    {0x04, 0x05, 1, 0x400, ignore}, /* the signal processor, which this card has not */
    {0x0E, 0x0E, 2, 0x400, ignore},
    {0x0F, 0x0F, 1, 0x400, tell_zero},
    {0x10, 0x11, 1, 0x100, play_direct},
    {0x14, 0x15, 2, 0x100, play_8},
    {0x16, 0x17, 2, 0x100, play_adpcm},
    {0x1C, 0x1D, 0, 0x200, play_8},
    {0x1E, 0x1F, 0, 0x200, play_adpcm},
    {0x20, 0x20, 0, 0x100, record_direct},
    {0x24, 0x24, 2, 0x100, play_8},
    {0x28, 0x28, 0, 0x100, record_direct},
    {0x2C, 0x2C, 0, 0x200, play_8},
    {0x30, 0x33, 0, 0x100, ignore}, /* MIDI comes in: none ever does */
    {0x34, 0x37, 0, 0x200, begin_midi_uart},
    {0x38, 0x38, 1, 0x100, send_midi_byte},
    {0x40, 0x40, 1, 0x100, set_time_constant},
    {0x41, 0x42, 2, 0x400, set_frame_rate},
    {0x45, 0x45, 0, 0x400, set_repeat},
    {0x47, 0x47, 0, 0x400, set_repeat},
    {0x48, 0x48, 2, 0x200, set_block_size},
    {0x74, 0x77, 2, 0x100, play_adpcm},
    {0x7C, 0x7F, 0, 0x200, play_adpcm},
    {0x80, 0x80, 2, 0x100, play_silence},
    {0x90, 0x91, 0, 0x201, play_8},
    {0x98, 0x99, 0, 0x201, play_8},
    {0xA0, 0xA8, 0, 0x300, ignore}, /* recording by one side or both */
    {0xB0, 0xCF, 3, 0x400, play_16},
    {0xD0, 0xD0, 0, 0x100, pause},
    {0xD1, 0xD1, 0, 0x100, set_speaker},
    {0xD3, 0xD3, 0, 0x100, set_speaker},
    {0xD4, 0xD4, 0, 0x100, pause},
    {0xD5, 0xD6, 0, 0x400, pause},
    {0xD8, 0xD8, 0, 0x200, tell_speaker},
    {0xD9, 0xD9, 0, 0x400, set_repeat},
    {0xDA, 0xDA, 0, 0x200, set_repeat},
    {0xE0, 0xE0, 1, 0x200, tell_complement},
    {0xE1, 0xE1, 0, 0x100, tell_version},
    {0xE2, 0xE2, 1, 0x200, tell_identity},
    {0xE3, 0xE3, 0, 0x400, tell_copyright},
    {0xE4, 0xE4, 1, 0x200, set_test},
    {0xE8, 0xE8, 0, 0x200, tell_test},
    {0xF2, 0xF2, 0, 0x100, interrupt},
    {0xF3, 0xF3, 0, 0x400, interrupt},
    {0xF8, 0xF8, 0, 0x100, tell_zero},
    {0xF9, 0xF9, 1, 0x400, tell_zero}, /* memory of the card's microcontroller */
    {0xFA, 0xFA, 2, 0x400, ignore},
};

static int find_command(const Sb16 *card, uint8_t command) {
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (command >= commands[i].first && command <= commands[i].last)
            return card->version >= commands[i].since ? (int)i : -1;
    return -1;
}

static void finish_command(Sb16 *card) {
    Sb16State *state = &card->state;
    int row = find_command(card, state->command);
    state->arguments_wanted = state->argument_count = 0;
    if (row >= 0)
        commands[row].run(card, state->command, state->arguments);
}

/* Before 4.00 the DSP has no time for commands while it moves samples at high speed. */
static bool is_deaf(const Sb16 *card) {
    const Sb16Transfer *transfer = &card->state.transfer;
    return card->version < 0x400 && transfer->running && (transfer->format & SB16_HIGH_SPEED);
}

void sb16_dsp_write(Sb16 *card, uint8_t value) {
    Sb16State *state = &card->state;
    if (is_deaf(card))
        return;
    if (state->midi) {
        send_midi(card, value);
        return;
    }
    if (state->arguments_wanted == 0) {
        int row = find_command(card, value);
        state->command = value;
        state->argument_count = 0;
        state->arguments_wanted = row >= 0 ? commands[row].arguments : 0;
    } else {
        state->arguments[state->argument_count++ % SB16_ARGUMENTS] = value;
    }
    if (state->argument_count >= state->arguments_wanted)
        finish_command(card);
}

uint8_t sb16_dsp_read(Sb16 *card) {
    Sb16State *state = &card->state;
    if (state->answer_count > 0) {
        state->last_answer = state->answers[state->answer_first++ % SB16_ANSWERS];
        state->answer_first %= SB16_ANSWERS;
        state->answer_count--;
    }
    return state->last_answer;
}

void sb16_dsp_reset(Sb16 *card) {
    Sb16State *state = &card->state;
    memset(&state->transfer, 0, sizeof state->transfer);
    state->transfer.per_second = state->transfer.divisor = 1;
    timer_cancel(&card->timer);
    state->rate = 0;
    state->time_constant = 45; /* 4739 Hz, until it is said otherwise */
    state->block_size = 0xFFFF;
    state->arguments_wanted = state->argument_count = 0;
    state->speaker_on = state->midi = 0;
    state->identity = IDENTITY_FIRST;
    state->identity_count = 0;
    state->irq_pending &= SB16_IRQ_MIDI;
    sb16_update_irq(card);
    clear_answers(card);
    answer(card, 0xAA);
}
