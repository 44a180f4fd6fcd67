/* What enters a machine from outside and changes it, as values: done at once, and noted by whoever
 * records the run. */
#ifndef REPRISE_MACHINE_ACTION_H
#define REPRISE_MACHINE_ACTION_H

#include "machine.h"
#include <stddef.h>
#include <stdint.h>

struct BoardDrive;
struct BlockOptions;

typedef enum MachineActionKind {
    ACTION_KEY,          /* key (4), down (1) */
    ACTION_MOUSE_MOVE,   /* dx, dy, dz (4 each) */
    ACTION_MOUSE_BUTTON, /* buttons (4) */
    ACTION_SERIAL,       /* port (1), bytes: queued for it */
    ACTION_SERIAL_TAKEN, /* port (1), count (4): so many of them reach the chip */
    ACTION_PRESS_KEYS,   /* hold_ms (4), keys (4 each) */
    ACTION_RESET,
    ACTION_POWER_BUTTON,
    ACTION_WAKE,
    ACTION_NMI,
    ACTION_QUIET_STEP,     /* processor (1): no interrupt before its next instruction */
    ACTION_JOYSTICK,       /* axis or 4 + button, position or whether down (4 each) */
    ACTION_MOUSE_ABSOLUTE, /* x, y (4 each): a place on a tablet */
    ACTION_HASTEN_KEYS,    /* bytes on their way from the keyboard arrive now */
    ACTION_TRIPLE_FAULT,   /* whether it stops the machine (4) */
    ACTION_WRITE_MEMORY,   /* physical address (4), bytes */
    ACTION_EJECT,          /* drive, force (4 each) */
    ACTION_CHANGE_MEDIUM,  /* drive, force, read only (4 each), format and path, each with a 0 */
    ACTION_PLUG_USB,       /* kind, disk or hub, UsbPath (4 each); path 0: pull out */
    ACTION_SLEEP_BUTTON,
    ACTION_PASS_TIME,  /* nanoseconds (4, then the upper 4), of the clock chip alone */
    ACTION_OFFER_TEXT, /* bytes: of the host's clipboard */
    ACTION_KINDS,
} MachineActionKind;

#define ACTION_BYTES 4096

/* Does it, on the machine's thread, between two instructions, and notes it. False: it could not be
 * done (a queue is full). */
bool machine_act(Machine *machine, MachineActionKind kind, const void *bytes, size_t size);
/* The same with up to three numbers of four bytes. */
bool machine_act_numbers(Machine *machine, MachineActionKind kind, const uint32_t *numbers,
                         size_t count);

/* Does it and tells nobody: for a replay. Bytes that make no sense do nothing. */
bool machine_action_perform(Machine *machine, uint8_t kind, const uint8_t *bytes, size_t size);

/* A medium that is taken out or put in by hand; see board_eject() and board_change_medium(). One
 * that is written straight to its file ends what is recorded. */
bool machine_eject(Machine *machine, struct BoardDrive *drive, bool force, Error *error);
bool machine_change_medium(Machine *machine, struct BoardDrive *drive,
                           const struct BlockOptions *options, bool force, Error *error);

/* Bytes that wait for serial ports go to their chips, as many as those take. */
void machine_deliver_serial(Machine *machine);

/* Something was changed that no action tells of: what is recorded ends here. */
void machine_changed_otherwise(Machine *machine, const char *what);

#endif
