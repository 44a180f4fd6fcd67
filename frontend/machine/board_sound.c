/* Sound: the mixers behind -audiodev, and the cards that are heard there. */
#include "audio_mixer.h"
#include "audio_thread.h"
#include "board_parts.h"
#include "machine_parts.h"

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

bool board_create_sound(Board *board, Error *error) {
    const SoundConfig *sound = board->machine->config.sound;
    if (sound[SOUND_SB16].present || sound[SOUND_ADLIB].present)
        return error_set(error, "sound cards are not in this version");
    return true;
}

void board_destroy_sound(Board *board) {
    (void)board;
}
