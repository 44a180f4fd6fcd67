#include "host_terminal.h"
#include "host_windows.h"
#include <string.h>

void host_terminal_set_raw(HostTerminal *terminal, bool signals) {
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode = 0;
    GetConsoleMode(input, &mode);
    memcpy(terminal->before, &mode, sizeof(mode));
    mode &= ~(DWORD)(ENABLE_ECHO_INPUT | ENABLE_LINE_INPUT);
    if (!signals)
        mode &= ~(DWORD)ENABLE_PROCESSED_INPUT;
    SetConsoleMode(input, mode);
}

void host_terminal_restore(const HostTerminal *terminal) {
    DWORD mode;
    memcpy(&mode, terminal->before, sizeof(mode));
    SetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), mode);
}

unsigned host_terminal_columns(void) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    return GetConsoleScreenBufferInfo(GetStdHandle(STD_ERROR_HANDLE), &info)
               ? (unsigned)(info.srWindow.Right - info.srWindow.Left + 1)
               : 0;
}

void host_terminal_make_plain(int file) {
    (void)file;
}

int host_terminal_open_pair(char *path, size_t size, Error *error) {
    (void)path;
    (void)size;
    error_set(error, "this system has no pseudo-terminals that programs open by name");
    return -1;
}

int host_terminal_open_other(const char *path) {
    (void)path;
    return -1;
}
