/* A board with nothing on it but what a test plugs in: clock, ports, 2 MB of memory, device list.
 */
#ifndef REPRISE_CHIP_FIXTURE_H
#define REPRISE_CHIP_FIXTURE_H

#include "device_context.h"
#include <check.h>

typedef struct ChipFixture {
    VirtualClock clock;
    Trace trace;
    DeviceList devices;
    DeviceContext context;
} ChipFixture;

ChipFixture *chip_fixture_create(void);
void chip_fixture_destroy(ChipFixture *fixture);

/* Lets virtual time pass, firing every event when it is due. */
void chip_fixture_run_to(ChipFixture *fixture, int64_t ns);
void chip_fixture_run(ChipFixture *fixture, int64_t ns);

uint8_t port_in(ChipFixture *fixture, uint16_t port);
void port_out(ChipFixture *fixture, uint16_t port, uint8_t value);

/* A listener on a wire. */
typedef struct Probe {
    int level, rises, falls;
} Probe;
Wire probe_wire(Probe *probe);

/* Takes whatever a chip sends out byte by byte. */
typedef struct Sink {
    uint8_t bytes[256];
    unsigned count;
} Sink;
void sink_write(void *sink, uint8_t byte);

/* Saves all devices, so that they can be put back as they were: the state, and the time. */
typedef struct Snapshot {
    ByteBuffer buffer;
    int64_t now_ns;
    uint64_t hash;
} Snapshot;
void snapshot_take(ChipFixture *fixture, Snapshot *snapshot);
void snapshot_restore(ChipFixture *fixture, const Snapshot *snapshot);
void snapshot_free(Snapshot *snapshot);

/* Every byte of every device's State is described, and 'change' (which does something that changes
 * states) is undone by a restore. */
void check_devices_save_and_restore(ChipFixture *fixture, void (*change)(ChipFixture *fixture));

/* Writes and reads pseudo-random values at the given ports while time passes: nothing may break. */
void check_survives_random_accesses(ChipFixture *fixture, uint16_t first, unsigned ports,
                                    unsigned accesses);

/* Runs the suite that 'add' fills; what main() returns. */
int run_suite(const char *name, void (*add)(TCase *tests));

#endif
