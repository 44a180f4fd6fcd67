/* A thread that renders sound, so that the machine's own has nothing to do with it but to say what
 * happened: it waits for neither the file nor the speaker. */
#ifndef REPRISE_AUDIO_THREAD_H
#define REPRISE_AUDIO_THREAD_H

#include "audio_sink.h"
#include "byte_buffer.h"

typedef struct AudioThread AudioThread;

/* The thread itself begins with the first events. */
AudioThread *audio_thread_create(const AudioSink *sink);
/* Renders what is left. NULL is allowed. */
void audio_thread_destroy(AudioThread *thread);

/* For audio_mixer_create(). A sink that is not done with the sound of the last minute makes the
 * machine wait, rather than fill the host's memory. */
void audio_thread_post(void *thread, ByteBuffer *events);

#endif
