#define _GNU_SOURCE
#include "host_socket.h"
#include "host_socket_system.h"

#include <errno.h>
#include <string.h>

#ifndef MSG_NOSIGNAL /* macOS: SO_NOSIGPIPE, and the program ignores SIGPIPE */
#define MSG_NOSIGNAL 0
#endif
#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif

SOCKET host_socket_of(int file) {
    return file;
}

int host_socket_adopt(SOCKET socket) {
#ifndef SOCK_CLOEXEC
    if (socket >= 0)
        host_file_keep_private(socket);
#endif
    return socket;
}

void host_socket_prepare(void) {}

void host_socket_note_failure(void) {}

/* On Linux the socket's file gets these permissions: what listens here gives full control. Others
 * may refuse: there, only the folder protects it. */
bool host_socket_close_path(int file) {
    return fchmod(file, S_IRUSR | S_IWUSR) == 0 || errno == EINVAL;
}

ssize_t host_socket_send_now(SOCKET socket, const void *data, size_t size,
                             const struct sockaddr *to, int to_size) {
    return sendto(socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT, to, (socklen_t)to_size);
}

ssize_t host_socket_receive_now(SOCKET socket, void *data, size_t size) {
    return recv(socket, data, size, MSG_DONTWAIT);
}

bool host_socket_pair(int *one, int *other, Error *error) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return error_set(error, "no pair of sockets: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        host_file_keep_private(ends[i]);
        host_file_set_nonblocking(ends[i]);
    }
    *one = ends[0];
    *other = ends[1];
    return true;
}

enum { FILES_MAX = 8 };

/* Those that find no room are closed. */
static int take_files(struct msghdr *message, int *files, int most) {
    int count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t came = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < came; i++) {
            int file;
            memcpy(&file, CMSG_DATA(part) + i * sizeof(int), sizeof(file));
            if (count < most) {
                host_file_keep_private(file);
                files[count++] = file;
            } else {
                close(file);
            }
        }
    }
    return count;
}

ssize_t host_socket_receive_files(int socket, void *data, size_t size, int *files, int most,
                                  int *count) {
    union {
        struct cmsghdr alignment;
        char room[CMSG_SPACE(FILES_MAX * sizeof(int))];
    } control;
    struct iovec vector = {data, size};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    *count = received > 0 ? take_files(&message, files, most) : 0;
    return received;
}
