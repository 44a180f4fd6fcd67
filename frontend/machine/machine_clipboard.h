/* Texts between the host's clipboard and the guest's, by VMware's port.
 *
 * What the host offers is an action, so that it is recorded; what the guest copies waits here for
 * the window, and is no state of the guest. Nothing is offered to a guest that has not asked: else
 * each recording would have what was on the clipboard. */
#ifndef REPRISE_MACHINE_CLIPBOARD_H
#define REPRISE_MACHINE_CLIPBOARD_H

#include "machine.h"
#include "vmware_port.h"
#include <pthread.h>

#define MACHINE_CLIPBOARD_BYTES VMWARE_SELECTION_BYTES

typedef struct MachineClipboard {
    pthread_mutex_t lock;
    size_t size; /* of the text that nobody has taken yet; 0: there is none */
    uint8_t text[MACHINE_CLIPBOARD_BYTES];
} MachineClipboard;

void machine_clipboard_init(MachineClipboard *clipboard);
void machine_clipboard_destroy(MachineClipboard *clipboard);

/* The guest has copied a text. Of a past that is replayed nobody is told. The machine's thread. */
void machine_clipboard_put(Machine *machine, const uint8_t *text, size_t size);

/* Takes the newest text that the guest has copied, at most MACHINE_CLIPBOARD_BYTES; returns its
 * size, 0 where there is none. Any thread. */
size_t machine_take_copied_text(Machine *machine, uint8_t *text);

/* The guest has asked for a text since its last reset. Any thread. */
bool machine_wants_text(Machine *machine);

/* The guest finds the text when it asks next; longer ones are cut. Any thread. */
void machine_offer_text(Machine *machine, const char *text, size_t size);

#endif
