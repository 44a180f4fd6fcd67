#include "keyboard_keys.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const KeyboardKeyInfo keys[KEYBOARD_KEY_COUNT] = {
#define KEYBOARD_KEY_ROW(id, name, set1, set2, set3) {name, {set1, set2, set3}},
    KEYBOARD_KEYS(KEYBOARD_KEY_ROW)
#undef KEYBOARD_KEY_ROW
};

typedef struct KeyAlias {
    const char *name;
    KeyboardKey key;
} KeyAlias;

static const KeyAlias aliases[] = {
    {"control", KEYBOARD_KEY_CTRL},
    {"asterisk", KEYBOARD_KEY_KP_MULTIPLY},
    {"menu", KEYBOARD_KEY_COMPOSE},
    {"meta", KEYBOARD_KEY_META_L},
    {"enter", KEYBOARD_KEY_RET},
    {"space", KEYBOARD_KEY_SPC},
    {"page_up", KEYBOARD_KEY_PGUP},
    {"page_down", KEYBOARD_KEY_PGDN},
    {"katakanahiragana", KEYBOARD_KEY_HIRAGANA},
};

static int find_by_code(const char *text) {
    char *end;
    unsigned long code = strtoul(text, &end, 16);
    if (*end != 0)
        return -1;
    if ((code & 0xFF80) == 0x80) /* QEMU writes the E0 prefix as bit 7 */
        code = 0xE000 | (code & 0x7F);
    for (int key = 0; key < KEYBOARD_KEY_COUNT; key++)
        if (code != 0 && keys[key].code[0] == code)
            return key;
    return -1;
}

int keyboard_key_find(const char *name) {
    if (strncmp(name, "0x", 2) == 0)
        return find_by_code(name);
    for (int key = 0; key < KEYBOARD_KEY_COUNT; key++)
        if (strcmp(keys[key].name, name) == 0)
            return key;
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (strcmp(aliases[i].name, name) == 0)
            return (int)aliases[i].key;
    return -1;
}

const KeyboardKeyInfo *keyboard_key_info(int key) {
    return key >= 0 && key < KEYBOARD_KEY_COUNT ? &keys[key] : NULL;
}
