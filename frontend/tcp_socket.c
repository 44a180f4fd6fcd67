#include "tcp_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct addrinfo *resolve(const char *host, const char *port, int flags, Error *error) {
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(*host != '\0' ? host : "127.0.0.1", port, &wanted, &found);
    if (failure == 0)
        return found;
    error_set(error, "there is no address '%s:%s': %s", host, port, gai_strerror(failure));
    return NULL;
}

static int open_socket(const struct addrinfo *address) {
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static bool start_listening(int fd, const struct addrinfo *address) {
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 8) == 0;
}

static bool start_connection(int fd, const struct addrinfo *address) {
    return connect(fd, address->ai_addr, address->ai_addrlen) == 0;
}

static bool begin_connection(int fd, const struct addrinfo *address) {
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
           (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS);
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
        fd = open_socket(one);
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

int tcp_socket_listen(const char *host, const char *port, Error *error) {
    return open_any(host, port, AI_PASSIVE, start_listening, "listen at", error);
}

int tcp_socket_connect(const char *host, const char *port, Error *error) {
    return open_any(host, port, 0, start_connection, "connect to", error);
}

int tcp_socket_begin_connect(const char *host, const char *port, Error *error) {
    return open_any(host, port, 0, begin_connection, "connect to", error);
}
