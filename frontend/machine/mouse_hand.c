#include "mouse_hand.h"
#include "board_input.h"
#include "machine_action.h"
#include "machine_parts.h"

void mouse_hand_begin_move(MouseHand *hand, Machine *machine, int32_t dx, int32_t dy, int32_t dz,
                           int32_t longest, int64_t timeout_ns) {
    bool good = longest >= 1 && longest <= MOUSE_LONGEST_STEP;
    *hand = (MouseHand){.machine = machine,
                        .timeout_ns = timeout_ns,
                        .since_ns = clock_now_ns(&machine->clock),
                        .dx = dx,
                        .dy = dy,
                        .dz = dz,
                        .longest = good ? longest : MOUSE_LONGEST_STEP};
}

void mouse_hand_begin_buttons(MouseHand *hand, Machine *machine, uint32_t buttons,
                              int64_t timeout_ns) {
    *hand = (MouseHand){.machine = machine,
                        .timeout_ns = timeout_ns,
                        .since_ns = clock_now_ns(&machine->clock),
                        .changes_buttons = true,
                        .buttons = buttons};
}

/* Software has read all that the mouse had to tell. */
static bool line_is_free(const MouseHand *hand) {
    const Board *board = &hand->machine->board;
    return board_mouse_listens(board) && board_mouse_is_idle(board);
}

static int32_t take_part(int32_t *left, int32_t longest) {
    int32_t part = *left > longest ? longest : *left < -longest ? -longest : *left;
    *left -= part;
    return part;
}

/* The next packet's worth; false if there is none. */
static bool act(MouseHand *hand) {
    hand->since_ns = clock_now_ns(&hand->machine->clock);
    if (hand->changes_buttons) {
        hand->changes_buttons = false;
        machine_act_numbers(hand->machine, ACTION_MOUSE_BUTTON, &hand->buttons, 1);
        return true;
    }
    if (hand->dx == 0 && hand->dy == 0 && hand->dz == 0)
        return false;
    int32_t dx = take_part(&hand->dx, hand->longest), dy = take_part(&hand->dy, hand->longest);
    int32_t dz = take_part(&hand->dz, 1);
    machine_act_numbers(hand->machine, ACTION_MOUSE_MOVE,
                        (uint32_t[]){(uint32_t)dx, (uint32_t)dy, (uint32_t)dz}, 3);
    return true;
}

bool mouse_hand_step(void *opaque) {
    MouseHand *hand = opaque;
    if (line_is_free(hand))
        return !act(hand);
    hand->late = clock_now_ns(&hand->machine->clock) - hand->since_ns >= hand->timeout_ns;
    return hand->late;
}

void mouse_hand_explain(const MouseHand *hand, Error *error) {
    double seconds = (double)hand->timeout_ns / NS_PER_SECOND;
    if (!board_mouse_listens(&hand->machine->board))
        error_set(error, "no driver in the guest has turned the mouse on within %g s", seconds);
    else
        error_set(error, "the guest has not taken what the mouse told within %g s", seconds);
}
