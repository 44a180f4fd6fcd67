#include "gdb_server.h"
#include "host_file.h"
#include "host_poll.h"
#include "host_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A debugger that takes no bytes for so long is gone. */
#define SEND_PATIENCE_MS 5000

static void accept_debugger(void *opaque, int fd);

static void send_bytes(void *opaque, const void *bytes, size_t size) {
    GdbServer *server = opaque;
    const uint8_t *at = bytes;
    while (size > 0) {
        HostPoll ready = {.fd = server->output, .events = HOST_POLL_OUTPUT};
        if (host_poll(&ready, 1, SEND_PATIENCE_MS) <= 0)
            return;
        ssize_t count = server->standard ? write(server->output, at, size)
                                         : host_socket_send(server->output, at, size);
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return;
        if (count > 0) {
            at += count;
            size -= (size_t)count;
        }
    }
}

static void run_command(void *opaque, const char *line, ByteBuffer *output) {
    GdbServer *server = opaque;
    monitor_run_line(&server->monitor, line);
    byte_buffer_append(output, server->monitor.output.data, server->monitor.output.size);
    server->monitor.output.size = 0;
}

static void quit(void *opaque) {
    GdbServer *server = opaque;
    server->monitor_host->quit(server->monitor_host->quit_opaque);
}

static void drop_debugger(GdbServer *server) {
    gdb_stub_destroy(server->stub);
    server->stub = NULL;
    if (server->input < 0)
        return;
    event_loop_remove(server->loop, server->input);
    if (!server->standard)
        close(server->input);
    server->input = server->output = -1;
    if (server->listener >= 0)
        event_loop_add(server->loop, server->listener, accept_debugger, server);
}

static void read_debugger(void *opaque, int fd) {
    GdbServer *server = opaque;
    uint8_t bytes[4096];
    ssize_t count = server->standard ? read(fd, bytes, sizeof(bytes))
                                     : host_socket_receive(fd, bytes, sizeof(bytes));
    if (count > 0)
        gdb_stub_receive(server->stub, bytes, (size_t)count);
    else if (count == 0 || (errno != EINTR && errno != EAGAIN))
        drop_debugger(server);
}

static bool take_debugger(GdbServer *server, int input, int output) {
    GdbHost host = {server->monitor_host->machine, send_bytes, run_command, quit, server};
    server->input = input;
    server->output = output;
    server->stub = gdb_stub_create(&host);
    if (server->stub != NULL && event_loop_add(server->loop, input, read_debugger, server))
        return true;
    drop_debugger(server);
    return false;
}

/* The next one waits in the listener's queue until this one goes. */
static void accept_debugger(void *opaque, int fd) {
    GdbServer *server = opaque;
    int client = host_socket_accept(fd);
    if (client < 0)
        return;
    host_socket_hurry(client);
    event_loop_remove(server->loop, fd);
    take_debugger(server, client, client);
}

/* "[HOST]:PORT". Nobody listens to the world who did not say so. */
static int listen_tcp(const char *text, Error *error) {
    char host[256];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof(host)) {
        error_set(error, "tcp: wants [HOST]:PORT, not '%s'", text);
        return -1;
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    return host_socket_listen_tcp(host, colon + 1, error);
}

static int listen_unix(GdbServer *server, const char *path, Error *error) {
    int fd = host_socket_listen_unix(path, error);
    if (fd >= 0)
        snprintf(server->path, sizeof(server->path), "%s", path);
    return fd;
}

/* Without what QEMU's character devices take: that it listens and does not wait is so anyway. */
static bool cut_flags(char *address, Error *error) {
    static const char *const flags[] = {",server=on", ",wait=off", ",nowait", ",server",
                                        ",nodelay"};
    char *comma = strchr(address, ',');
    while (comma != NULL && *comma != '\0') {
        size_t i = 0, count = sizeof(flags) / sizeof(flags[0]);
        while (i < count && strncmp(comma, flags[i], strlen(flags[i])) != 0)
            i++;
        if (i == count)
            return error_set(error, "unknown setting '%s'", comma + 1);
        *comma = '\0';
        comma += strlen(flags[i]);
    }
    return true;
}

bool gdb_server_open(GdbServer *server, EventLoop *loop, const MonitorHost *monitor_host,
                     const char *address, Error *error) {
    char text[256];
    *server = (GdbServer){.loop = loop, .monitor_host = monitor_host};
    server->listener = server->input = server->output = -1;
    monitor_init(&server->monitor, monitor_host, NULL);
    snprintf(text, sizeof(text), "%s", address);
    bool good = cut_flags(text, error);
    if (good && strcmp(text, "stdio") == 0) {
        server->standard = true;
        good = take_debugger(server, STDIN_FILENO, STDOUT_FILENO) ||
               error_set(error, "too many open connections");
    } else if (good) {
        server->listener = strncmp(text, "tcp:", 4) == 0    ? listen_tcp(text + 4, error)
                           : strncmp(text, "unix:", 5) == 0 ? listen_unix(server, text + 5, error)
                                                            : -1;
        good = server->listener >= 0;
        if (!good)
            error_set(error, "an address is tcp:[HOST]:PORT, unix:PATH or stdio, not '%s'", text);
        else if (!event_loop_add(loop, server->listener, accept_debugger, server))
            good = error_set(error, "too many open connections");
    }
    if (!good)
        gdb_server_close(server);
    return good;
}

void gdb_server_close(GdbServer *server) {
    if (!gdb_server_is_open(server))
        return;
    int listener = server->listener;
    server->listener = -1;
    drop_debugger(server);
    if (listener >= 0) {
        event_loop_remove(server->loop, listener);
        close(listener);
    }
    if (server->path[0] != '\0')
        unlink(server->path);
    monitor_destroy(&server->monitor);
    server->loop = NULL;
}

void gdb_server_update(GdbServer *server) {
    if (server->stub != NULL)
        gdb_stub_update(server->stub);
}
