/* What the fuzzers of devices do with all devices of their board at once. */
#ifndef REPRISE_FUZZ_DEVICES_H
#define REPRISE_FUZZ_DEVICES_H

#include "clock.h"
#include "device.h"
#include "fuzz_input.h"
#include <stdbool.h>

#define FUZZ_DEVICES_NO_END                                                                        \
    (TIMER_NEVER / 2) /* no clock comes so far, whatever a damaged state says */

/* Runs up to so many events of a clock that stands still otherwise, as far as 'end_ns'. */
void fuzz_devices_run(VirtualClock *clock, unsigned count, int64_t end_ns);

/* Saved and restored, every device is as it was; else the process aborts. 'damaged': their state is
 * none that a driver could bring about, and need only load. */
void fuzz_devices_check_state(DeviceList *devices, VirtualClock *clock, bool damaged);

/* Loads a saved state that somebody changed. */
void fuzz_devices_damage_state(DeviceList *devices, VirtualClock *clock, FuzzInput *input);

#endif
