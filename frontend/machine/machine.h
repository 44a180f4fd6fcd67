/* A whole PC: made from a MachineConfig, run by a thread of its own, driven from outside through
 * one door.
 *
 * Functions marked 'any thread' may be called from wherever; all others belong to the machine's
 * thread, or to the caller's while no thread runs the machine. machine_call() brings a function
 * onto that thread. */
#ifndef REPRISE_MACHINE_H
#define REPRISE_MACHINE_H

#include "byte_buffer.h"
#include "display_surface.h"
#include "error.h"
#include "keyboard_keys.h"
#include "machine_config.h"
#include "run_state.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct Machine Machine;

/* Builds the board and resets it. Nothing runs yet. */
Machine *machine_create(const MachineConfig *config, Error *error);
/* Ends the thread if there is one, writes back what images are owed, and frees everything. NULL is
 * allowed. */
void machine_destroy(Machine *machine);

/* Starts the machine's thread; it runs at once unless the configuration says start_paused. */
bool machine_start(Machine *machine, Error *error);

/* Runs up to so many instructions in the caller's thread; less if the guest stopped, or halted with
 * nothing that could wake it. Only while machine_start() was not called. Returns how many
 * completed. */
uint64_t machine_run_instructions(Machine *machine, uint64_t instructions);

/* Run control, any thread. */
RunState machine_run_state(Machine *machine);
bool machine_stop(Machine *machine, Error *error);
bool machine_continue(Machine *machine, Error *error);
void machine_reset(Machine *machine);        /* the reset button */
void machine_power_down(Machine *machine);   /* the power button: a request to the guest */
void machine_sleep_button(Machine *machine); /* likewise, to suspend */
void machine_wake_up(Machine *machine);      /* out of suspend to RAM; nothing where it is awake */

/* How it ended, any thread: true once the guest powered off, rebooted under no_reboot, or left by
 * debug exit. */
bool machine_has_ended(Machine *machine, int *exit_status);

/* The speed at which the processor is held, in instructions a second, of the guest's and the host's
 * time alike; 0: as fast as the host can. It is first what 'mips=' in -cpu says. Any thread. */
uint64_t machine_speed(Machine *machine);

typedef enum MachineSpeed {
    MACHINE_SPEED_GIVEN,  /* 'per_second', or full speed where that is 0 */
    MACHINE_SPEED_SLOWER, /* the next step of those that old processors had */
    MACHINE_SPEED_FASTER,
    MACHINE_SPEED_TURBO, /* full speed, or back from there */
} MachineSpeed;
#define MACHINE_SPEED_LEAST 10000
#define MACHINE_SPEED_MOST 100000000000
/* An error with icount, whose runs repeat. Any thread. */
bool machine_change_speed(Machine *machine, MachineSpeed wanted, uint64_t per_second, Error *error);

/* So many hundredths of the time the guest waits: it shall change its memory no faster than it can
 * be sent. 0: it runs. Any thread. */
void machine_throttle(Machine *machine, unsigned percent);

/* Called on the machine's thread after the run state changed or the machine ended; it must only
 * wake somebody. */
void machine_set_notify(Machine *machine, void (*notify)(void *opaque), void *opaque);

/* Runs 'run(opaque)' on the machine's thread at the next instruction boundary, and returns when it
 * is done. Any thread, in any run state. */
void machine_call(Machine *machine, void (*run)(void *opaque), void *opaque);

/* Input, any thread. False: the machine takes no more at present. */
bool machine_send_key(Machine *machine, int key, bool down);
bool machine_send_mouse_move(Machine *machine, int32_t dx, int32_t dy, int32_t dz);
bool machine_send_mouse_buttons(Machine *machine, uint32_t buttons); /* 1 left, 2 right, 4 middle */
/* The place of the pointer on a tablet, 0 to MACHINE_PLACE_MOST; it comes to something only while
 * the guest uses one, which then has the buttons and the wheel, too. */
#define MACHINE_PLACE_MOST 32767
bool machine_has_absolute_pointer(const Machine *machine);
/* Something that takes them may be plugged in, used or not. */
bool machine_may_take_places(const Machine *machine);
bool machine_send_mouse_absolute(Machine *machine, uint32_t x, uint32_t y);
/* Of the gameport; as in gameport.h. */
bool machine_has_gameport(const Machine *machine);
bool machine_send_joystick(Machine *machine, unsigned axis, int position);
bool machine_send_joystick_button(Machine *machine, unsigned button, bool down);
size_t machine_send_serial(Machine *machine, unsigned port, const uint8_t *data, size_t size);

/* Presses the keys together and lets them go after 'hold_ms' of guest time; keys of earlier calls
 * come first. False if too many wait already. Any thread. */
bool machine_press_keys(Machine *machine, const int *keys, int count, uint32_t hold_ms);

/* The screen. Asking renders at the next opportunity; a new picture is published under the frame
 * lock. Any thread. */
void machine_request_frame(Machine *machine);
/* The published picture, and its number, which grows with each one. Holds the lock until
 * machine_unlock_frame(). */
const DisplaySurface *machine_lock_frame(Machine *machine, uint64_t *number);
void machine_unlock_frame(Machine *machine);

/* How often each drive (in the order of 'info block') was read and written, how many frames went
 * through each network card's cable, as of the last frame that was asked for: for lamps. Any
 * thread. */
typedef struct MachineActivity {
    bool present[MACHINE_DRIVES];
    uint64_t transfers[MACHINE_DRIVES];
    bool has_cable[MACHINE_NETWORK_CARDS]; /* that is plugged in */
    uint64_t frames[MACHINE_NETWORK_CARDS];
} MachineActivity;
void machine_get_activity(Machine *machine, MachineActivity *activity);

/* The number of the machine's thread as the host's kernel knows it; 0: it has none yet. Any thread.
 */
int machine_thread_id(Machine *machine);

/* Instructions completed so far, at most some milliseconds old. Any thread. */
uint64_t machine_instruction_count(Machine *machine);

#endif
