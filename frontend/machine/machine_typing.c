/* See machine_typing.h. */
#include "machine_typing.h"
#include "host_string.h"
#include "machine_parts.h"

#include <stdlib.h>
#include <string.h>

#define KEY_TIMEOUT_NS                                                                             \
    (30 * NS_PER_SECOND) /* a program that reads no key for so long wants none                     \
                          */

/* What is typed enters between two rounds of the run loop, as all does that comes from outside. */
static void step_is_due(void *opaque) {
    Machine *machine = opaque;
    machine->typing.due = true;
}

void machine_serve_typing(Machine *machine) {
    MachineTyping *typing = &machine->typing;
    if (!typing->due)
        return;
    typing->due = false;
    if (typing->text == NULL)
        return;
    if (machine_is_replaying(machine))
        machine_typing_stop(machine);
    else if (typist_step(&typing->typist))
        machine_typing_stop(machine);
    else
        timer_arm(&typing->timer, clock_now_ns(&machine->clock) + TYPIST_STEP_NS);
}

void machine_typing_init(Machine *machine) {
    MachineTyping *typing = &machine->typing;
    timer_init(&typing->timer, &machine->clock, "typing", &typing->due_ns, step_is_due, machine);
}

void machine_typing_stop(Machine *machine) {
    MachineTyping *typing = &machine->typing;
    if (typing->text == NULL)
        return;
    timer_cancel(&typing->timer);
    free(typing->text);
    typing->text = NULL;
}

typedef struct TypingRequest {
    Machine *machine;
    const char *text;
    size_t size;
    Error *error;
    bool good;
} TypingRequest;

static void begin(void *opaque) {
    TypingRequest *request = opaque;
    Machine *machine = request->machine;
    MachineTyping *typing = &machine->typing;
    Typist checked;
    request->good = typist_begin_text(&checked, machine, request->text, request->size,
                                      KEY_TIMEOUT_NS, request->error);
    if (!request->good || request->size == 0)
        return;
    machine_typing_stop(machine);
    typing->text = strndup(request->text, request->size);
    typist_begin_text(&typing->typist, machine, typing->text, request->size, KEY_TIMEOUT_NS,
                      request->error);
    timer_arm(&typing->timer, clock_now_ns(&machine->clock) + TYPIST_STEP_NS);
}

bool machine_type_text(Machine *machine, const char *text, size_t size, Error *error) {
    TypingRequest request = {machine, text, size, error, false};
    machine_call(machine, begin, &request);
    return request.good;
}
