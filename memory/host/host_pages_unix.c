/* Files of memory on macOS and the BSDs. Written from their manuals and not run yet. */
#include "host_pages.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach/mach.h>
#include <mach/mach_vm.h>
#endif

/* FreeBSD's shm_open(2) knows files without a name. Elsewhere a temporary file does the same: the
 * objects of macOS's shm_open(2) can be mapped, but neither read nor written. */
int host_pages_create_file(const char *name) {
#ifdef SHM_ANON
    (void)name;
    return shm_open(SHM_ANON, O_RDWR | O_CLOEXEC, 0600);
#else
    char path[128];
    snprintf(path, sizeof(path), "/tmp/%.60s-XXXXXX", name);
    int file = mkstemp(path);
    if (file < 0)
        return -1;
    unlink(path);
    fcntl(file, F_SETFD, FD_CLOEXEC);
    return file;
#endif
}

/* There are no seals: that nobody writes any more is all that is needed. */
bool host_pages_seal(int file) {
    (void)file;
    return true;
}

#ifdef __APPLE__

/* mach_vm_remap() maps the same pages once more. A program with the hardened runtime may not do
 * this; its way would be one mapping with MAP_JIT, and pthread_jit_write_protect_np() around each
 * change. */
void host_pages_map_code(size_t size, void **writable, void **executable) {
    mach_vm_address_t second = 0;
    vm_prot_t now, most;
    *writable = host_pages_map(size);
    *executable = NULL;
    if (*writable == NULL ||
        mach_vm_remap(mach_task_self(), &second, size, 0, VM_FLAGS_ANYWHERE, mach_task_self(),
                      (mach_vm_address_t)(uintptr_t)*writable, FALSE, &now, &most,
                      VM_INHERIT_NONE) != KERN_SUCCESS)
        return;
    if (mprotect((void *)(uintptr_t)second, size, PROT_READ | PROT_EXEC) == 0)
        *executable = (void *)(uintptr_t)second;
    else
        mach_vm_deallocate(mach_task_self(), second, size);
}

#else

void host_pages_map_code(size_t size, void **writable, void **executable) {
    int file = host_pages_create_file("reprise-code");
    void *second = MAP_FAILED;
    *writable = NULL;
    if (file >= 0 && ftruncate(file, (off_t)size) == 0) {
        *writable = host_pages_map_file(file, size, true);
        second = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    }
    if (file >= 0)
        close(file);
    *executable = second == MAP_FAILED ? NULL : second;
}

#endif
