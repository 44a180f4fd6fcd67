/* What the files of this folder for Windows share. Nobody else includes it: it brings windows.h. */
#ifndef REPRISE_HOST_WINDOWS_H
#define REPRISE_HOST_WINDOWS_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <io.h>
#include <windows.h>
#include <winsock2.h>

/* The handle behind a descriptor of the C library. */
HANDLE host_windows_handle(int file);
/* A descriptor for a handle, which it owns from here on; -1 with errno set: none. */
int host_windows_descriptor(HANDLE handle, int flags);
/* Sets errno to what this code of GetLastError() or WSAGetLastError() means. Gives -1. */
int host_windows_fail(DWORD code);

#endif
