/* Character devices: the host's end of a serial port or monitor. Bytes out may be written by any
 * thread; bytes in and connections are reported on the main thread, by the event loop. */
#ifndef REPRISE_CHARACTER_DEVICE_H
#define REPRISE_CHARACTER_DEVICE_H

#include "byte_buffer.h"
#include "character_spec.h"
#include "event_loop.h"
#include <stddef.h>
#include <stdint.h>

typedef struct CharacterDevice CharacterDevice;

typedef struct CharacterClient {
    void (*received)(void *opaque, const uint8_t *data, size_t size);
    void (*connected)(void *opaque);    /* somebody is at the other end now; may be NULL */
    void (*disconnected)(void *opaque); /* and went away; may be NULL */
    void *opaque;
} CharacterClient;

/* Opens what 'spec' says; NULL on error. 'label' is for messages ("serial0"). A server socket with
 * 'wait' returns when its first client is there. */
CharacterDevice *character_device_open(EventLoop *loop, const CharacterSpec *spec,
                                       const char *label, Error *error);
/* Closes it, gives the terminal its settings back and removes a socket's file. NULL is allowed. */
void character_device_close(CharacterDevice *device);

/* Whoever takes the bytes that come in. Reports a connection that stands already. */
void character_device_set_client(CharacterDevice *device, const CharacterClient *client);

/* Sends bytes. Where the other end does not take them within a moment they are dropped, so that no
 * guest and no monitor ever hangs on a reader that went away. */
void character_device_write(CharacterDevice *device, const void *data, size_t size);

/* Sends all of the bytes, sooner or later: what the other end does not take at once waits, and
 * until it has gone nothing more is read from there. Who lets too much wait is hung up on. For the
 * main thread, and devices that nobody else writes to. */
void character_device_send(CharacterDevice *device, const void *data, size_t size);

/* The descriptor that came with the last bytes through a unix socket, the oldest first; the caller
 * closes it. -1: none. */
int character_device_take_file(CharacterDevice *device);

const char *character_device_label(const CharacterDevice *device);
/* As 'info chardev' and QMP describe it: "pty:/dev/pts/3", "unix:/tmp/socket,server=on". */
void character_device_describe(const CharacterDevice *device, ByteBuffer *text);
bool character_device_is_connected(const CharacterDevice *device);

/* A terminal shows what is typed only if we echo it. */
bool character_device_is_terminal(const CharacterDevice *device);
/* The process's own standard input and output: its lines end as the host's do. */
bool character_device_is_stdio(const CharacterDevice *device);

#endif
