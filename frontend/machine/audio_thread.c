/* See audio_thread.h. */
#include "audio_thread.h"
#include "allocate.h"
#include "audio_renderer.h"

#include <pthread.h>
#include <stdlib.h>

#define WAITING_BYTES_MAX (16u << 20)

struct AudioThread {
    AudioSink sink;
    AudioRenderer *renderer;
    pthread_t thread;
    bool runs;
    /* Shared. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    ByteBuffer waiting;
    bool quit;
};

/* False: the end. */
static bool take(AudioThread *thread, ByteBuffer *events) {
    ByteBuffer empty = *events;
    empty.size = 0;
    pthread_mutex_lock(&thread->lock);
    while (thread->waiting.size == 0 && !thread->quit)
        pthread_cond_wait(&thread->changed, &thread->lock);
    *events = thread->waiting;
    thread->waiting = empty;
    pthread_cond_signal(&thread->changed);
    pthread_mutex_unlock(&thread->lock);
    return events->size > 0;
}

static void *render(void *opaque) {
    AudioThread *thread = opaque;
    ByteBuffer events = {.data = NULL};
    while (take(thread, &events))
        audio_renderer_process(thread->renderer, events.data, events.size);
    byte_buffer_free(&events);
    return NULL;
}

AudioThread *audio_thread_create(const AudioSink *sink) {
    AudioThread *thread = allocate_zeroed(sizeof *thread);
    thread->sink = *sink;
    pthread_mutex_init(&thread->lock, NULL);
    pthread_cond_init(&thread->changed, NULL);
    return thread;
}

/* Without a thread there is no sound, and the guest goes on. */
static bool begin(AudioThread *thread) {
    if (!thread->runs) {
        thread->renderer = audio_renderer_create(&thread->sink);
        thread->runs = pthread_create(&thread->thread, NULL, render, thread) == 0;
    }
    return thread->runs;
}

void audio_thread_post(void *opaque, ByteBuffer *events) {
    AudioThread *thread = opaque;
    if (begin(thread)) {
        pthread_mutex_lock(&thread->lock);
        while (thread->waiting.size > WAITING_BYTES_MAX)
            pthread_cond_wait(&thread->changed, &thread->lock);
        byte_buffer_append(&thread->waiting, events->data, events->size);
        pthread_cond_signal(&thread->changed);
        pthread_mutex_unlock(&thread->lock);
    }
    events->size = 0;
}

void audio_thread_destroy(AudioThread *thread) {
    if (thread == NULL)
        return;
    if (thread->runs) {
        pthread_mutex_lock(&thread->lock);
        thread->quit = true;
        pthread_cond_signal(&thread->changed);
        pthread_mutex_unlock(&thread->lock);
        pthread_join(thread->thread, NULL);
    }
    audio_renderer_destroy(thread->renderer);
    byte_buffer_free(&thread->waiting);
    pthread_cond_destroy(&thread->changed);
    pthread_mutex_destroy(&thread->lock);
    free(thread);
}
