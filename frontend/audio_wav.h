/* Sound as a WAV file. It begins with the first sound, and longer silence than a second is
 * shortened to one. At any moment the file is whole: its header tells of samples only once they
 * are written. */
#ifndef REPRISE_AUDIO_WAV_H
#define REPRISE_AUDIO_WAV_H

#include "audio_sink.h"
#include "error.h"

typedef struct AudioWav AudioWav;

AudioWav *audio_wav_open(const char *path, unsigned rate, unsigned channels, Error *error);
/* NULL is allowed. */
void audio_wav_close(AudioWav *wav);
AudioSink audio_wav_sink(AudioWav *wav);

#endif
