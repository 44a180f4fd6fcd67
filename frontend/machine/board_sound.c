/* Sound: the mixers behind -audiodev, and the cards that are heard there. */
#include "ac97.h"
#include "audio_mixer.h"
#include "audio_thread.h"
#include "board_parts.h"
#include "es1370.h"
#include "gameport.h"
#include "machine_parts.h"
#include "mpu401.h"
#include "opl3.h"
#include "sb16.h"

#define PORT_ADLIB 0x388
#define PORT_SB_MIDI 0x330
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

/* On the PCI bus, where it was asked for or the first free place. */
static unsigned find_slot(const Board *board, SoundKind kind) {
    enum { FIRST_SLOT = 3, SLOTS = 32 };
    unsigned slot = board->machine->config.sound[kind].slot;
    if (slot != 0)
        return slot;
    for (slot = FIRST_SLOT; slot < SLOTS - 1 && pci_bus_device(board->pci, slot, 0) != NULL;)
        slot++;
    return slot;
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
                           .fm = opl3_voice(board->opl),
                           .midi = board->machine->config.midi};
    for (unsigned i = 0; i < SB16_IRQS; i++)
        options.irqs[i] = irq_lines_input(board->irq_lines, IRQ_SOURCE_SOUND, irqs[i]);
    board->sb16 = sb16_create(&context, &options, error);
    return board->sb16 != NULL;
}

/* A Sound Blaster has one at 330h, whose interrupts come over the card's line. */
static bool create_midi(Board *board, Error *error) {
    const SoundConfig *config = &board->machine->config.sound[SOUND_MPU401];
    DeviceContext context = board_context(board);
    Wire irq = {sb16_set_midi_irq, board->sb16, 0};
    uint16_t port = PORT_SB_MIDI;
    if (config->present) {
        irq = irq_lines_input(board->irq_lines, IRQ_SOURCE_SOUND, config->irq);
        port = config->port;
    }
    board->midi = mpu401_create(&context, port, &irq, &board->machine->config.midi, error);
    return board->midi != NULL;
}

static bool create_ac97(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    board->ac97 = ac97_create(&context, board->pci, find_slot(board, SOUND_AC97),
                              board_mixer(board, SOUND_AC97), error);
    return board->ac97 != NULL;
}

static bool create_es1370(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    board->es1370 = es1370_create(&context, board->pci, find_slot(board, SOUND_ES1370),
                                  board_mixer(board, SOUND_ES1370), error);
    return board->es1370 != NULL;
}

static bool create_gameport(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    board->gameport = gameport_create(&context, error);
    for (unsigned i = 0; board->gameport != NULL && i < board->machine->config.joysticks * 2; i++)
        gameport_set_axis(board->gameport, i, GAMEPORT_CENTER);
    return board->gameport != NULL;
}

void board_joystick(Board *board, uint32_t control, int32_t value) {
    if (board->gameport == NULL)
        return;
    if (control < GAMEPORT_AXES)
        gameport_set_axis(board->gameport, control, value);
    else
        gameport_set_button(board->gameport, control - GAMEPORT_AXES, value != 0);
}

/* Beside a Sound Blaster there is no AdLib: it is one. */
bool board_create_sound(Board *board, Error *error) {
    const SoundConfig *sound = board->machine->config.sound;
    bool adlib = sound[SOUND_ADLIB].present && !sound[SOUND_SB16].present;
    return (!sound[SOUND_SB16].present || create_sb16(board, error)) &&
           ((!sound[SOUND_SB16].present && !sound[SOUND_MPU401].present) ||
            create_midi(board, error)) &&
           (!board->machine->config.has_gameport || create_gameport(board, error)) &&
           (!adlib || create_opl(board, SOUND_ADLIB, error)) &&
           (!sound[SOUND_AC97].present || create_ac97(board, error)) &&
           (!sound[SOUND_ES1370].present || create_es1370(board, error));
}

void board_destroy_sound(Board *board) {
    gameport_destroy(board->gameport);
    es1370_destroy(board->es1370);
    ac97_destroy(board->ac97);
    mpu401_destroy(board->midi);
    sb16_destroy(board->sb16);
    opl3_destroy(board->opl);
}
