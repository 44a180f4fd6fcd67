#include "character_device.h"
#include "host_clock.h"
#include "host_file.h"
#include "host_poll.h"
#include "host_socket.h"
#include "host_terminal.h"
#include "telnet_filter.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_PATIENCE_MS 500
/* What may wait for a reader, and how many descriptors a message may bring. */
#define UNSENT_BYTES_MAX (16u << 20)
#define FILES_MAX 8

struct CharacterDevice {
    EventLoop *loop;
    CharacterKind kind;
    const char *label;
    char path[256];
    pthread_mutex_t lock; /* for 'output' */
    int input, output;    /* -1: nobody there */
    int listener;         /* server sockets; -1 otherwise */
    int other_end;        /* of a pseudo-terminal: held, so that it outlives who opens it */
    int log;              /* -1: none */
    CharacterSpec spec;
    ByteBuffer unsent;
    size_t unsent_start;
    int files[FILES_MAX]; /* that came with the last message */
    int file_count;
    bool owns_files;   /* input and output are not the process's own */
    bool always_ready; /* a file on disk; guests print byte by byte */
    bool restore_terminal;
    HostTerminal terminal;
    TelnetState telnet;
    CharacterClient client;
};

static void set_output(CharacterDevice *device, int fd) {
    pthread_mutex_lock(&device->lock);
    device->output = fd;
    pthread_mutex_unlock(&device->lock);
}

static void accept_client(void *opaque, int fd);

static void close_files(CharacterDevice *device) {
    for (int i = 0; i < device->file_count; i++)
        close(device->files[i]);
    device->file_count = 0;
}

static void drop_connection(CharacterDevice *device) {
    if (device->input < 0)
        return;
    device->unsent.size = device->unsent_start = 0;
    close_files(device);
    event_loop_remove(device->loop, device->input);
    int fd = device->input;
    device->input = -1;
    if (device->kind != CHARACTER_SOCKET)
        return;
    set_output(device, -1);
    close(fd);
    if (device->listener >= 0)
        event_loop_add(device->loop, device->listener, accept_client, device);
    if (device->client.disconnected != NULL)
        device->client.disconnected(device->client.opaque);
}

static ssize_t write_some(CharacterDevice *device, const uint8_t *bytes, size_t size) {
    if (device->kind == CHARACTER_SOCKET)
        return host_socket_send(device->output, bytes, size);
    return write(device->output, bytes, size);
}

/* Without waiting; what is left stays for the next time that there is room. */
static void send_unsent(CharacterDevice *device) {
    while (device->unsent_start < device->unsent.size) {
        ssize_t count = write_some(device, device->unsent.data + device->unsent_start,
                                   device->unsent.size - device->unsent_start);
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            drop_connection(device);
            return;
        }
        device->unsent_start += count > 0 ? (size_t)count : 0;
        if (count < 0)
            break;
    }
    bool all = device->unsent_start == device->unsent.size;
    if (all)
        device->unsent.size = device->unsent_start = 0;
    event_loop_set_events(device->loop, device->input, all ? EVENT_LOOP_INPUT : EVENT_LOOP_OUTPUT);
}

static void write_log(const CharacterDevice *device, const void *data, size_t size) {
    if (device->log < 0)
        return;
    ssize_t logged = write(device->log, data, size);
    (void)logged; /* a full disk is no reason to stop the guest */
}

void character_device_send(CharacterDevice *device, const void *data, size_t size) {
    if (device->kind != CHARACTER_SOCKET) {
        character_device_write(device, data, size);
        return;
    }
    write_log(device, data, size);
    if (device->output < 0)
        return;
    byte_buffer_append(&device->unsent, data, size);
    send_unsent(device);
    if (device->unsent.size - device->unsent_start > UNSENT_BYTES_MAX)
        drop_connection(device);
}

/* Descriptors come beside the bytes; those of an earlier message that nobody took are closed. */
static ssize_t receive_message(CharacterDevice *device, int fd, uint8_t *bytes, size_t size) {
    int files[FILES_MAX], came;
    ssize_t count = host_socket_receive_files(fd, bytes, size, files, FILES_MAX, &came);
    if (came > 0) {
        close_files(device);
        memcpy(device->files, files, (size_t)came * sizeof(int));
        device->file_count = came;
    }
    return count;
}

int character_device_take_file(CharacterDevice *device) {
    if (device->file_count == 0)
        return -1;
    int file = device->files[0];
    memmove(device->files, device->files + 1, (size_t)--device->file_count * sizeof(int));
    return file;
}

static void read_input(void *opaque, int fd) {
    CharacterDevice *device = opaque;
    uint8_t bytes[4096];
    if (device->unsent_start < device->unsent.size) {
        send_unsent(device);
        return;
    }
    ssize_t count = device->kind == CHARACTER_SOCKET
                        ? receive_message(device, fd, bytes, sizeof(bytes))
                        : read(fd, bytes, sizeof(bytes));
    if (count > 0) {
        size_t size = device->spec.is_telnet ? telnet_filter(&device->telnet, bytes, (size_t)count)
                                             : (size_t)count;
        if (device->client.received != NULL && size > 0)
            device->client.received(device->client.opaque, bytes, size);
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN && errno != EIO)) {
        drop_connection(device);
    } else if (errno == EIO) {
        /* A pseudo-terminal whose other end nobody holds open: do not spin on it. */
        host_clock_sleep_ns(10000000);
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
    device->telnet = TELNET_DATA;
    if (device->spec.is_telnet && device->spec.server)
        character_device_write(device, TELNET_GREETING, TELNET_GREETING_BYTES);
    if (device->client.connected != NULL)
        device->client.connected(device->client.opaque);
}

/* One client at a time, as the line of a serial port has: until it goes, the next one waits in the
 * listener's queue. */
static void accept_client(void *opaque, int fd) {
    CharacterDevice *device = opaque;
    int client = host_socket_accept(fd);
    if (client < 0)
        return;
    event_loop_remove(device->loop, fd);
    take_connection(device, client);
}

static int inherit_socket(const CharacterSpec *spec, Error *error) {
    bool listens, is_datagrams;
    if (!host_socket_examine(spec->fd, &listens, &is_datagrams))
        error_set(error, "descriptor %d is no open socket", spec->fd);
    else if (listens != spec->server)
        error_set(error, "the socket of descriptor %d %s", spec->fd,
                  listens ? "listens: server=on is missing" : "does not listen");
    else if (host_file_keep_private(spec->fd))
        return spec->fd;
    return -1;
}

static int make_socket(const CharacterSpec *spec, Error *error) {
    if (spec->is_tcp)
        return spec->server ? host_socket_listen_tcp(spec->host, spec->port, error)
                            : host_socket_connect_tcp(spec->host, spec->port, error);
    return spec->server ? host_socket_listen_unix(spec->path, error)
                        : host_socket_connect_unix(spec->path, error);
}

static bool open_socket(CharacterDevice *device, const CharacterSpec *spec, Error *error) {
    int fd = spec->has_fd ? inherit_socket(spec, error) : make_socket(spec, error);
    if (fd < 0)
        return false;
    if (!spec->server) {
        take_connection(device, fd);
        return true;
    }
    device->listener = fd;
    if (!event_loop_add(device->loop, device->listener, accept_client, device))
        return error_set(error, "too many open connections");
    if (spec->wait) {
        fprintf(stderr, "reprise: %s waits for a connection to '%s'\n", device->label,
                spec->is_tcp ? spec->port : spec->path);
        HostPoll waited = {.fd = device->listener, .events = HOST_POLL_INPUT};
        while (host_poll(&waited, 1, -1) < 0 && errno == EINTR) {
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
        host_terminal_set_raw(&device->terminal, !spec->no_signals);
        device->restore_terminal = true;
    }
    return start_reading(device, STDIN_FILENO) || error_set(error, "too many open connections");
}

static bool open_pty(CharacterDevice *device, Error *error) {
    /* As it comes: no echo, no line discipline between guest and terminal program. Both ends stay
     * open, so that somebody may come and go. */
    int fd = host_terminal_open_pair(device->path, sizeof(device->path), error);
    if (fd < 0)
        return false;
    device->output = fd;
    if (device->path[0] != '\0')
        printf("char device redirected to %s (label %s)\n", device->path, device->label);
    fflush(stdout);
    device->other_end = host_terminal_open_other(device->path);
    return start_reading(device, fd) || error_set(error, "too many open connections");
}

/* Only what a device sends is read: of a pipe or a file, "/dev/stdout" at times, the other end is
 * somebody else's. */
static bool open_tty(CharacterDevice *device, const CharacterSpec *spec, Error *error) {
    struct stat info;
    bool is_device = stat(spec->path, &info) == 0 && S_ISCHR(info.st_mode);
    int fd = open(spec->path, (is_device ? O_RDWR : O_WRONLY) | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, "cannot open '%s': %s", spec->path, strerror(errno));
    if (is_device)
        host_terminal_make_plain(fd);
    device->output = fd;
    return !is_device || start_reading(device, fd) || error_set(error, "too many open connections");
}

/* Both ways are open for both directions, so that no end is ever missed. */
static bool open_pipe(CharacterDevice *device, const CharacterSpec *spec, Error *error) {
    char in[264], out[264];
    snprintf(in, sizeof(in), "%s.in", spec->path);
    snprintf(out, sizeof(out), "%s.out", spec->path);
    int input = open(in, O_RDWR | O_CLOEXEC), output = open(out, O_RDWR | O_CLOEXEC);
    if (input < 0 || output < 0) {
        if (input >= 0)
            close(input);
        if (output >= 0)
            close(output);
        input = output = open(spec->path, O_RDWR | O_CLOEXEC);
    }
    if (input < 0)
        return error_set(error, "cannot open '%s.in' and '%s.out': %s (mkfifo makes them)",
                         spec->path, spec->path, strerror(errno));
    device->output = output;
    device->other_end = input != output ? input : -1;
    return start_reading(device, input) || error_set(error, "too many open connections");
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
    case CHARACTER_TTY:
        return open_tty(device, spec, error);
    case CHARACTER_PIPE:
        return open_pipe(device, spec, error);
    default:
        return true;
    }
}

static bool open_log(CharacterDevice *device, Error *error) {
    const char *path = device->spec.log_path;
    if (*path == '\0')
        return true;
    int mode = O_WRONLY | O_CREAT | O_CLOEXEC | (device->spec.log_append ? O_APPEND : O_TRUNC);
    device->log = open(path, mode, 0666);
    return device->log >= 0 || error_set(error, "cannot write '%s': %s", path, strerror(errno));
}

CharacterDevice *character_device_open(EventLoop *loop, const CharacterSpec *spec,
                                       const char *label, Error *error) {
    CharacterDevice *device = calloc(1, sizeof(*device));
    device->loop = loop;
    device->kind = spec->kind;
    device->label = spec->id != NULL ? spec->id : label;
    device->spec = *spec;
    device->input = device->output = device->listener = device->other_end = device->log = -1;
    device->owns_files = true;
    memcpy(device->path, spec->path, sizeof(device->path));
    pthread_mutex_init(&device->lock, NULL);
    if (open_log(device, error) && open_kind(device, spec, error))
        return device;
    error_prefix(error, "%s: ", label);
    character_device_close(device);
    return NULL;
}

void character_device_close(CharacterDevice *device) {
    if (device == NULL)
        return;
    if (device->restore_terminal)
        host_terminal_restore(&device->terminal);
    if (device->input >= 0)
        event_loop_remove(device->loop, device->input);
    if (device->owns_files && device->output >= 0)
        close(device->output);
    if (device->listener >= 0) {
        event_loop_remove(device->loop, device->listener);
        close(device->listener);
        if (!device->spec.is_tcp && !device->spec.has_fd)
            unlink(device->path);
    }
    if (device->other_end >= 0)
        close(device->other_end);
    if (device->log >= 0)
        close(device->log);
    close_files(device);
    byte_buffer_free(&device->unsent);
    pthread_mutex_destroy(&device->lock);
    free(device);
}

void character_device_set_client(CharacterDevice *device, const CharacterClient *client) {
    device->client = *client;
    if (device->input >= 0 && client->connected != NULL)
        client->connected(client->opaque);
}

static bool wait_for_room(const CharacterDevice *device) {
    HostPoll ready = {.fd = device->output, .events = HOST_POLL_OUTPUT};
    int patience = device->kind == CHARACTER_PTY ? 0 : WRITE_PATIENCE_MS;
    return device->always_ready ||
           (host_poll(&ready, 1, patience) > 0 && (ready.revents & HOST_POLL_OUTPUT) != 0);
}

void character_device_write(CharacterDevice *device, const void *data, size_t size) {
    const uint8_t *bytes = data;
    write_log(device, data, size);
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

const char *character_device_label(const CharacterDevice *device) {
    return device->label;
}

bool character_device_is_connected(const CharacterDevice *device) {
    return device->kind != CHARACTER_SOCKET || device->output >= 0;
}

static void describe_socket(const CharacterDevice *device, ByteBuffer *text) {
    const CharacterSpec *spec = &device->spec;
    byte_buffer_print(text, "%s", character_device_is_connected(device) ? "" : "disconnected:");
    if (spec->has_fd)
        byte_buffer_print(text, "unix:fd=%d", spec->fd);
    else if (spec->is_tcp)
        byte_buffer_print(text, "%s:%s:%s", spec->is_telnet ? "telnet" : "tcp", spec->host,
                          spec->port);
    else
        byte_buffer_print(text, "unix:%s", spec->path);
    byte_buffer_print(text, "%s", spec->server ? ",server=on" : "");
}

void character_device_describe(const CharacterDevice *device, ByteBuffer *text) {
    switch (device->kind) {
    case CHARACTER_SOCKET:
        describe_socket(device, text);
        break;
    case CHARACTER_PTY:
        byte_buffer_print(text, "pty:%s", device->path);
        break;
    case CHARACTER_FILE:
        byte_buffer_print(text, "file");
        break;
    case CHARACTER_TTY:
        byte_buffer_print(text, "%s", device->path);
        break;
    case CHARACTER_PIPE:
        byte_buffer_print(text, "pipe");
        break;
    case CHARACTER_STDIO:
        byte_buffer_print(text, "stdio");
        break;
    default:
        byte_buffer_print(text, "null");
        break;
    }
}
