/* Symbols of the X window system (X11/keysymdef.h) as keys: VNC clients send what a key means,
 * not where it is. Characters are looked up in the layout that the guest is set to. */
#include "vnc_internal.h"

// clang-format off
static const struct {
    uint32_t symbol;
    int key;
} symbols[] = {
    {0xFF08, KEYBOARD_KEY_BACKSPACE}, {0xFF09, KEYBOARD_KEY_TAB}, {0xFE20, KEYBOARD_KEY_TAB}, {0xFF0D, KEYBOARD_KEY_RET},
    {0xFF13, KEYBOARD_KEY_PAUSE}, {0xFF14, KEYBOARD_KEY_SCROLL_LOCK}, {0xFF15, KEYBOARD_KEY_SYSRQ}, {0xFF1B, KEYBOARD_KEY_ESC},
    {0xFF50, KEYBOARD_KEY_HOME}, {0xFF51, KEYBOARD_KEY_LEFT}, {0xFF52, KEYBOARD_KEY_UP}, {0xFF53, KEYBOARD_KEY_RIGHT},
    {0xFF54, KEYBOARD_KEY_DOWN}, {0xFF55, KEYBOARD_KEY_PGUP}, {0xFF56, KEYBOARD_KEY_PGDN}, {0xFF57, KEYBOARD_KEY_END},
    {0xFF61, KEYBOARD_KEY_PRINT}, {0xFF63, KEYBOARD_KEY_INSERT}, {0xFF67, KEYBOARD_KEY_COMPOSE}, {0xFF7F, KEYBOARD_KEY_NUM_LOCK},
    {0xFF8D, KEYBOARD_KEY_KP_ENTER}, {0xFF95, KEYBOARD_KEY_KP_7}, {0xFF96, KEYBOARD_KEY_KP_4}, {0xFF97, KEYBOARD_KEY_KP_8},
    {0xFF98, KEYBOARD_KEY_KP_6}, {0xFF99, KEYBOARD_KEY_KP_2}, {0xFF9A, KEYBOARD_KEY_KP_9}, {0xFF9B, KEYBOARD_KEY_KP_3},
    {0xFF9C, KEYBOARD_KEY_KP_1}, {0xFF9D, KEYBOARD_KEY_KP_5}, {0xFF9E, KEYBOARD_KEY_KP_0}, {0xFF9F, KEYBOARD_KEY_KP_DECIMAL},
    {0xFFAA, KEYBOARD_KEY_KP_MULTIPLY}, {0xFFAB, KEYBOARD_KEY_KP_ADD}, {0xFFAD, KEYBOARD_KEY_KP_SUBTRACT},
    {0xFFAE, KEYBOARD_KEY_KP_DECIMAL}, {0xFFAF, KEYBOARD_KEY_KP_DIVIDE}, {0xFFB0, KEYBOARD_KEY_KP_0},
    {0xFFB1, KEYBOARD_KEY_KP_1}, {0xFFB2, KEYBOARD_KEY_KP_2}, {0xFFB3, KEYBOARD_KEY_KP_3}, {0xFFB4, KEYBOARD_KEY_KP_4},
    {0xFFB5, KEYBOARD_KEY_KP_5}, {0xFFB6, KEYBOARD_KEY_KP_6}, {0xFFB7, KEYBOARD_KEY_KP_7}, {0xFFB8, KEYBOARD_KEY_KP_8},
    {0xFFB9, KEYBOARD_KEY_KP_9}, {0xFFBE, KEYBOARD_KEY_F1}, {0xFFBF, KEYBOARD_KEY_F2}, {0xFFC0, KEYBOARD_KEY_F3},
    {0xFFC1, KEYBOARD_KEY_F4}, {0xFFC2, KEYBOARD_KEY_F5}, {0xFFC3, KEYBOARD_KEY_F6}, {0xFFC4, KEYBOARD_KEY_F7},
    {0xFFC5, KEYBOARD_KEY_F8}, {0xFFC6, KEYBOARD_KEY_F9}, {0xFFC7, KEYBOARD_KEY_F10}, {0xFFC8, KEYBOARD_KEY_F11},
    {0xFFC9, KEYBOARD_KEY_F12}, {0xFFE1, KEYBOARD_KEY_SHIFT}, {0xFFE2, KEYBOARD_KEY_SHIFT_R}, {0xFFE3, KEYBOARD_KEY_CTRL},
    {0xFFE4, KEYBOARD_KEY_CTRL_R}, {0xFFE5, KEYBOARD_KEY_CAPS_LOCK}, {0xFFE7, KEYBOARD_KEY_ALT}, {0xFFE8, KEYBOARD_KEY_ALT_R},
    {0xFFE9, KEYBOARD_KEY_ALT}, {0xFFEA, KEYBOARD_KEY_ALT_R}, {0xFE03, KEYBOARD_KEY_ALT_R}, {0xFFEB, KEYBOARD_KEY_META_L},
    {0xFFEC, KEYBOARD_KEY_META_R}, {0xFFFF, KEYBOARD_KEY_DELETE},
};
// clang-format on

/* Dead keys of the client, as the accents on them. */
static const struct {
    uint32_t symbol, accent;
} dead_keys[] = {{0xFE50, '`'}, {0xFE51, 0xB4}, {0xFE52, '^'}, {0xFE53, '~'}, {0xFE57, 0xA8}};

/* Latin 1 is itself, and so is all of Unicode with 01000000h added. */
uint32_t vnc_keys_character(uint32_t symbol) {
    if ((symbol >= ' ' && symbol <= '~') || (symbol >= 0xA0 && symbol <= 0xFF))
        return symbol;
    if (symbol > 0x01000000 && symbol <= 0x0110FFFF)
        return symbol - 0x01000000;
    for (size_t i = 0; i < sizeof(dead_keys) / sizeof(dead_keys[0]); i++)
        if (dead_keys[i].symbol == symbol)
            return dead_keys[i].accent;
    return symbol == 0x20AC ? symbol : 0; /* the euro sign */
}

int vnc_keys_find(const KeyboardLayout *layout, uint32_t symbol) {
    uint32_t character = vnc_keys_character(symbol);
    if (character != 0)
        return keyboard_layout_find_key(layout, character);
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
        if (symbols[i].symbol == symbol)
            return symbols[i].key;
    return -1;
}
