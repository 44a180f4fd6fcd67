/* Text that somebody pastes, typed by a typist (typist.h) while the machine runs. */
#ifndef REPRISE_MACHINE_TYPING_H
#define REPRISE_MACHINE_TYPING_H

#include "clock.h"
#include "error.h"
#include "machine.h"
#include "typist.h"

typedef struct MachineTyping {
    Typist typist;
    Timer timer;
    int64_t due_ns;
    bool due;
    char *text; /* NULL: nothing is being typed */
} MachineTyping;

/* Types a text (UTF-8) on a keyboard of the machine's layout, in place of what is still being
 * typed. False, and nothing typed, if it has a character that no key types. Any thread. */
bool machine_type_text(Machine *machine, const char *text, size_t size, Error *error);

/* For the machine: after the board was made; where its state becomes another, or it goes. */
void machine_typing_init(Machine *machine);
void machine_typing_stop(Machine *machine);
/* For the run loop: presses what is due. */
void machine_serve_typing(Machine *machine);

#endif
