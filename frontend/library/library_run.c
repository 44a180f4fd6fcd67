/* Running a machine of the library, and what enters it. */
#define _GNU_SOURCE
#include "board.h"
#include "host_string.h"
#include "library_parts.h"
#include "machine_time.h"
#include "machine_typing.h"
#include "typist.h"

#include <string.h>

/* How often a text is looked for, and how long a key may wait for the guest. */
#define POLL_NS 10000000
#define KEY_TIMEOUT_NS (30 * REPRISE_SECOND)

_Static_assert((int)REPRISE_MET == WAIT_MET && (int)REPRISE_TIMED_OUT == WAIT_TIMED_OUT, "");
_Static_assert((int)REPRISE_HUNG == WAIT_HUNG && (int)REPRISE_CRASHED == WAIT_CRASHED, "");
_Static_assert((int)REPRISE_ENDED == WAIT_ENDED && (int)REPRISE_INTERRUPTED == WAIT_INTERRUPTED,
               "");

static int64_t find_deadline_ns(RepriseMachine *machine, int64_t timeout_ns) {
    int64_t now_ns = machine_guest_time_ns(machine->machine);
    return timeout_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + timeout_ns;
}

RepriseEnd reprise_run_instructions(RepriseMachine *machine, uint64_t instructions) {
    return (RepriseEnd)machine_run_exactly(machine->machine, instructions, INT64_MAX);
}

RepriseEnd reprise_run_time(RepriseMachine *machine, int64_t guest_ns) {
    return (RepriseEnd)machine_run_until(machine->machine, find_deadline_ns(machine, guest_ns),
                                         INT64_MAX, NULL, NULL);
}

RepriseEnd reprise_run_until(RepriseMachine *machine, int64_t timeout_ns, int64_t poll_ns,
                             bool (*met)(void *opaque), void *opaque) {
    return (RepriseEnd)machine_run_until(machine->machine, find_deadline_ns(machine, timeout_ns),
                                         poll_ns > 0 ? poll_ns : POLL_NS, met, opaque);
}

typedef struct TextSearch {
    Machine *machine;
    const char *text;
} TextSearch;

static bool screen_has_text(void *opaque) {
    const TextSearch *search = opaque;
    ByteBuffer screen = {.data = NULL};
    bool found = board_get_text(&search->machine->board, &screen) && screen.size > 0 &&
                 memmem(screen.data, screen.size, search->text, strlen(search->text)) != NULL;
    byte_buffer_free(&screen);
    return found;
}

RepriseEnd reprise_run_until_text(RepriseMachine *machine, int64_t timeout_ns, const char *text) {
    TextSearch search = {machine->machine, text};
    return reprise_run_until(machine, timeout_ns, POLL_NS, screen_has_text, &search);
}

void reprise_interrupt(RepriseMachine *machine) {
    __atomic_store_n(&machine->interrupted, true, __ATOMIC_RELAXED);
}

void reprise_stop_at_triple_fault(RepriseMachine *machine, bool stop) {
    machine_stop_at_triple_fault(machine->machine, stop);
}

/* --- in its own thread --- */

bool reprise_start(RepriseMachine *machine, RepriseError *error) {
    Error inner = {.set = false};
    machine->started = machine_start(machine->machine, &inner);
    return library_tell(error, &inner);
}

bool reprise_pause(RepriseMachine *machine, RepriseError *error) {
    Error inner = {.set = false};
    machine_stop(machine->machine, &inner);
    return library_tell(error, &inner);
}

bool reprise_continue(RepriseMachine *machine, RepriseError *error) {
    Error inner = {.set = false};
    machine_continue(machine->machine, &inner);
    return library_tell(error, &inner);
}

void reprise_set_notify(RepriseMachine *machine, void (*notify)(void *opaque), void *opaque) {
    machine_set_notify(machine->machine, notify, opaque);
}

bool reprise_has_ended(RepriseMachine *machine, int *status) {
    int ignored;
    return machine_has_ended(machine->machine, status != NULL ? status : &ignored);
}

void reprise_reset(RepriseMachine *machine) {
    machine_reset(machine->machine);
}

void reprise_power_down(RepriseMachine *machine) {
    machine_power_down(machine->machine);
}

/* --- keys, mouse, serial ports --- */

bool reprise_send_key(RepriseMachine *machine, const char *key, bool down) {
    int keys[TYPIST_MOST_KEYS];
    unsigned count;
    return typist_read_keys(key, keys, &count, NULL) && count == 1 &&
           machine_send_key(machine->machine, keys[0], down);
}

bool reprise_press_keys(RepriseMachine *machine, const char *keys, unsigned hold_ms,
                        RepriseError *error) {
    Error inner = {.set = false};
    int codes[TYPIST_MOST_KEYS];
    unsigned count;
    if (typist_read_keys(keys, codes, &count, &inner) &&
        !machine_press_keys(machine->machine, codes, (int)count, hold_ms))
        error_set(&inner, "too many keys wait already");
    return library_tell(error, &inner);
}

static bool type_now(Machine *machine, const char *text, Error *error) {
    Typist typist;
    if (!typist_begin_text(&typist, machine, text, strlen(text), KEY_TIMEOUT_NS, error))
        return false;
    WaitEnd end = machine_run_with(machine, TYPIST_STEP_NS, typist_step, &typist);
    if (typist.phase == TYPIST_DONE ||
        ((end == WAIT_ENDED || end == WAIT_HUNG) && typist_has_pressed(&typist)))
        return true;
    if (end == WAIT_MET)
        typist_explain(&typist, error);
    return error_set(error, "the machine ended before all was typed");
}

bool reprise_type(RepriseMachine *machine, const char *text, RepriseError *error) {
    Error inner = {.set = false};
    if (machine->started)
        machine_type_text(machine->machine, text, strlen(text), &inner);
    else
        type_now(machine->machine, text, &inner);
    return library_tell(error, &inner);
}

bool reprise_move_mouse(RepriseMachine *machine, int32_t dx, int32_t dy, int32_t dz) {
    return machine_send_mouse_move(machine->machine, dx, dy, dz);
}

bool reprise_press_buttons(RepriseMachine *machine, uint32_t buttons) {
    return machine_send_mouse_buttons(machine->machine, buttons);
}

bool reprise_place_pointer(RepriseMachine *machine, uint32_t x, uint32_t y) {
    return x <= MACHINE_PLACE_MOST && y <= MACHINE_PLACE_MOST &&
           machine_send_mouse_absolute(machine->machine, x, y);
}

size_t reprise_send_serial(RepriseMachine *machine, unsigned port, const void *bytes, size_t size) {
    return port < MACHINE_SERIAL_PORTS ? machine_send_serial(machine->machine, port, bytes, size)
                                       : 0;
}
