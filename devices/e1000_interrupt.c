/* Causes, masks, and when the pin tells of them: delays after frames and descriptors, and the least
 * time between two interrupts (3.2.7, 3.4.3, 13.4.18). */
#include "e1000_internal.h"

enum { DELAY_UNIT_NS = 1024, THROTTLE_UNIT_NS = 256 };

static void set_pin(E1000 *card, bool level) {
    card->state.pin = level;
    pci_device_set_pin(card->pci, 0, level);
}

/* A request that stands is not looked at again: it goes when software reads ICR, or masks it. */
void e1000_update_interrupt(E1000 *card) {
    E1000State *state = &card->state;
    bool wanted = (state->icr & state->ims) != 0;
    int64_t now = clock_now_ns(card->context.clock);
    if (wanted && !state->pin && now < state->quiet_until_ns) {
        e1000_arm(card, E1000_TIMER_THROTTLE, state->quiet_until_ns - now);
        return;
    }
    e1000_cancel(card, E1000_TIMER_THROTTLE);
    if (wanted && !state->pin)
        state->quiet_until_ns = now + (int64_t)state->itr * THROTTLE_UNIT_NS;
    set_pin(card, wanted);
}

void e1000_raise(E1000 *card, uint32_t causes) {
    card->state.icr |= causes;
    e1000_update_interrupt(card);
}

static void tell_of_frames(E1000 *card) {
    e1000_cancel(card, E1000_TIMER_RECEIVE_DELAY);
    e1000_cancel(card, E1000_TIMER_RECEIVE_ABSOLUTE);
    e1000_raise(card, E1000_RXT0);
}

static void tell_of_descriptors(E1000 *card) {
    e1000_cancel(card, E1000_TIMER_TRANSMIT_DELAY);
    e1000_cancel(card, E1000_TIMER_TRANSMIT_ABSOLUTE);
    e1000_raise(card, E1000_TXDW);
}

/* RDTR begins anew with each frame; RADV runs since the first. */
void e1000_frame_received(E1000 *card, size_t size) {
    E1000State *state = &card->state;
    uint32_t delay = state->rdtr & 0xFFFF;
    if (size <= state->rsrpd)
        e1000_raise(card, E1000_SRPD);
    if (delay == 0) {
        tell_of_frames(card);
        return;
    }
    e1000_arm(card, E1000_TIMER_RECEIVE_DELAY, (int64_t)delay * DELAY_UNIT_NS);
    if (state->radv != 0 && !timer_is_armed(&card->timers[E1000_TIMER_RECEIVE_ABSOLUTE]))
        e1000_arm(card, E1000_TIMER_RECEIVE_ABSOLUTE, (int64_t)state->radv * DELAY_UNIT_NS);
}

void e1000_descriptor_written(E1000 *card, bool delayed) {
    E1000State *state = &card->state;
    uint32_t delay = state->tidv & 0xFFFF;
    if (!delayed || delay == 0) {
        tell_of_descriptors(card);
        return;
    }
    e1000_arm(card, E1000_TIMER_TRANSMIT_DELAY, (int64_t)delay * DELAY_UNIT_NS);
    if (state->tadv != 0 && !timer_is_armed(&card->timers[E1000_TIMER_TRANSMIT_ABSOLUTE]))
        e1000_arm(card, E1000_TIMER_TRANSMIT_ABSOLUTE, (int64_t)state->tadv * DELAY_UNIT_NS);
}

void e1000_interrupt_timer(E1000 *card, E1000Timer timer) {
    if (timer == E1000_TIMER_RECEIVE_DELAY || timer == E1000_TIMER_RECEIVE_ABSOLUTE)
        tell_of_frames(card);
    else if (timer == E1000_TIMER_TRANSMIT_DELAY || timer == E1000_TIMER_TRANSMIT_ABSOLUTE)
        tell_of_descriptors(card);
    else
        e1000_update_interrupt(card);
}
