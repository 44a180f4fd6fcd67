#include "host_thread.h"
#include "host_windows.h"

unsigned host_thread_processors(void) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwNumberOfProcessors;
}

unsigned host_thread_allowed_processors(void) {
    return host_thread_processors();
}

void host_thread_share_heap(void) {}

uint32_t host_thread_number(void) {
    return GetCurrentThreadId();
}

bool host_thread_create_quiet(pthread_t *thread, void *(*run)(void *opaque), void *opaque) {
    return pthread_create(thread, NULL, run, opaque) == 0;
}
