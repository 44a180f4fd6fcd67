/* Files of memory are Linux's memfds. */
#define _GNU_SOURCE
#include "host_pages.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int host_pages_create_file(const char *name) {
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

bool host_pages_seal(int file) {
    return fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

void host_pages_map_code(size_t size, void **writable, void **executable) {
    int file = host_pages_create_file("reprise-code");
    void *first = MAP_FAILED, *second = MAP_FAILED;
    if (file >= 0 && ftruncate(file, (off_t)size) == 0) {
        first = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        second = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    }
    if (file >= 0)
        close(file);
    *writable = first == MAP_FAILED ? NULL : first;
    *executable = second == MAP_FAILED ? NULL : second;
}
