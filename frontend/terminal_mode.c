#include "terminal_mode.h"

#include <fcntl.h>
#include <unistd.h>

void terminal_mode_set_raw(TerminalMode *mode, bool signals) {
    tcgetattr(STDIN_FILENO, &mode->before);
    mode->file_flags = fcntl(STDIN_FILENO, F_GETFL);
    struct termios raw = mode->before;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        raw.c_lflag &= ~(tcflag_t)ISIG;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void terminal_mode_restore(const TerminalMode *mode) {
    tcsetattr(STDIN_FILENO, TCSANOW, &mode->before);
    if (mode->file_flags >= 0)
        fcntl(STDIN_FILENO, F_SETFL, mode->file_flags);
}
