#include "host_clock.h"
#include "host_windows.h"

int64_t host_clock_ns(void) {
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    int64_t seconds = now.QuadPart / frequency.QuadPart;
    int64_t rest = now.QuadPart % frequency.QuadPart;
    return seconds * 1000000000 + rest * 1000000000 / frequency.QuadPart;
}

/* A timer of high resolution exists from Windows 10 on; Sleep() counts ticks of up to 16 ms. */
void host_clock_sleep_ns(int64_t nanoseconds) {
    HANDLE timer = CreateWaitableTimerExW(NULL, NULL, 2 /* CREATE_WAITABLE_TIMER_HIGH_RESOLUTION */,
                                          TIMER_ALL_ACCESS);
    LARGE_INTEGER due = {.QuadPart = -(nanoseconds / 100 + 1)};
    if (timer != NULL && SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE))
        WaitForSingleObject(timer, INFINITE);
    else
        Sleep((DWORD)(nanoseconds / 1000000 + 1));
    if (timer != NULL)
        CloseHandle(timer);
}
