#include "fuzz_devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void fuzz_die(const char *what) {
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

PhysicalMap *fuzz_memory_create(void) {
    PhysicalMap *memory = physical_map_create(FUZZ_RAM_BYTES, NULL);
    if (memory == NULL)
        fuzz_die("no memory");
    return memory;
}

void fuzz_board_create(FuzzBoard *board, PhysicalMap *memory, uint32_t used) {
    memset(board, 0, sizeof(*board));
    clock_init(&board->clock);
    board->context = (DeviceContext){.clock = &board->clock,
                                     .ports = port_map_create(),
                                     .memory = memory,
                                     .devices = &board->devices,
                                     .trace = &board->trace};
    board->bus = pci_bus_create(&board->context, NULL);
    if (board->bus == NULL)
        fuzz_die("no bus");
    memset(physical_map_ram(memory), 0, used);
}

void fuzz_board_destroy(FuzzBoard *board) {
    pci_bus_destroy(board->bus);
    port_map_destroy(board->context.ports);
    clock_destroy(&board->clock);
}

void fuzz_image_create(char path[FUZZ_IMAGE_PATH]) {
    snprintf(path, FUZZ_IMAGE_PATH, "/tmp/fuzz-image-XXXXXX");
    int file = mkstemp(path);
    if (file < 0 || ftruncate(file, FUZZ_IMAGE_SECTORS * 512) != 0)
        fuzz_die("no image");
    close(file);
}

BlockNode *fuzz_image_open(const char *path) {
    BlockNode *node =
        block_open(&(BlockOptions){.path = path, .format = "raw", .snapshot = true}, NULL);
    if (node == NULL)
        fuzz_die("the image cannot be opened");
    return node;
}

void fuzz_clock_run(VirtualClock *clock, unsigned count, int64_t end_ns) {
    for (; count > 0; count--) {
        int64_t due = clock_next_due_ns(clock);
        if (due > end_ns)
            return;
        if (due > clock->stopped_ns)
            clock->stopped_ns = due;
        clock_run_due(clock);
    }
}

void fuzz_devices_run(FuzzBoard *board, unsigned count, int64_t end_ns) {
    fuzz_clock_run(&board->clock, count, end_ns);
}

void fuzz_list_check_state(DeviceList *devices, VirtualClock *clock, bool damaged) {
    ByteBuffer saved = {.data = NULL};
    Error error = {.set = false};
    device_list_save(devices, &saved);
    uint64_t hash = device_list_hash(devices);
    device_list_reset(devices);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    if (!device_list_load(devices, &reader, &error))
        fuzz_die(error.message);
    clock_rebuild(clock);
    if (!damaged && device_list_hash(devices) != hash)
        fuzz_die("the restored state differs");
    byte_buffer_free(&saved);
}

void fuzz_devices_check_state(FuzzBoard *board) {
    fuzz_list_check_state(&board->devices, &board->clock, board->damaged);
}

void fuzz_list_damage_state(DeviceList *devices, VirtualClock *clock, FuzzInput *input) {
    ByteBuffer saved = {.data = NULL};
    device_list_save(devices, &saved);
    for (unsigned i = 0; i < 4 && saved.size > 0; i++)
        saved.data[fuzz_number(input, 3) % saved.size] = (uint8_t)fuzz_number(input, 1);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    device_list_load(devices, &reader, NULL);
    clock_rebuild(clock);
    byte_buffer_free(&saved);
}

void fuzz_devices_damage_state(FuzzBoard *board, FuzzInput *input) {
    board->damaged = true;
    fuzz_list_damage_state(&board->devices, &board->clock, input);
}
