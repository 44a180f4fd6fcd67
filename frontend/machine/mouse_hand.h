/* A hand that moves the PS/2 mouse and presses its buttons with flow control: the next movement
 * begins when the guest has taken the packet of the one before. Like a typist it looks at the
 * machine at intervals of guest time. */
#ifndef REPRISE_MOUSE_HAND_H
#define REPRISE_MOUSE_HAND_H

#include "error.h"
#include "machine.h"

/* How often mouse_hand_step() is to be called, in guest time. */
#define MOUSE_HAND_STEP_NS 250000

/* The most counts that one packet can tell. */
#define MOUSE_LONGEST_STEP 255

typedef struct MouseHand {
    Machine *machine;
    int64_t timeout_ns; /* of guest time, for each packet */
    int64_t since_ns;   /* when the guest was last given something */
    int32_t dx, dy, dz; /* still to go */
    int32_t longest;    /* counts of one movement */
    bool changes_buttons;
    uint32_t buttons;
    bool late;
} MouseHand;

/* Prepares to move by counts: right, down and towards the user; 'longest' of them, or 1 to
 * MOUSE_LONGEST_STEP, in a packet. */
void mouse_hand_begin_move(MouseHand *hand, Machine *machine, int32_t dx, int32_t dy, int32_t dz,
                           int32_t longest, int64_t timeout_ns);

/* Prepares to have these buttons down (1 left, 2 right, 4 middle), and the others up. */
void mouse_hand_begin_buttons(MouseHand *hand, Machine *machine, uint32_t buttons,
                              int64_t timeout_ns);

/* Goes on as far as the guest allows. True once there is nothing more to do: done, or late. Made
 * for machine_run_until(). */
bool mouse_hand_step(void *hand);

/* One line on what a hand that is late waits for. */
void mouse_hand_explain(const MouseHand *hand, Error *error);

#endif
