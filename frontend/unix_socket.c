#include "unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return;
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(probe);
}

int unix_socket_listen(const char *path, Error *error) {
    struct sockaddr_un address;
    if (!make_address(&address, path, error))
        return -1;
    remove_leftover(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* On Linux the socket's file gets these permissions: what listens here gives full control. */
    if (fd < 0 || fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 8) != 0)
        return fail(fd, "listen at", path, error);
    return fd;
}

int unix_socket_connect(const char *path, Error *error) {
    struct sockaddr_un address;
    if (!make_address(&address, path, error))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return fail(fd, "connect to", path, error);
    return fd;
}
