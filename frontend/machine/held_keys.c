/* See held_keys.h. */
#include "held_keys.h"
#include "board_input.h"
#include "machine_action.h"
#include "machine_parts.h"

/* A keyboard that nobody listens to takes what comes, and loses it: nothing is kept for later. */
static bool takes_key(const Machine *machine) {
    return !board_keyboard_listens(&machine->board) || board_keyboard_has_room(&machine->board);
}

static void press(Machine *machine, uint32_t key, bool down) {
    machine_act_numbers(machine, ACTION_KEY, (uint32_t[]){key, down}, 2);
}

void machine_serve_held_keys(Machine *machine) {
    HeldKeys *held = &machine->held_keys;
    while (held->count > 0 && takes_key(machine)) {
        struct HeldKey next = held->keys[held->first];
        held->first = (held->first + 1) % HELD_KEYS;
        held->count--;
        press(machine, next.key, next.down);
    }
}

void machine_put_key(Machine *machine, int key, bool down) {
    HeldKeys *held = &machine->held_keys;
    if (held->count == 0 && takes_key(machine)) {
        press(machine, (uint32_t)key, down);
    } else if (held->count < HELD_KEYS) {
        held->keys[(held->first + held->count++) % HELD_KEYS] =
            (struct HeldKey){(uint32_t)key, down};
    }
}
