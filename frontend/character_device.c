#define _GNU_SOURCE
#include "character_device.h"
#include "terminal_mode.h"
#include "unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_PATIENCE_MS 500

struct CharacterDevice {
    EventLoop *loop;
    CharacterKind kind;
    const char *label;
    char path[256];
    pthread_mutex_t lock; /* for 'output' */
    int input, output;    /* -1: nobody there */
    int listener;         /* server sockets; -1 otherwise */
    bool owns_files;      /* input and output are not the process's own */
    bool always_ready;    /* a file on disk; guests print byte by byte */
    bool restore_terminal;
    TerminalMode terminal;
    CharacterClient client;
};

static void set_output(CharacterDevice *device, int fd) {
    pthread_mutex_lock(&device->lock);
    device->output = fd;
    pthread_mutex_unlock(&device->lock);
}

static void accept_client(void *opaque, int fd);

static void drop_connection(CharacterDevice *device) {
    if (device->input < 0)
        return;
    event_loop_remove(device->loop, device->input);
    int fd = device->input;
    device->input = -1;
    if (device->kind != CHARACTER_SOCKET)
        return;
    set_output(device, -1);
    close(fd);
    if (device->listener >= 0)
        event_loop_add(device->loop, device->listener, accept_client, device);
}

static void read_input(void *opaque, int fd) {
    CharacterDevice *device = opaque;
    uint8_t bytes[4096];
    ssize_t count = read(fd, bytes, sizeof(bytes));
    if (count > 0) {
        if (device->client.received != NULL)
            device->client.received(device->client.opaque, bytes, (size_t)count);
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN && errno != EIO)) {
        drop_connection(device);
    } else if (errno == EIO) {
        /* A pseudo-terminal whose other end nobody holds open: do not spin on it. */
        usleep(10000);
    }
}

static bool start_reading(CharacterDevice *device, int fd) {
    device->input = fd;
    return event_loop_add(device->loop, fd, read_input, device);
}

static void take_connection(CharacterDevice *device, int fd) {
    if (!start_reading(device, fd)) {
        device->input = -1;
        close(fd);
        return;
    }
    set_output(device, fd);
    if (device->client.connected != NULL)
        device->client.connected(device->client.opaque);
}

/* One client at a time, as the line of a serial port has: until it goes, the next one waits in the
 * listener's queue. */
static void accept_client(void *opaque, int fd) {
    CharacterDevice *device = opaque;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    event_loop_remove(device->loop, fd);
    take_connection(device, client);
}

static bool open_socket(CharacterDevice *device, const CharacterSpec *spec, Error *error) {
    if (!spec->server) {
        int fd = unix_socket_connect(spec->path, error);
        if (fd >= 0)
            take_connection(device, fd);
        return fd >= 0;
    }
    device->listener = unix_socket_listen(spec->path, error);
    if (device->listener < 0)
        return false;
    if (!event_loop_add(device->loop, device->listener, accept_client, device))
        return error_set(error, "too many open connections");
    if (spec->wait) {
        fprintf(stderr, "reprise: %s waits for a connection to '%s'\n", device->label, spec->path);
        struct pollfd waited = {.fd = device->listener, .events = POLLIN};
        while (poll(&waited, 1, -1) < 0 && errno == EINTR) {
        }
        accept_client(device, device->listener);
    }
    return true;
}

static bool open_file(CharacterDevice *device, const CharacterSpec *spec, Error *error) {
    int mode = O_WRONLY | O_CREAT | O_CLOEXEC | (spec->append ? O_APPEND : O_TRUNC);
    device->output = open(spec->path, mode, 0666);
    if (device->output < 0)
        return error_set(error, "cannot write '%s': %s", spec->path, strerror(errno));
    struct stat info;
    device->always_ready = fstat(device->output, &info) == 0 && S_ISREG(info.st_mode);
    return true;
}

static bool open_stdio(CharacterDevice *device, const CharacterSpec *spec, Error *error) {
    device->owns_files = false;
    device->output = STDOUT_FILENO;
    if (isatty(STDIN_FILENO)) {
        terminal_mode_set_raw(&device->terminal, !spec->no_signals);
        device->restore_terminal = true;
    }
    return start_reading(device, STDIN_FILENO) || error_set(error, "too many open connections");
}

static bool open_pty(CharacterDevice *device, Error *error) {
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0) {
        if (fd >= 0)
            close(fd);
        return error_set(error, "cannot make a pseudo-terminal: %s", strerror(errno));
    }
    device->output = fd;
    if (ptsname_r(fd, device->path, sizeof(device->path)) == 0)
        printf("char device redirected to %s (label %s)\n", device->path, device->label);
    fflush(stdout);
    return start_reading(device, fd) || error_set(error, "too many open connections");
}

static bool open_kind(CharacterDevice *device, const CharacterSpec *spec, Error *error) {
    switch (spec->kind) {
    case CHARACTER_STDIO:
        return open_stdio(device, spec, error);
    case CHARACTER_FILE:
        return open_file(device, spec, error);
    case CHARACTER_SOCKET:
        return open_socket(device, spec, error);
    case CHARACTER_PTY:
        return open_pty(device, error);
    default:
        return true;
    }
}

CharacterDevice *character_device_open(EventLoop *loop, const CharacterSpec *spec,
                                       const char *label, Error *error) {
    CharacterDevice *device = calloc(1, sizeof(*device));
    device->loop = loop;
    device->kind = spec->kind;
    device->label = label;
    device->input = device->output = device->listener = -1;
    device->owns_files = true;
    memcpy(device->path, spec->path, sizeof(device->path));
    pthread_mutex_init(&device->lock, NULL);
    if (open_kind(device, spec, error))
        return device;
    error_prefix(error, "%s: ", label);
    character_device_close(device);
    return NULL;
}

void character_device_close(CharacterDevice *device) {
    if (device == NULL)
        return;
    if (device->restore_terminal)
        terminal_mode_restore(&device->terminal);
    if (device->input >= 0)
        event_loop_remove(device->loop, device->input);
    if (device->owns_files && device->output >= 0)
        close(device->output);
    if (device->listener >= 0) {
        event_loop_remove(device->loop, device->listener);
        close(device->listener);
        unlink(device->path);
    }
    pthread_mutex_destroy(&device->lock);
    free(device);
}

void character_device_set_client(CharacterDevice *device, const CharacterClient *client) {
    device->client = *client;
    if (device->input >= 0 && client->connected != NULL)
        client->connected(client->opaque);
}

static ssize_t write_some(CharacterDevice *device, const uint8_t *bytes, size_t size) {
    if (device->kind == CHARACTER_SOCKET)
        return send(device->output, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    return write(device->output, bytes, size);
}

static bool wait_for_room(const CharacterDevice *device) {
    struct pollfd ready = {.fd = device->output, .events = POLLOUT};
    int patience = device->kind == CHARACTER_PTY ? 0 : WRITE_PATIENCE_MS;
    return device->always_ready ||
           (poll(&ready, 1, patience) > 0 && (ready.revents & POLLOUT) != 0);
}

void character_device_write(CharacterDevice *device, const void *data, size_t size) {
    const uint8_t *bytes = data;
    pthread_mutex_lock(&device->lock);
    while (size > 0 && device->output >= 0) {
        if (!wait_for_room(device))
            break;
        ssize_t count = write_some(device, bytes, size);
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            break;
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
    }
    pthread_mutex_unlock(&device->lock);
}

bool character_device_is_terminal(const CharacterDevice *device) {
    return device->restore_terminal;
}

bool character_device_is_stdio(const CharacterDevice *device) {
    return device->kind == CHARACTER_STDIO;
}
