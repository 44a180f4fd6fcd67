/* The one door by which everything from outside enters a machine: keys, mouse, serial bytes,
 * commands.
 *
 * Any thread puts items in; the machine's own thread takes them out at an instruction boundary and
 * stamps them with the count of instructions at which the guest got them, so that a run can be
 * recorded. */
#ifndef REPRISE_INPUT_DOOR_H
#define REPRISE_INPUT_DOOR_H

#include "host_thread.h"
#include <stdbool.h>
#include <stdint.h>

#define INPUT_DOOR_ITEMS 1024
#define INPUT_DOOR_BYTES 64

typedef enum InputKind {
    INPUT_KEY,            /* key.key (KEYBOARD_KEY_*), key.down */
    INPUT_MOUSE_MOVE,     /* mouse.dx, dy, dz */
    INPUT_MOUSE_BUTTON,   /* mouse.buttons: 1 left, 2 right, 4 middle */
    INPUT_SERIAL,         /* bytes for serial port 'port' */
    INPUT_JOYSTICK,       /* joystick.control: 0 to 3 axes, 4 to 7 buttons; joystick.value */
    INPUT_MOUSE_ABSOLUTE, /* place.x, y */
    INPUT_COMMAND,        /* command.run on the machine's thread */
} InputKind;

typedef struct InputItem {
    InputKind kind;
    uint64_t instruction_count; /* when it left the door */
    union {
        struct {
            int key;
            bool down;
        } key;
        struct {
            int32_t dx, dy, dz;
            uint32_t buttons;
        } mouse;
        struct {
            uint32_t x, y;
        } place;
        struct {
            uint32_t control;
            int32_t value;
        } joystick;
        struct {
            uint8_t port, count;
            uint8_t bytes[INPUT_DOOR_BYTES];
        } serial;
        struct {
            void (*run)(void *opaque);
            void *opaque;
        } command;
    };
} InputItem;

typedef struct InputDoor {
    pthread_mutex_t lock;
    InputItem items[INPUT_DOOR_ITEMS];
    uint32_t first, count;
    HostSleeper sleeper; /* called by items and input_door_wake() */
    bool woken;          /* atomic: input_door_wake() since the last wait */
} InputDoor;

void input_door_init(InputDoor *door);
void input_door_destroy(InputDoor *door);

/* False: the door is full and the item was dropped (a guest that takes no input must not fill the
 * host's memory). */
bool input_door_put(InputDoor *door, const InputItem *item);

/* Takes the oldest item; false if there is none. */
bool input_door_take(InputDoor *door, uint64_t instruction_count, InputItem *item);

/* Is there anything to take? A hint that costs no lock: the next look sees what this one missed. */
bool input_door_is_waiting(InputDoor *door);

/* Sleeps until something arrives, input_door_wake() is called, or 'nanoseconds' have passed
 * (negative: for ever); now and then for less. One thread alone waits at a door. */
void input_door_wait(InputDoor *door, int64_t nanoseconds);
void input_door_wake(InputDoor *door);

#endif
