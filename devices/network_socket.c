#include "network_socket.h"
#include "allocate.h"
#include "big_endian.h"
#include "host_file.h"
#include "host_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_BYTES = 4,
    FRAME_MAX = 4096 + 65536, /* QEMU's; a longer one means that the other end talks otherwise */
    READ_BYTES = 65536,
    OUT_BYTES = 1 << 20, /* that wait for the other end; what does not fit is lost */
    BURST = 16,          /* reads, or datagrams, at a time */
};

struct NetworkSocket {
    int listener, file; /* -1: none */
    int listener_place, place;
    bool is_datagrams, is_connecting;
    HostAddress peer; /* where datagrams go */
    NetworkHost *host;
    NetworkLink *link;
    ByteBuffer in, out;
    size_t in_first, out_first;
    char text[96];
};

/* ---- Sending ---- */

static void drop_connection(NetworkSocket *socket) {
    if (socket->file >= 0)
        close(socket->file);
    socket->file = -1;
    socket->in.size = socket->in_first = socket->out.size = socket->out_first = 0;
    socket->is_connecting = false;
    snprintf(socket->text, sizeof(socket->text), "not connected");
}

static void write_out(NetworkSocket *socket) {
    ByteBuffer *out = &socket->out;
    while (socket->file >= 0 && !socket->is_connecting && out->size > socket->out_first) {
        ssize_t sent = host_socket_send(socket->file, out->data + socket->out_first,
                                        out->size - socket->out_first);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent <= 0) {
            drop_connection(socket);
            return;
        }
        socket->out_first += (size_t)sent;
    }
    if (out->size == socket->out_first)
        out->size = socket->out_first = 0;
}

static void send_datagram(NetworkSocket *socket, const uint8_t *frame, size_t size) {
    ssize_t sent = host_socket_send_to(socket->file, frame, size, &socket->peer);
    (void)sent; /* what the host does not take is lost, as on any wire */
}

static void send_frame(void *opaque, const uint8_t *frame, size_t size) {
    NetworkSocket *socket = opaque;
    uint8_t header[HEADER_BYTES];
    if (socket->file < 0)
        return;
    if (socket->is_datagrams) {
        send_datagram(socket, frame, size);
        return;
    }
    ByteBuffer *out = &socket->out;
    if (out->size - socket->out_first + size + HEADER_BYTES > OUT_BYTES)
        return;
    if (socket->out_first > 0) {
        memmove(out->data, out->data + socket->out_first, out->size - socket->out_first);
        out->size -= socket->out_first;
        socket->out_first = 0;
    }
    store_be32(header, (uint32_t)size);
    byte_buffer_append(out, header, sizeof(header));
    byte_buffer_append(out, frame, size);
    write_out(socket);
    if (out->size > 0)
        network_host_touch(socket->host);
}

/* ---- Receiving ---- */

/* False: the cable takes no more at present. */
static bool deliver_frames(NetworkSocket *socket) {
    ByteBuffer *in = &socket->in;
    while (in->size - socket->in_first >= HEADER_BYTES) {
        const uint8_t *at = in->data + socket->in_first;
        size_t size = load_be32(at);
        if (size > FRAME_MAX) {
            drop_connection(socket);
            return true;
        }
        if (in->size - socket->in_first < HEADER_BYTES + size)
            break;
        if (!network_link_deliver(socket->link, at + HEADER_BYTES, size))
            return false;
        socket->in_first += HEADER_BYTES + size;
    }
    if (socket->in_first > 0)
        memmove(in->data, in->data + socket->in_first, in->size - socket->in_first);
    in->size -= socket->in_first;
    socket->in_first = 0;
    return true;
}

static bool would_wait(ssize_t size) {
    return size < 0 && (errno == EAGAIN || errno == EINTR);
}

static void read_stream(NetworkSocket *socket) {
    uint8_t bytes[READ_BYTES];
    for (unsigned i = 0; i < BURST && socket->file >= 0 && deliver_frames(socket); i++) {
        ssize_t size = host_socket_receive(socket->file, bytes, sizeof(bytes));
        if (would_wait(size))
            return;
        if (size <= 0) {
            drop_connection(socket);
            return;
        }
        byte_buffer_append(&socket->in, bytes, (size_t)size);
    }
}

/* One that finds no room waits in 'in', headed as in a stream. */
static void read_datagrams(NetworkSocket *socket) {
    uint8_t bytes[HEADER_BYTES + READ_BYTES];
    for (unsigned i = 0; i < BURST * 4 && deliver_frames(socket); i++) {
        ssize_t size = host_socket_receive(socket->file, bytes + HEADER_BYTES, READ_BYTES);
        if (size <= 0)
            return;
        store_be32(bytes, (uint32_t)size);
        byte_buffer_append(&socket->in, bytes, HEADER_BYTES + (size_t)size);
    }
}

static void receive(NetworkSocket *socket) {
    if (socket->is_datagrams)
        read_datagrams(socket);
    else
        read_stream(socket);
}

static void room(void *opaque) {
    NetworkSocket *socket = opaque;
    network_host_touch(socket->host);
}

/* ---- Waiting ---- */

static void set_stream(NetworkSocket *socket, int file, const char *what) {
    socket->file = file;
    host_file_set_nonblocking(file);
    host_socket_hurry(file);
    snprintf(socket->text, sizeof(socket->text), "%s", what);
}

static void accept_peer(NetworkSocket *socket) {
    int file = host_socket_accept(socket->listener);
    if (file >= 0)
        set_stream(socket, file, "connected");
}

static void fill(void *opaque, NetworkPollSet *set) {
    NetworkSocket *socket = opaque;
    socket->listener_place = socket->place = -1;
    if (socket->file < 0 && socket->listener >= 0)
        socket->listener_place = network_poll_set_add(set, socket->listener, HOST_POLL_INPUT);
    if (socket->file < 0)
        return;
    bool has_room = socket->is_connecting || deliver_frames(socket);
    bool waits_to_send = socket->is_connecting || socket->out.size > socket->out_first;
    if (socket->file >= 0 && (has_room || waits_to_send))
        socket->place = network_poll_set_add(
            set, socket->file,
            (short)((has_room ? HOST_POLL_INPUT : 0) | (waits_to_send ? HOST_POLL_OUTPUT : 0)));
}

static void finish_connecting(NetworkSocket *socket) {
    int problem = host_socket_take_failure(socket->file);
    socket->is_connecting = false;
    if (problem != 0)
        drop_connection(socket);
}

static void serve(void *opaque, const NetworkPollSet *set) {
    NetworkSocket *socket = opaque;
    if (socket->listener_place >= 0 && set->files[socket->listener_place].revents != 0)
        accept_peer(socket);
    if (socket->place < 0 || set->files[socket->place].revents == 0)
        return;
    if (socket->is_connecting)
        finish_connecting(socket);
    write_out(socket);
    if (socket->file >= 0 && (set->files[socket->place].revents &
                              (HOST_POLL_INPUT | HOST_POLL_CLOSED | HOST_POLL_ERROR)))
        receive(socket);
}

/* ---- Opening ---- */

static bool fail(const char *what, const char *text, Error *error) {
    return error_set(error, "cannot %s '%s': %s", what, text, strerror(errno));
}

static bool start_listening(NetworkSocket *socket, const char *text, Error *error) {
    HostAddress address;
    if (!host_socket_parse_address(text, &address, error))
        return false;
    socket->listener = host_socket_create(false, error);
    if (socket->listener < 0)
        return false;
    if (!host_socket_bind(socket->listener, &address) || !host_socket_listen(socket->listener))
        return fail("listen at", text, error);
    host_file_set_nonblocking(socket->listener);
    snprintf(socket->text, sizeof(socket->text), "listens at %.64s", text);
    return true;
}

static bool start_connecting(NetworkSocket *socket, const char *text, Error *error) {
    HostAddress address;
    if (!host_socket_parse_address(text, &address, error))
        return false;
    int file = host_socket_create(false, error);
    if (file < 0)
        return false;
    set_stream(socket, file, "connected");
    int begun = host_socket_begin_connect(file, &address);
    socket->is_connecting = begun > 0;
    return begun >= 0 || fail("connect to", text, error);
}

static bool bind_datagrams(NetworkSocket *socket, const HostAddress *address, const char *text,
                           Error *error) {
    socket->is_datagrams = true;
    socket->file = host_socket_create(true, error);
    if (socket->file < 0)
        return false;
    if (!host_socket_bind(socket->file, address))
        return fail("bind", text, error);
    host_file_set_nonblocking(socket->file);
    return true;
}

/* Everybody gets what everybody sends; also what this process itself sends, which QEMU's guests see
 * as well. */
static bool join_multicast(NetworkSocket *socket, const NetworkSocketOptions *options,
                           Error *error) {
    uint32_t by = 0;
    if (!host_socket_parse_address(options->multicast, &socket->peer, error))
        return false;
    if (socket->peer.address >> 28 != 0xE)
        return error_set(error, "'%s' is not the address of a group", options->multicast);
    if (options->local_address != NULL && !host_socket_parse_number(options->local_address, &by))
        return error_set(error, "localaddr=%s is no address", options->local_address);
    if (!bind_datagrams(socket, &socket->peer, options->multicast, error))
        return false;
    if (!host_socket_join_group(socket->file, socket->peer.address, by))
        return fail("join", options->multicast, error);
    snprintf(socket->text, sizeof(socket->text), "mcast=%.64s", options->multicast);
    return true;
}

static bool open_datagrams(NetworkSocket *socket, const NetworkSocketOptions *options,
                           Error *error) {
    HostAddress local;
    if (!host_socket_parse_address(options->udp, &socket->peer, error) ||
        !host_socket_parse_address(options->local_address, &local, error) ||
        !bind_datagrams(socket, &local, options->local_address, error))
        return false;
    snprintf(socket->text, sizeof(socket->text), "udp=%.64s", options->udp);
    return true;
}

static bool take_file(NetworkSocket *socket, const char *number, Error *error) {
    char *end;
    bool listens;
    long file = strtol(number, &end, 10);
    if (end == number || *end != '\0' || file < 0 ||
        !host_socket_examine((int)file, &listens, &socket->is_datagrams))
        return error_set(error, "fd=%s is no open socket", number);
    set_stream(socket, (int)file, "connected");
    return true;
}

static bool open_socket(NetworkSocket *socket, const NetworkSocketOptions *options, Error *error) {
    if (options->listen != NULL)
        return start_listening(socket, options->listen, error);
    if (options->connect != NULL)
        return start_connecting(socket, options->connect, error);
    if (options->multicast != NULL)
        return join_multicast(socket, options, error);
    if (options->udp != NULL)
        return open_datagrams(socket, options, error);
    return take_file(socket, options->file, error);
}

NetworkSocket *network_socket_create(const NetworkSocketOptions *options, NetworkHost *host,
                                     NetworkLink *link, Error *error) {
    NetworkSocket *socket = allocate_zeroed(sizeof(*socket));
    const NetworkBackEndPort port = {send_frame, room, socket};
    const NetworkHostClient client = {fill, serve, socket};
    socket->listener = socket->file = -1;
    socket->host = host;
    socket->link = link;
    if (!open_socket(socket, options, error)) {
        network_socket_destroy(socket);
        return NULL;
    }
    network_link_attach_back_end(link, &port);
    network_host_add(host, &client);
    return socket;
}

void network_socket_destroy(NetworkSocket *socket) {
    if (socket == NULL)
        return;
    network_host_remove(socket->host, socket);
    network_link_attach_back_end(socket->link, NULL);
    drop_connection(socket);
    if (socket->listener >= 0)
        close(socket->listener);
    byte_buffer_free(&socket->in);
    byte_buffer_free(&socket->out);
    free(socket);
}

void network_socket_print(const NetworkSocket *socket, ByteBuffer *text) {
    byte_buffer_print(text, "%s", socket->text);
}
