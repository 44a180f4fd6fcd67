/* The host's clipboard and the guest's, where its tools use VMware's port. */
#include "allocate.h"
#include "machine_clipboard.h"
#include "sdl_window.h"

#include <stdlib.h>
#include <string.h>

void sdl_clipboard_note_change(Display *display) {
    display->clipboard_is_read = false;
}

/* Whether all of it is UTF-8, as far as lengths go. */
static bool is_utf8(const uint8_t *text, size_t size) {
    for (size_t at = 0; at < size;) {
        uint8_t lead = text[at++];
        size_t more = lead < 0x80                   ? 0
                      : lead >= 0xC2 && lead < 0xE0 ? 1
                      : lead >= 0xE0 && lead < 0xF0 ? 2
                      : lead >= 0xF0 && lead < 0xF5 ? 3
                                                    : SIZE_MAX;
        if (more > size - at)
            return false;
        for (; more > 0; more--, at++)
            if ((text[at] & 0xC0) != 0x80)
                return false;
    }
    return true;
}

/* Other bytes are taken for Latin-1. The text ends at its first zero. */
static char *make_text(const uint8_t *bytes, size_t size) {
    const uint8_t *end = memchr(bytes, '\0', size);
    size = end != NULL ? (size_t)(end - bytes) : size;
    bool keeps = is_utf8(bytes, size);
    char *text = allocate_zeroed(2 * size + 1), *to = text;
    for (size_t i = 0; i < size; i++) {
        if (!keeps && bytes[i] >= 0x80) {
            *to++ = (char)(0xC0 | bytes[i] >> 6);
            *to++ = (char)(0x80 | (bytes[i] & 0x3F));
        } else {
            *to++ = (char)bytes[i];
        }
    }
    return text;
}

static void set_known(Display *display, char *text) {
    free(display->clipboard);
    display->clipboard = text;
}

static void take_from_guest(Display *display) {
    uint8_t bytes[MACHINE_CLIPBOARD_BYTES];
    size_t size = machine_take_copied_text(display->machine, bytes);
    if (size == 0)
        return;
    set_known(display, make_text(bytes, size));
    display->sdl.SetClipboardText(display->clipboard);
}

/* What came from the guest does not go back to it. */
static void offer_to_guest(Display *display) {
    char *text = display->sdl.GetClipboardText();
    size_t size = text != NULL ? strlen(text) : 0;
    bool is_known =
        display->clipboard != NULL && text != NULL && strcmp(text, display->clipboard) == 0;
    if (size != 0 && !is_known) {
        machine_offer_text(display->machine, text, size);
        char *copy = allocate_zeroed(size + 1);
        memcpy(copy, text, size);
        set_known(display, copy);
    }
    display->sdl.free(text);
}

void sdl_clipboard_update(Display *display) {
    take_from_guest(display);
    if (!display->clipboard_is_read && machine_wants_text(display->machine)) {
        display->clipboard_is_read = true;
        offer_to_guest(display);
    }
}

void sdl_clipboard_free(Display *display) {
    free(display->clipboard);
    display->clipboard = NULL;
}
