/* What the fuzzers of devices share: a board for the devices, and what is done with all of them at
 * once. */
#ifndef REPRISE_FUZZ_DEVICES_H
#define REPRISE_FUZZ_DEVICES_H

#include "block.h"
#include "clock.h"
#include "device_context.h"
#include "fuzz_input.h"
#include "pci.h"
#include <stdbool.h>

#define FUZZ_DEVICES_NO_END                                                                        \
    (TIMER_NEVER / 2) /* no clock comes so far, whatever a damaged state says */

enum { FUZZ_RAM_BYTES = 2 << 20, FUZZ_IMAGE_SECTORS = 256, FUZZ_IMAGE_PATH = 64 };

/* What every device needs. */
typedef struct FuzzBoard {
    VirtualClock clock;
    DeviceList devices;
    Trace trace;
    DeviceContext context;
    PciBus *bus;
    bool damaged; /* the devices' state is none that a driver could bring about */
} FuzzBoard;

/* Guest memory is made once, as it is large, and cleared up to 'used' for each board. */
PhysicalMap *fuzz_memory_create(void);
void fuzz_board_create(FuzzBoard *board, PhysicalMap *memory, uint32_t used);
/* After its devices. */
void fuzz_board_destroy(FuzzBoard *board);

/* An empty image of FUZZ_IMAGE_SECTORS in a temporary file, and an overlay over it. */
void fuzz_image_create(char path[FUZZ_IMAGE_PATH]);
BlockNode *fuzz_image_open(const char *path);

/* Ends the process as a finding. */
_Noreturn void fuzz_die(const char *what);

/* Runs up to so many events of a clock that stands still otherwise, as far as 'end_ns'. */
void fuzz_clock_run(VirtualClock *clock, unsigned count, int64_t end_ns);
/* The same with a board's clock. */
void fuzz_devices_run(FuzzBoard *board, unsigned count, int64_t end_ns);

/* Saved and restored, every device is as it was; else the process aborts. A damaged state need only
 * load. */
void fuzz_list_check_state(DeviceList *devices, VirtualClock *clock, bool damaged);
/* The same with those of a board. */
void fuzz_devices_check_state(FuzzBoard *board);

/* Loads a saved state that somebody changed. */
void fuzz_list_damage_state(DeviceList *devices, VirtualClock *clock, FuzzInput *input);
void fuzz_devices_damage_state(FuzzBoard *board, FuzzInput *input);

#endif
