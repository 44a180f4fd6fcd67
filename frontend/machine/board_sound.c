/* Sound: the mixers behind -audiodev, and the cards that are heard there. */
#include "audio_mixer.h"
#include "audio_thread.h"
#include "board_parts.h"
#include "machine_parts.h"
#include "opl3.h"
#include "sb16.h"

#define PORT_ADLIB 0x388
#define PORT_SB_FM 8 /* from a Sound Blaster's base */

void board_create_mixers(Board *board) {
    for (unsigned i = 0; i < MACHINE_AUDIO_SINKS; i++) {
        const AudioSink *sink = &board->machine->config.audio[i];
        if (sink->rate == 0)
            continue;
        board->audio_thread[i] = audio_thread_create(sink);
        board->mixer[i] =
            audio_mixer_create(&board->machine->clock, audio_thread_post, board->audio_thread[i]);
    }
}

AudioMixer *board_mixer(const Board *board, SoundKind kind) {
    const SoundConfig *config = &board->machine->config.sound[kind];
    return config->is_heard ? board->mixer[config->audio] : NULL;
}

void board_flush_mixers(Board *board) {
    for (unsigned i = 0; i < MACHINE_AUDIO_SINKS; i++) {
        if (board->mixer[i] != NULL)
            audio_mixer_flush(board->mixer[i]);
    }
}

void board_destroy_mixers(Board *board) {
    for (unsigned i = 0; i < MACHINE_AUDIO_SINKS; i++) {
        audio_mixer_destroy(board->mixer[i]);
        audio_thread_destroy(board->audio_thread[i]);
    }
}

/* The FM synthesizer answers where the AdLib card did, and within a Sound Blaster's ports. */
static bool create_opl(Board *board, SoundKind kind, Error *error) {
    DeviceContext context = board_context(board);
    uint16_t port = board->machine->config.sound[kind].port;
    const Opl3Options options = {
        .id = kind == SOUND_SB16 ? "sb16-opl" : "adlib",
        .places = {{PORT_ADLIB, false}, {port, false}, {(uint16_t)(port + PORT_SB_FM), true}},
        .place_count = port == PORT_ADLIB ? 1 : 3,
        .mixer = board_mixer(board, kind)};
    board->opl = opl3_create(&context, &options, error);
    return board->opl != NULL;
}

static bool create_sb16(Board *board, Error *error) {
    static const uint8_t irqs[SB16_IRQS] = {9, 5, 7, 10};
    const SoundConfig *config = &board->machine->config.sound[SOUND_SB16];
    DeviceContext context = board_context(board);
    if (!create_opl(board, SOUND_SB16, error))
        return false;
    Sb16Options options = {.port = config->port,
                           .version = config->version,
                           .irq = config->irq,
                           .dma = config->dma,
                           .dma16 = config->dma16,
                           .dma_controller = board->dma,
                           .mixer = board_mixer(board, SOUND_SB16),
                           .fm = opl3_voice(board->opl)};
    for (unsigned i = 0; i < SB16_IRQS; i++)
        options.irqs[i] = irq_lines_input(board->irq_lines, IRQ_SOURCE_SOUND, irqs[i]);
    board->sb16 = sb16_create(&context, &options, error);
    return board->sb16 != NULL;
}

/* Beside a Sound Blaster there is no AdLib: it is one. */
bool board_create_sound(Board *board, Error *error) {
    const SoundConfig *sound = board->machine->config.sound;
    if (sound[SOUND_SB16].present)
        return create_sb16(board, error);
    return !sound[SOUND_ADLIB].present || create_opl(board, SOUND_ADLIB, error);
}

void board_destroy_sound(Board *board) {
    sb16_destroy(board->sb16);
    opl3_destroy(board->opl);
}
