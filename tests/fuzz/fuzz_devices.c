#include "fuzz_devices.h"

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what) {
    fprintf(stderr, "fuzz_devices: %s\n", what);
    abort();
}

void fuzz_devices_run(VirtualClock *clock, unsigned count, int64_t end_ns) {
    for (; count > 0; count--) {
        int64_t due = clock_next_due_ns(clock);
        if (due > end_ns)
            return;
        if (due > clock->stopped_ns)
            clock->stopped_ns = due;
        clock_run_due(clock);
    }
}

void fuzz_devices_check_state(DeviceList *devices, VirtualClock *clock, bool damaged) {
    ByteBuffer saved = {.data = NULL};
    Error error = {.set = false};
    device_list_save(devices, &saved);
    uint64_t hash = device_list_hash(devices);
    device_list_reset(devices);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    if (!device_list_load(devices, &reader, &error))
        die(error.message);
    clock_rebuild(clock);
    if (!damaged && device_list_hash(devices) != hash)
        die("the restored state differs");
    byte_buffer_free(&saved);
}

void fuzz_devices_damage_state(DeviceList *devices, VirtualClock *clock, FuzzInput *input) {
    ByteBuffer saved = {.data = NULL};
    device_list_save(devices, &saved);
    for (unsigned i = 0; i < 4 && saved.size > 0; i++)
        saved.data[fuzz_number(input, 3) % saved.size] = (uint8_t)fuzz_number(input, 1);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    device_list_load(devices, &reader, NULL);
    clock_rebuild(clock);
    byte_buffer_free(&saved);
}
