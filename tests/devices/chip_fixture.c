#include "chip_fixture.h"
#include "allocate.h"
#include "suite_run.h"
#include <stdlib.h>

#define RAM_BYTES (2u << 20)

ChipFixture *chip_fixture_create(void) {
    ChipFixture *fixture = allocate_zeroed(sizeof *fixture);
    Error error = {0};
    clock_init(&fixture->clock);
    fixture->trace.output = stderr;
    fixture->context = (DeviceContext){
        .clock = &fixture->clock,
        .ports = port_map_create(),
        .memory = physical_map_create(RAM_BYTES, &error),
        .devices = &fixture->devices,
        .trace = &fixture->trace,
    };
    ck_assert_msg(fixture->context.memory != NULL, "%s", error.message);
    return fixture;
}

void chip_fixture_destroy(ChipFixture *fixture) {
    port_map_destroy(fixture->context.ports);
    physical_map_destroy(fixture->context.memory);
    clock_destroy(&fixture->clock);
    free(fixture);
}

void chip_fixture_run_to(ChipFixture *fixture, int64_t ns) {
    VirtualClock *clock = &fixture->clock;
    while (clock_next_due_ns(clock) <= ns) {
        if (clock_next_due_ns(clock) > clock->stopped_ns)
            clock->stopped_ns = clock_next_due_ns(clock);
        clock_run_due(clock);
    }
    clock->stopped_ns = ns;
}

void chip_fixture_run(ChipFixture *fixture, int64_t ns) {
    chip_fixture_run_to(fixture, fixture->clock.stopped_ns + ns);
}

uint8_t port_in(ChipFixture *fixture, uint16_t port) {
    return (uint8_t)port_map_read(fixture->context.ports, port, 1);
}

void port_out(ChipFixture *fixture, uint16_t port, uint8_t value) {
    port_map_write(fixture->context.ports, port, 1, value);
}

static void probe_set(void *opaque, int line, int level) {
    Probe *probe = opaque;
    (void)line;
    probe->rises += level && !probe->level;
    probe->falls += !level && probe->level;
    probe->level = level;
}

Wire probe_wire(Probe *probe) {
    return (Wire){probe_set, probe, 0};
}

void sink_write(void *opaque, uint8_t byte) {
    Sink *sink = opaque;
    ck_assert_uint_lt(sink->count, sizeof sink->bytes);
    sink->bytes[sink->count++] = byte;
}

void snapshot_take(ChipFixture *fixture, Snapshot *snapshot) {
    *snapshot = (Snapshot){.now_ns = fixture->clock.stopped_ns,
                           .hash = device_list_hash(&fixture->devices)};
    device_list_save(&fixture->devices, &snapshot->buffer);
}

void snapshot_restore(ChipFixture *fixture, const Snapshot *snapshot) {
    Error error = {0};
    ByteReader reader = {.data = snapshot->buffer.data, .size = snapshot->buffer.size};
    fixture->clock.stopped_ns = 0; /* the time comes after the devices, as in a fresh machine */
    ck_assert_msg(device_list_load(&fixture->devices, &reader, &error), "%s", error.message);
    fixture->clock.stopped_ns = snapshot->now_ns;
    clock_rebuild(&fixture->clock);
    ck_assert_uint_eq(device_list_hash(&fixture->devices), snapshot->hash);
}

void snapshot_free(Snapshot *snapshot) {
    byte_buffer_free(&snapshot->buffer);
}

void check_devices_save_and_restore(ChipFixture *fixture, void (*change)(ChipFixture *fixture)) {
    Snapshot before, after;
    for (int i = 0; i < fixture->devices.count; i++) {
        const FieldTable *fields = fixture->devices.entries[i].device_class->fields;
        ck_assert_msg(field_table_find_gap(fields) == -1, "%s has a gap at byte %lld", fields->name,
                      (long long)field_table_find_gap(fields));
    }
    snapshot_take(fixture, &before);
    change(fixture);
    ck_assert_uint_ne(device_list_hash(&fixture->devices), before.hash);
    snapshot_restore(fixture, &before);
    /* The same things happen again, to the same end. */
    change(fixture);
    snapshot_take(fixture, &after);
    snapshot_restore(fixture, &before);
    change(fixture);
    ck_assert_uint_eq(device_list_hash(&fixture->devices), after.hash);
    snapshot_free(&before);
    snapshot_free(&after);
}

void check_survives_random_accesses(ChipFixture *fixture, uint16_t first, unsigned ports,
                                    unsigned accesses) {
    uint64_t seed = 0x9E3779B97F4A7C15u;
    for (unsigned i = 0; i < accesses; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        unsigned random = (unsigned)(seed >> 33);
        uint16_t port = (uint16_t)(first + random % ports);
        unsigned size = 1u << (random >> 8) % 3;
        if (random >> 12 & 1)
            port_map_read(fixture->context.ports, port, size);
        else
            port_map_write(fixture->context.ports, port, size, (uint32_t)(seed >> 16));
        if ((random >> 13) % 8 == 0)
            chip_fixture_run(fixture, (int64_t)(random >> 16) * 37);
    }
}

int run_suite(const char *name, void (*add)(TCase *tests)) {
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    add(tests);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
