#include "machine_clipboard.h"
#include "machine_action.h"
#include "machine_parts.h"

#include <string.h>

_Static_assert(MACHINE_CLIPBOARD_BYTES <= ACTION_BYTES, "a text is one action");

void machine_clipboard_init(MachineClipboard *clipboard) {
    clipboard->size = 0;
    pthread_mutex_init(&clipboard->lock, NULL);
}

void machine_clipboard_destroy(MachineClipboard *clipboard) {
    pthread_mutex_destroy(&clipboard->lock);
}

void machine_clipboard_put(Machine *machine, const uint8_t *text, size_t size) {
    MachineClipboard *clipboard = &machine->clipboard;
    if (machine_is_replaying(machine))
        return;
    pthread_mutex_lock(&clipboard->lock);
    clipboard->size = size < MACHINE_CLIPBOARD_BYTES ? size : MACHINE_CLIPBOARD_BYTES;
    memcpy(clipboard->text, text, clipboard->size);
    pthread_mutex_unlock(&clipboard->lock);
}

size_t machine_take_copied_text(Machine *machine, uint8_t *text) {
    MachineClipboard *clipboard = &machine->clipboard;
    pthread_mutex_lock(&clipboard->lock);
    size_t size = clipboard->size;
    memcpy(text, clipboard->text, size);
    clipboard->size = 0;
    pthread_mutex_unlock(&clipboard->lock);
    return size;
}

bool machine_wants_text(Machine *machine) {
    return machine->board.vmware_port != NULL && vmware_port_wants_text(machine->board.vmware_port);
}

typedef struct Offer {
    Machine *machine;
    const char *text;
    size_t size;
} Offer;

static void offer(void *opaque) {
    const Offer *offered = opaque;
    machine_act(offered->machine, ACTION_OFFER_TEXT, offered->text, offered->size);
}

/* A character of UTF-8 is not cut in two. */
void machine_offer_text(Machine *machine, const char *text, size_t size) {
    if (size > MACHINE_CLIPBOARD_BYTES) {
        size = MACHINE_CLIPBOARD_BYTES;
        while (size > 0 && ((uint8_t)text[size] & 0xC0) == 0x80)
            size--;
    }
    Offer offered = {machine, text, size};
    machine_call(machine, offer, &offered);
}
