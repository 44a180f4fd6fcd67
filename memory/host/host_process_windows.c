#include "host_file.h"
#include "host_process.h"
#include "host_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Being asked to end ---- */

/* A handler has no argument of ours: this one thing is known to the whole process, as consoles are.
 */
static HostEvent caught = {-1, -1};

static BOOL WINAPI note_end(DWORD kind) {
    (void)kind;
    host_event_set(&caught);
    return TRUE;
}

bool host_process_catch_end(HostEvent *event) {
    if (!host_event_create(event, NULL))
        return false;
    caught = *event;
    return SetConsoleCtrlHandler(note_end, TRUE) != 0;
}

bool host_process_take_end(const HostEvent *event) {
    return host_event_take(event);
}

void host_process_release_end(HostEvent *event) {
    SetConsoleCtrlHandler(note_end, FALSE);
    host_event_destroy(event);
}

bool host_process_begin_background(int *ready, Error *error) {
    *ready = -1;
    return error_set(error, "-daemonize: this system has no processes that part in two; start it "
                            "with 'start /b'");
}

void host_process_enter_background(int *ready) {
    (void)ready;
}

/* ---- Other programs ---- */

static bool start(const char *program, char *line, HANDLE input, HANDLE output, HostChild *child) {
    STARTUPINFOA how = {.cb = sizeof(how),
                        .dwFlags = STARTF_USESTDHANDLES,
                        .hStdInput = input,
                        .hStdOutput = output,
                        .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
    PROCESS_INFORMATION info;
    *child = 0;
    if (!CreateProcessA(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &how, &info))
        return false;
    CloseHandle(info.hThread);
    *child = (HostChild)(intptr_t)info.hProcess;
    return true;
}

bool host_process_start_shell(const char *command, bool reads, HostChild *child, int *fd,
                              Error *error) {
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    HANDLE from, to;
    char line[4096];
    *fd = -1;
    *child = 0;
    if (snprintf(line, sizeof(line), "cmd.exe /c %s", command) >= (int)sizeof(line))
        return error_set(error, "the command is too long");
    if (!CreatePipe(&from, &to, &inherited, 0))
        return error_set(error, "cannot make a pipe: error %lu", GetLastError());
    HANDLE own = reads ? to : from, other = reads ? from : to;
    SetHandleInformation(own, HANDLE_FLAG_INHERIT, 0);
    bool good = start(NULL, line, reads ? other : GetStdHandle(STD_INPUT_HANDLE),
                      reads ? GetStdHandle(STD_OUTPUT_HANDLE) : other, child);
    DWORD code = GetLastError();
    CloseHandle(other);
    *fd = host_windows_descriptor(own, reads ? O_WRONLY : O_RDONLY);
    return good || error_set(error, "cannot start '%.100s': error %lu", command, code);
}

/* One word as the C library's start takes lines apart. */
static size_t quote(const char *word, char *line, size_t size) {
    size_t at = 0, backslashes = 0;
    if (at < size)
        line[at++] = '"';
    for (; *word != '\0' && at + 2 * backslashes + 3 < size; word++) {
        if (*word == '"')
            for (; backslashes > 0; backslashes--)
                line[at++] = '\\';
        backslashes = *word == '\\' ? backslashes + 1 : 0;
        if (*word == '"')
            line[at++] = '\\';
        line[at++] = *word;
    }
    for (; backslashes > 0 && at + 2 < size; backslashes--)
        line[at++] = '\\';
    if (at + 1 < size)
        line[at++] = '"';
    return at;
}

bool host_process_start_self(char *const *words, HostChild *child) {
    char program[MAX_PATH], line[32768];
    size_t at = 0;
    if (GetModuleFileNameA(NULL, program, sizeof(program)) == 0)
        return false;
    for (; *words != NULL && at + 2 < sizeof(line); words++) {
        at += quote(*words, line + at, sizeof(line) - at);
        line[at++] = ' ';
    }
    line[at] = '\0';
    return start(program, line, NULL, NULL, child);
}

bool host_process_has_ended(HostChild child, bool waits, int *status) {
    HANDLE process = (HANDLE)(intptr_t)child;
    DWORD code = 0;
    *status = 0;
    if (WaitForSingleObject(process, waits ? INFINITE : 0) == WAIT_TIMEOUT)
        return false;
    *status = GetExitCodeProcess(process, &code) ? (int)code : -1;
    CloseHandle(process);
    return true;
}

void host_process_kill(HostChild child) {
    TerminateProcess((HANDLE)(intptr_t)child, 1);
}

bool host_process_run(const char *program, const char *word) {
    char line[4096];
    HostChild child;
    int status;
    size_t at = quote(program, line, sizeof(line) / 2);
    line[at++] = ' ';
    at += quote(word, line + at, sizeof(line) - at - 1);
    line[at] = '\0';
    return start(NULL, line, NULL, NULL, &child) && host_process_has_ended(child, true, &status) &&
           status == 0;
}
