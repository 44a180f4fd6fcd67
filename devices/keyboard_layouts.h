/* Keyboard layouts that a guest can be set to: which keys type a character there. */
#ifndef REPRISE_KEYBOARD_LAYOUTS_H
#define REPRISE_KEYBOARD_LAYOUTS_H

#include "keyboard_keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct KeyboardLayout KeyboardLayout;

/* Which modifiers go with a key. */
enum { KEYBOARD_SHIFT = 1, KEYBOARD_ALT_GR = 2 };

enum { KEYBOARD_LONGEST_TYPING = 2 };

/* Keys that type a character, one after the other: a dead key may come first. */
typedef struct KeyboardTyping {
    struct {
        KeyboardKey key;
        unsigned modifiers;
    } strokes[KEYBOARD_LONGEST_TYPING];
    unsigned count;
} KeyboardTyping;

/* The layout of this name ("en-us", "de"); NULL if there is none. */
const KeyboardLayout *keyboard_layout_find(const char *name);
/* The layouts in their order; NULL after the last. The first is that of the USA, the default. */
const KeyboardLayout *keyboard_layout_get(size_t number);
const char *keyboard_layout_name(const KeyboardLayout *layout);
/* "Germany" */
const char *keyboard_layout_region(const KeyboardLayout *layout);

/* How a character (Unicode) is typed; 'layout' may be NULL for the default. Line feed and carriage
 * return are Enter; tab, backspace, escape and space have their keys too. False if no keys type it.
 */
bool keyboard_layout_type(const KeyboardLayout *layout, uint32_t character, KeyboardTyping *typing);

/* The key that has a character or a dead accent on it, with whatever modifiers; -1 if none has. */
int keyboard_layout_find_key(const KeyboardLayout *layout, uint32_t character);

#endif
