#define _GNU_SOURCE
#include "host_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

_Static_assert(sizeof(struct termios) <= sizeof(((HostTerminal *)0)->before), "there is room");

void host_terminal_set_raw(HostTerminal *terminal, bool signals) {
    struct termios raw;
    tcgetattr(STDIN_FILENO, &raw);
    memcpy(terminal->before, &raw, sizeof(raw));
    terminal->flags = fcntl(STDIN_FILENO, F_GETFL);
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        raw.c_lflag &= ~(tcflag_t)ISIG;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void host_terminal_restore(const HostTerminal *terminal) {
    struct termios before;
    memcpy(&before, terminal->before, sizeof(before));
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    if (terminal->flags >= 0)
        fcntl(STDIN_FILENO, F_SETFL, (int)terminal->flags);
}

unsigned host_terminal_columns(void) {
    struct winsize size;
    return isatty(STDERR_FILENO) && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void host_terminal_make_plain(int file) {
    struct termios mode;
    if (tcgetattr(file, &mode) == 0) {
        cfmakeraw(&mode);
        tcsetattr(file, TCSANOW, &mode);
    }
}

int host_terminal_open_pair(char *path, size_t size, Error *error) {
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0) {
        if (fd >= 0)
            close(fd);
        error_set(error, "cannot make a pseudo-terminal: %s", strerror(errno));
        return -1;
    }
    host_terminal_make_plain(fd);
#ifdef __linux__
    if (ptsname_r(fd, path, size) != 0)
        path[0] = '\0';
#else /* whose result the next call of any thread may change */
    const char *name = ptsname(fd);
    strncpy(path, name != NULL ? name : "", size - 1);
    path[size - 1] = '\0';
#endif
    return fd;
}

int host_terminal_open_other(const char *path) {
    return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}
