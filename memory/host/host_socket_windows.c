#include "host_clock.h"
#include "host_socket.h"
#include "host_socket_system.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

SOCKET host_socket_of(int file) {
    return (SOCKET)_get_osfhandle(file);
}

int host_socket_adopt(SOCKET socket) {
    if (socket == INVALID_SOCKET)
        return host_windows_fail((DWORD)WSAGetLastError());
    SetHandleInformation((HANDLE)socket, HANDLE_FLAG_INHERIT, 0);
    return host_windows_descriptor((HANDLE)socket, O_RDWR);
}

void host_socket_prepare(void) {
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data); /* it counts, and is quick but for the first time */
}

/* A connection that is begun would wait, as Windows has it. */
void host_socket_note_failure(void) {
    int code = WSAGetLastError();
    host_windows_fail((DWORD)(code == WSAEWOULDBLOCK ? WSAEINPROGRESS : code));
}

bool host_socket_close_path(int file) {
    (void)file;
    return true;
}

/* There is no flag for it: the socket is made one that never waits. */
static void never_wait(SOCKET socket) {
    u_long on = 1;
    ioctlsocket(socket, (long)FIONBIO, &on);
}

ssize_t host_socket_send_now(SOCKET socket, const void *data, size_t size,
                             const struct sockaddr *to, int to_size) {
    never_wait(socket);
    int part = size < INT_MAX ? (int)size : INT_MAX;
    int sent =
        to != NULL ? sendto(socket, data, part, 0, to, to_size) : send(socket, data, part, 0);
    return sent >= 0 ? sent : host_windows_fail((DWORD)WSAGetLastError());
}

ssize_t host_socket_receive_now(SOCKET socket, void *data, size_t size) {
    never_wait(socket);
    int received = recv(socket, data, size < INT_MAX ? (int)size : INT_MAX, 0);
    return received >= 0 ? received : host_windows_fail((DWORD)WSAGetLastError());
}

/* Windows has no pairs: one end listens at a port of this machine, and takes who comes from the
 * other end's. */
static bool connect_pair(SOCKET listener, SOCKET ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in peer = {.sin_port = 0}, own = {.sin_port = 0};
    int size = sizeof(address), peer_size = sizeof(peer), own_size = sizeof(own);
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    if (ends[1] == INVALID_SOCKET || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        connect(ends[1], (struct sockaddr *)&address, size) != 0)
        return false;
    ends[0] = accept(listener, (struct sockaddr *)&peer, &peer_size);
    return ends[0] != INVALID_SOCKET &&
           getsockname(ends[1], (struct sockaddr *)&own, &own_size) == 0 &&
           own.sin_port == peer.sin_port;
}

bool host_socket_pair(int *one, int *other, Error *error) {
    SOCKET ends[2] = {INVALID_SOCKET, INVALID_SOCKET};
    *one = *other = -1;
    host_socket_prepare();
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    bool good = listener != INVALID_SOCKET && connect_pair(listener, ends);
    if (listener != INVALID_SOCKET)
        closesocket(listener);
    for (int i = 0; i < 2; i++) {
        if (!good && ends[i] != INVALID_SOCKET)
            closesocket(ends[i]);
        if (good)
            never_wait(ends[i]);
    }
    if (!good)
        return error_set(error, "no pair of sockets: error %d", WSAGetLastError());
    *one = host_socket_adopt(ends[0]);
    *other = host_socket_adopt(ends[1]);
    host_socket_hurry(*one);
    host_socket_hurry(*other);
    return *one >= 0 && *other >= 0;
}

/* Descriptors cannot be sent. */
ssize_t host_socket_receive_files(int socket, void *data, size_t size, int *files, int most,
                                  int *count) {
    (void)files;
    (void)most;
    *count = 0;
    return host_socket_receive(socket, data, size);
}
