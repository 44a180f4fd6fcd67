/* Sockets of every host; what is special about some stands in host_socket_posix.c and
 * host_socket_windows.c. */
#define _GNU_SOURCE /* accept4() */
#include "host_socket.h"
#include "host_socket_system.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BACKLOG = 8 };

static void set_option(int file, int level, int name, int value) {
    setsockopt(host_socket_of(file), level, name, (const void *)&value, sizeof(value));
}

/* False: errno. */
static bool get_option(int file, int name, int *value) {
    socklen_t size = sizeof(*value);
    *value = 0;
    if (getsockopt(host_socket_of(file), SOL_SOCKET, name, (void *)value, &size) == 0)
        return true;
    host_socket_note_failure();
    return false;
}

static int new_socket(int family, int type) {
    host_socket_prepare();
#ifdef SOCK_CLOEXEC
    type |= SOCK_CLOEXEC;
#endif
    return host_socket_adopt(socket(family, type, 0));
}

static bool bind_to(int file, const void *address, size_t size) {
    if (bind(host_socket_of(file), address, (socklen_t)size) == 0)
        return true;
    host_socket_note_failure();
    return false;
}

static bool connect_to(int file, const void *address, size_t size) {
    if (connect(host_socket_of(file), address, (socklen_t)size) == 0)
        return true;
    host_socket_note_failure();
    return false;
}

bool host_socket_listen(int file) {
    if (listen(host_socket_of(file), BACKLOG) == 0)
        return true;
    host_socket_note_failure();
    return false;
}

/* ---- TCP ---- */

static struct addrinfo *resolve(const char *host, const char *port, int flags, Error *error) {
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found = NULL;
    host_socket_prepare();
    int failure = getaddrinfo(*host != '\0' ? host : "127.0.0.1", port, &wanted, &found);
    if (failure == 0)
        return found;
    error_set(error, "there is no address '%s:%s': %s", host, port, gai_strerror(failure));
    return NULL;
}

static bool start_listening(int fd, const struct addrinfo *address) {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return bind_to(fd, address->ai_addr, address->ai_addrlen) && host_socket_listen(fd);
}

static bool start_connection(int fd, const struct addrinfo *address) {
    return connect_to(fd, address->ai_addr, address->ai_addrlen);
}

static bool begin_connection(int fd, const struct addrinfo *address) {
    return host_file_set_nonblocking(fd) &&
           (connect_to(fd, address->ai_addr, address->ai_addrlen) || errno == EINPROGRESS);
}

/* The first address that works. */
static int open_any(const char *host, const char *port, int flags,
                    bool (*start)(int fd, const struct addrinfo *address), const char *what,
                    Error *error) {
    struct addrinfo *addresses = resolve(host, port, flags, error);
    int fd = -1, reason = EADDRNOTAVAIL;
    if (addresses == NULL)
        return -1;
    for (const struct addrinfo *one = addresses; one != NULL && fd < 0; one = one->ai_next) {
        fd = new_socket(one->ai_family, SOCK_STREAM);
        if (fd >= 0)
            host_socket_hurry(fd);
        if (fd >= 0 && start(fd, one))
            break;
        reason = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(addresses);
    if (fd < 0)
        error_set(error, "cannot %s '%s:%s': %s", what, host, port, strerror(reason));
    return fd;
}

int host_socket_listen_tcp(const char *host, const char *port, Error *error) {
    return open_any(host, port, AI_PASSIVE, start_listening, "listen at", error);
}

int host_socket_connect_tcp(const char *host, const char *port, Error *error) {
    return open_any(host, port, 0, start_connection, "connect to", error);
}

int host_socket_begin_connect_tcp(const char *host, const char *port, Error *error) {
    return open_any(host, port, 0, begin_connection, "connect to", error);
}

/* ---- UNIX sockets ---- */

size_t host_socket_unix_path_bytes(void) {
    return sizeof(((struct sockaddr_un *)0)->sun_path);
}

static bool make_address(struct sockaddr_un *address, const char *path, Error *error) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path))
        return error_set(error, "the socket's path '%.40s...' is longer than %zu bytes", path,
                         sizeof(address->sun_path) - 1);
    strcpy(address->sun_path, path);
    return true;
}

static int fail(int fd, const char *what, const char *path, Error *error) {
    error_set(error, "cannot %s '%s': %s", what, path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* A socket file that nobody answers is a leftover of a process that was killed. */
static void remove_leftover(const struct sockaddr_un *address) {
    struct stat info;
    if (stat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
        return;
    int probe = new_socket(AF_UNIX, SOCK_STREAM);
    if (probe < 0)
        return;
    if (!connect_to(probe, address, sizeof(*address)) && errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(probe);
}

int host_socket_listen_unix(const char *path, Error *error) {
    struct sockaddr_un address;
    if (!make_address(&address, path, error))
        return -1;
    remove_leftover(&address);
    int fd = new_socket(AF_UNIX, SOCK_STREAM);
    if (fd < 0 || !host_socket_close_path(fd) || !bind_to(fd, &address, sizeof(address)) ||
        !host_socket_listen(fd))
        return fail(fd, "listen at", path, error);
    return fd;
}

int host_socket_connect_unix(const char *path, Error *error) {
    struct sockaddr_un address;
    if (!make_address(&address, path, error))
        return -1;
    int fd = new_socket(AF_UNIX, SOCK_STREAM);
    if (fd < 0 || !connect_to(fd, &address, sizeof(address)))
        return fail(fd, "connect to", path, error);
    return fd;
}

/* ---- Connections ---- */

int host_socket_accept(int listener) {
#ifdef SOCK_CLOEXEC
    return host_socket_adopt(accept4(host_socket_of(listener), NULL, NULL, SOCK_CLOEXEC));
#else
    return host_socket_adopt(accept(host_socket_of(listener), NULL, NULL));
#endif
}

int host_socket_take_failure(int file) {
    int failure;
    return get_option(file, SO_ERROR, &failure) ? failure : errno;
}

void host_socket_hurry(int file) {
    set_option(file, IPPROTO_TCP, TCP_NODELAY, 1);
}

void host_socket_set_patience(int file, int milliseconds) {
    set_option(file, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_USER_TIMEOUT
    set_option(file, IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds);
#else
    (void)milliseconds;
#endif
}

static bool is_loopback(const struct sockaddr_storage *peer) {
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)peer;
    const struct sockaddr_in *four = (const struct sockaddr_in *)peer;
    return peer->ss_family == AF_UNIX ||
           (peer->ss_family == AF_INET && ntohl(four->sin_addr.s_addr) >> 24 == 127) ||
           (peer->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr));
}

bool host_socket_has_peer(int file, bool *is_local) {
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(peer);
    bool connected = getpeername(host_socket_of(file), (struct sockaddr *)&peer, &size) == 0;
    *is_local = connected && is_loopback(&peer);
    return connected;
}

bool host_socket_examine(int file, bool *listens, bool *is_datagrams) {
    int type = 0, accepts = 0;
    if (!get_option(file, SO_TYPE, &type))
        return false;
    get_option(file, SO_ACCEPTCONN, &accepts);
    *is_datagrams = type == SOCK_DGRAM;
    *listens = accepts != 0;
    return true;
}

void host_socket_end_output(int file) {
#ifdef SHUT_WR
    shutdown(host_socket_of(file), SHUT_WR);
#else
    shutdown(host_socket_of(file), SD_SEND);
#endif
}

ssize_t host_socket_send(int file, const void *data, size_t size) {
    return host_socket_send_now(host_socket_of(file), data, size, NULL, 0);
}

ssize_t host_socket_receive(int file, void *data, size_t size) {
    return host_socket_receive_now(host_socket_of(file), data, size);
}

/* ---- By addresses of IPv4 ---- */

bool host_socket_parse_address(const char *text, HostAddress *address, Error *error) {
    char host[128];
    const char *colon = strrchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    if (colon == NULL || length >= sizeof(host))
        return error_set(error, "'%s' is no address such as 127.0.0.1:1234", text);
    memcpy(host, text, length);
    host[length] = '\0';
    struct addrinfo hints = {.ai_family = AF_INET, .ai_flags = AI_PASSIVE}, *found = NULL;
    host_socket_prepare();
    int result = getaddrinfo(length > 0 ? host : NULL, colon + 1, &hints, &found);
    if (result != 0)
        return error_set(error, "'%s': %s", text, gai_strerror(result));
    struct sockaddr_in four;
    memcpy(&four, found->ai_addr, sizeof(four));
    *address = (HostAddress){ntohl(four.sin_addr.s_addr), ntohs(four.sin_port), true};
    freeaddrinfo(found);
    return true;
}

bool host_socket_parse_number(const char *text, uint32_t *address) {
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) != 1)
        return false;
    *address = ntohl(four.s_addr);
    return true;
}

static struct sockaddr_in make_ipv4(const HostAddress *address) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(address->port),
                                .sin_addr = {.s_addr = htonl(address->address)}};
}

int host_socket_create(bool datagrams, Error *error) {
    int file = new_socket(AF_INET, datagrams ? SOCK_DGRAM : SOCK_STREAM);
    if (file < 0)
        error_set(error, "no socket: %s", strerror(errno));
    else
        set_option(file, SOL_SOCKET, SO_REUSEADDR, 1);
    return file;
}

bool host_socket_bind(int file, const HostAddress *address) {
    struct sockaddr_in four = make_ipv4(address);
    return bind_to(file, &four, sizeof(four));
}

int host_socket_begin_connect(int file, const HostAddress *address) {
    struct sockaddr_in four = make_ipv4(address);
    if (connect_to(file, &four, sizeof(four)))
        return 0;
    return errno == EINPROGRESS ? 1 : -1;
}

bool host_socket_join_group(int file, uint32_t group, uint32_t interface_address) {
    struct ip_mreq member = {.imr_multiaddr = {.s_addr = htonl(group)},
                             .imr_interface = {.s_addr = htonl(interface_address)}};
    if (setsockopt(host_socket_of(file), IPPROTO_IP, IP_ADD_MEMBERSHIP, (const void *)&member,
                   sizeof(member)) != 0) {
        host_socket_note_failure();
        return false;
    }
    if (interface_address != 0)
        setsockopt(host_socket_of(file), IPPROTO_IP, IP_MULTICAST_IF,
                   (const void *)&member.imr_interface, sizeof(member.imr_interface));
    return true;
}

ssize_t host_socket_send_to(int file, const void *data, size_t size, const HostAddress *to) {
    struct sockaddr_in four = make_ipv4(to);
    return to->is_set ? host_socket_send_now(host_socket_of(file), data, size,
                                             (const struct sockaddr *)&four, sizeof(four))
                      : host_socket_send(file, data, size);
}
