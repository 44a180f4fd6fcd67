#define _GNU_SOURCE
#include "network_socket.h"
#include "allocate.h"
#include "big_endian.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
    struct sockaddr_in peer; /* where datagrams go */
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
        ssize_t sent = send(socket->file, out->data + socket->out_first,
                            out->size - socket->out_first, MSG_NOSIGNAL | MSG_DONTWAIT);
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
    ssize_t sent = socket->peer.sin_family != 0
                       ? sendto(socket->file, frame, size, MSG_DONTWAIT,
                                (struct sockaddr *)&socket->peer, sizeof(socket->peer))
                       : send(socket->file, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL);
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
        ssize_t size = recv(socket->file, bytes, sizeof(bytes), MSG_DONTWAIT);
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
        ssize_t size = recv(socket->file, bytes + HEADER_BYTES, READ_BYTES, MSG_DONTWAIT);
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
    int on = 1;
    socket->file = file;
    fcntl(file, F_SETFL, O_NONBLOCK);
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    snprintf(socket->text, sizeof(socket->text), "%s", what);
}

static void accept_peer(NetworkSocket *socket) {
    int file = accept4(socket->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (file >= 0)
        set_stream(socket, file, "connected");
}

static void fill(void *opaque, NetworkPollSet *set) {
    NetworkSocket *socket = opaque;
    socket->listener_place = socket->place = -1;
    if (socket->file < 0 && socket->listener >= 0)
        socket->listener_place = network_poll_set_add(set, socket->listener, POLLIN);
    if (socket->file < 0)
        return;
    bool has_room = socket->is_connecting || deliver_frames(socket);
    bool waits_to_send = socket->is_connecting || socket->out.size > socket->out_first;
    if (socket->file >= 0 && (has_room || waits_to_send))
        socket->place = network_poll_set_add(
            set, socket->file, (short)((has_room ? POLLIN : 0) | (waits_to_send ? POLLOUT : 0)));
}

static void finish_connecting(NetworkSocket *socket) {
    int problem = 0;
    socklen_t size = sizeof(problem);
    getsockopt(socket->file, SOL_SOCKET, SO_ERROR, &problem, &size);
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
    if (socket->file >= 0 && (set->files[socket->place].revents & (POLLIN | POLLHUP | POLLERR)))
        receive(socket);
}

/* ---- Opening ---- */

/* "host:port"; without a host any address. */
static bool parse_address(const char *text, struct sockaddr_in *address, Error *error) {
    char host[128];
    const char *colon = strrchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    if (colon == NULL || length >= sizeof(host))
        return error_set(error, "'%s' is no address such as 127.0.0.1:1234", text);
    memcpy(host, text, length);
    host[length] = '\0';
    struct addrinfo hints = {.ai_family = AF_INET, .ai_flags = AI_PASSIVE}, *found = NULL;
    int result = getaddrinfo(length > 0 ? host : NULL, colon + 1, &hints, &found);
    if (result != 0)
        return error_set(error, "'%s': %s", text, gai_strerror(result));
    memcpy(address, found->ai_addr, sizeof(*address));
    freeaddrinfo(found);
    return true;
}

static int new_socket(int type, Error *error) {
    int file = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;
    if (file < 0)
        error_set(error, "no socket: %s", strerror(errno));
    else
        setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return file;
}

static bool fail(const char *what, const char *text, Error *error) {
    return error_set(error, "cannot %s '%s': %s", what, text, strerror(errno));
}

static bool start_listening(NetworkSocket *socket, const char *text, Error *error) {
    struct sockaddr_in address;
    if (!parse_address(text, &address, error))
        return false;
    socket->listener = new_socket(SOCK_STREAM, error);
    if (socket->listener < 0)
        return false;
    if (bind(socket->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(socket->listener, 1) < 0)
        return fail("listen at", text, error);
    fcntl(socket->listener, F_SETFL, O_NONBLOCK);
    snprintf(socket->text, sizeof(socket->text), "listens at %.64s", text);
    return true;
}

static bool start_connecting(NetworkSocket *socket, const char *text, Error *error) {
    struct sockaddr_in address;
    if (!parse_address(text, &address, error))
        return false;
    int file = new_socket(SOCK_STREAM, error);
    if (file < 0)
        return false;
    set_stream(socket, file, "connected");
    if (connect(file, (struct sockaddr *)&address, sizeof(address)) == 0)
        return true;
    socket->is_connecting = errno == EINPROGRESS;
    return socket->is_connecting || fail("connect to", text, error);
}

static bool bind_datagrams(NetworkSocket *socket, const struct sockaddr_in *address,
                           const char *text, Error *error) {
    socket->is_datagrams = true;
    socket->file = new_socket(SOCK_DGRAM, error);
    if (socket->file < 0)
        return false;
    if (bind(socket->file, (const struct sockaddr *)address, sizeof(*address)) < 0)
        return fail("bind", text, error);
    fcntl(socket->file, F_SETFL, O_NONBLOCK);
    return true;
}

/* Everybody gets what everybody sends; also what this process itself sends, which QEMU's guests see
 * as well. */
static bool join_multicast(NetworkSocket *socket, const NetworkSocketOptions *options,
                           Error *error) {
    struct ip_mreq group = {.imr_interface = {.s_addr = INADDR_ANY}};
    if (!parse_address(options->multicast, &socket->peer, error))
        return false;
    if (!IN_MULTICAST(ntohl(socket->peer.sin_addr.s_addr)))
        return error_set(error, "'%s' is not the address of a group", options->multicast);
    if (options->local_address != NULL &&
        inet_pton(AF_INET, options->local_address, &group.imr_interface) != 1)
        return error_set(error, "localaddr=%s is no address", options->local_address);
    if (!bind_datagrams(socket, &socket->peer, options->multicast, error))
        return false;
    group.imr_multiaddr = socket->peer.sin_addr;
    if (setsockopt(socket->file, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
        return fail("join", options->multicast, error);
    if (options->local_address != NULL)
        setsockopt(socket->file, IPPROTO_IP, IP_MULTICAST_IF, &group.imr_interface,
                   sizeof(group.imr_interface));
    snprintf(socket->text, sizeof(socket->text), "mcast=%.64s", options->multicast);
    return true;
}

static bool open_datagrams(NetworkSocket *socket, const NetworkSocketOptions *options,
                           Error *error) {
    struct sockaddr_in local;
    if (!parse_address(options->udp, &socket->peer, error) ||
        !parse_address(options->local_address, &local, error) ||
        !bind_datagrams(socket, &local, options->local_address, error))
        return false;
    snprintf(socket->text, sizeof(socket->text), "udp=%.64s", options->udp);
    return true;
}

static bool take_file(NetworkSocket *socket, const char *number, Error *error) {
    char *end;
    int type = 0;
    socklen_t size = sizeof(type);
    long file = strtol(number, &end, 10);
    if (end == number || *end != '\0' || file < 0 ||
        getsockopt((int)file, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return error_set(error, "fd=%s is no open socket", number);
    socket->is_datagrams = type == SOCK_DGRAM;
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
