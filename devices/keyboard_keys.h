/* The keys of a 105-key keyboard and its relatives: their names as QEMU's sendkey knows them, and
 * their scan codes. */
#ifndef REPRISE_KEYBOARD_KEYS_H
#define REPRISE_KEYBOARD_KEYS_H

#include <stdint.h>

/* KEY(enumerator, name, set 1 make code, set 2 make code, set 3 make code). A code of E0xxh is two
 * bytes; 0: the key does not exist in that set. PAUSE and PRINT have sequences of their own in sets
 * 1 and 2 (ps2_keyboard.c). (IBM PS/2 Hardware Interface Technical Reference, 'Keyboard';
 * Microsoft, 'Keyboard Scan Code Specification' 1.3a.) */
// clang-format off
#define KEYBOARD_KEYS(KEY)                                     \
    KEY(ESC,           "esc",           0x01,   0x76,   0x08)  \
    KEY(1,             "1",             0x02,   0x16,   0x16)  \
    KEY(2,             "2",             0x03,   0x1E,   0x1E)  \
    KEY(3,             "3",             0x04,   0x26,   0x26)  \
    KEY(4,             "4",             0x05,   0x25,   0x25)  \
    KEY(5,             "5",             0x06,   0x2E,   0x2E)  \
    KEY(6,             "6",             0x07,   0x36,   0x36)  \
    KEY(7,             "7",             0x08,   0x3D,   0x3D)  \
    KEY(8,             "8",             0x09,   0x3E,   0x3E)  \
    KEY(9,             "9",             0x0A,   0x46,   0x46)  \
    KEY(0,             "0",             0x0B,   0x45,   0x45)  \
    KEY(MINUS,         "minus",         0x0C,   0x4E,   0x4E)  \
    KEY(EQUAL,         "equal",         0x0D,   0x55,   0x55)  \
    KEY(BACKSPACE,     "backspace",     0x0E,   0x66,   0x66)  \
    KEY(TAB,           "tab",           0x0F,   0x0D,   0x0D)  \
    KEY(Q,             "q",             0x10,   0x15,   0x15)  \
    KEY(W,             "w",             0x11,   0x1D,   0x1D)  \
    KEY(E,             "e",             0x12,   0x24,   0x24)  \
    KEY(R,             "r",             0x13,   0x2D,   0x2D)  \
    KEY(T,             "t",             0x14,   0x2C,   0x2C)  \
    KEY(Y,             "y",             0x15,   0x35,   0x35)  \
    KEY(U,             "u",             0x16,   0x3C,   0x3C)  \
    KEY(I,             "i",             0x17,   0x43,   0x43)  \
    KEY(O,             "o",             0x18,   0x44,   0x44)  \
    KEY(P,             "p",             0x19,   0x4D,   0x4D)  \
    KEY(BRACKET_LEFT,  "bracket_left",  0x1A,   0x54,   0x54)  \
    KEY(BRACKET_RIGHT, "bracket_right", 0x1B,   0x5B,   0x5B)  \
    KEY(RET,           "ret",           0x1C,   0x5A,   0x5A)  \
    KEY(CTRL,          "ctrl",          0x1D,   0x14,   0x11)  \
    KEY(A,             "a",             0x1E,   0x1C,   0x1C)  \
    KEY(S,             "s",             0x1F,   0x1B,   0x1B)  \
    KEY(D,             "d",             0x20,   0x23,   0x23)  \
    KEY(F,             "f",             0x21,   0x2B,   0x2B)  \
    KEY(G,             "g",             0x22,   0x34,   0x34)  \
    KEY(H,             "h",             0x23,   0x33,   0x33)  \
    KEY(J,             "j",             0x24,   0x3B,   0x3B)  \
    KEY(K,             "k",             0x25,   0x42,   0x42)  \
    KEY(L,             "l",             0x26,   0x4B,   0x4B)  \
    KEY(SEMICOLON,     "semicolon",     0x27,   0x4C,   0x4C)  \
    KEY(APOSTROPHE,    "apostrophe",    0x28,   0x52,   0x52)  \
    KEY(GRAVE_ACCENT,  "grave_accent",  0x29,   0x0E,   0x0E)  \
    KEY(SHIFT,         "shift",         0x2A,   0x12,   0x12)  \
    KEY(BACKSLASH,     "backslash",     0x2B,   0x5D,   0x5C)  \
    KEY(Z,             "z",             0x2C,   0x1A,   0x1A)  \
    KEY(X,             "x",             0x2D,   0x22,   0x22)  \
    KEY(C,             "c",             0x2E,   0x21,   0x21)  \
    KEY(V,             "v",             0x2F,   0x2A,   0x2A)  \
    KEY(B,             "b",             0x30,   0x32,   0x32)  \
    KEY(N,             "n",             0x31,   0x31,   0x31)  \
    KEY(M,             "m",             0x32,   0x3A,   0x3A)  \
    KEY(COMMA,         "comma",         0x33,   0x41,   0x41)  \
    KEY(DOT,           "dot",           0x34,   0x49,   0x49)  \
    KEY(SLASH,         "slash",         0x35,   0x4A,   0x4A)  \
    KEY(SHIFT_R,       "shift_r",       0x36,   0x59,   0x59)  \
    KEY(KP_MULTIPLY,   "kp_multiply",   0x37,   0x7C,   0x7E)  \
    KEY(ALT,           "alt",           0x38,   0x11,   0x19)  \
    KEY(SPC,           "spc",           0x39,   0x29,   0x29)  \
    KEY(CAPS_LOCK,     "caps_lock",     0x3A,   0x58,   0x14)  \
    KEY(F1,            "f1",            0x3B,   0x05,   0x07)  \
    KEY(F2,            "f2",            0x3C,   0x06,   0x0F)  \
    KEY(F3,            "f3",            0x3D,   0x04,   0x17)  \
    KEY(F4,            "f4",            0x3E,   0x0C,   0x1F)  \
    KEY(F5,            "f5",            0x3F,   0x03,   0x27)  \
    KEY(F6,            "f6",            0x40,   0x0B,   0x2F)  \
    KEY(F7,            "f7",            0x41,   0x83,   0x37)  \
    KEY(F8,            "f8",            0x42,   0x0A,   0x3F)  \
    KEY(F9,            "f9",            0x43,   0x01,   0x47)  \
    KEY(F10,           "f10",           0x44,   0x09,   0x4F)  \
    KEY(NUM_LOCK,      "num_lock",      0x45,   0x77,   0x76)  \
    KEY(SCROLL_LOCK,   "scroll_lock",   0x46,   0x7E,   0x5F)  \
    KEY(KP_7,          "kp_7",          0x47,   0x6C,   0x6C)  \
    KEY(KP_8,          "kp_8",          0x48,   0x75,   0x75)  \
    KEY(KP_9,          "kp_9",          0x49,   0x7D,   0x7D)  \
    KEY(KP_SUBTRACT,   "kp_subtract",   0x4A,   0x7B,   0x84)  \
    KEY(KP_4,          "kp_4",          0x4B,   0x6B,   0x6B)  \
    KEY(KP_5,          "kp_5",          0x4C,   0x73,   0x73)  \
    KEY(KP_6,          "kp_6",          0x4D,   0x74,   0x74)  \
    KEY(KP_ADD,        "kp_add",        0x4E,   0x79,   0x7C)  \
    KEY(KP_1,          "kp_1",          0x4F,   0x69,   0x69)  \
    KEY(KP_2,          "kp_2",          0x50,   0x72,   0x72)  \
    KEY(KP_3,          "kp_3",          0x51,   0x7A,   0x7A)  \
    KEY(KP_0,          "kp_0",          0x52,   0x70,   0x70)  \
    KEY(KP_DECIMAL,    "kp_decimal",    0x53,   0x71,   0x71)  \
    KEY(SYSRQ,         "sysrq",         0x54,   0x84,   0x57)  \
    KEY(LESS,          "less",          0x56,   0x61,   0x13)  \
    KEY(F11,           "f11",           0x57,   0x78,   0x56)  \
    KEY(F12,           "f12",           0x58,   0x07,   0x5E)  \
    KEY(KP_EQUALS,     "kp_equals",     0x59,   0x0F,   0x00)  \
    KEY(HIRAGANA,      "hiragana",      0x70,   0x13,   0x87)  \
    KEY(RO,            "ro",            0x73,   0x51,   0x00)  \
    KEY(HENKAN,        "henkan",        0x79,   0x64,   0x86)  \
    KEY(MUHENKAN,      "muhenkan",      0x7B,   0x67,   0x85)  \
    KEY(YEN,           "yen",           0x7D,   0x6A,   0x5D)  \
    KEY(KP_COMMA,      "kp_comma",      0x7E,   0x6D,   0x00)  \
    KEY(KP_ENTER,      "kp_enter",      0xE01C, 0xE05A, 0x79)  \
    KEY(CTRL_R,        "ctrl_r",        0xE01D, 0xE014, 0x58)  \
    KEY(KP_DIVIDE,     "kp_divide",     0xE035, 0xE04A, 0x77)  \
    KEY(PRINT,         "print",         0xE037, 0xE07C, 0x57)  \
    KEY(ALT_R,         "alt_r",         0xE038, 0xE011, 0x39)  \
    KEY(HOME,          "home",          0xE047, 0xE06C, 0x6E)  \
    KEY(UP,            "up",            0xE048, 0xE075, 0x63)  \
    KEY(PGUP,          "pgup",          0xE049, 0xE07D, 0x6F)  \
    KEY(LEFT,          "left",          0xE04B, 0xE06B, 0x61)  \
    KEY(RIGHT,         "right",         0xE04D, 0xE074, 0x6A)  \
    KEY(END,           "end",           0xE04F, 0xE069, 0x65)  \
    KEY(DOWN,          "down",          0xE050, 0xE072, 0x60)  \
    KEY(PGDN,          "pgdn",          0xE051, 0xE07A, 0x6D)  \
    KEY(INSERT,        "insert",        0xE052, 0xE070, 0x67)  \
    KEY(DELETE,        "delete",        0xE053, 0xE071, 0x64)  \
    KEY(META_L,        "meta_l",        0xE05B, 0xE01F, 0x8B)  \
    KEY(META_R,        "meta_r",        0xE05C, 0xE027, 0x8C)  \
    KEY(COMPOSE,       "compose",       0xE05D, 0xE02F, 0x8D)  \
    KEY(POWER,         "power",         0xE05E, 0xE037, 0x00)  \
    KEY(SLEEP,         "sleep",         0xE05F, 0xE03F, 0x00)  \
    KEY(WAKE,          "wake",          0xE063, 0xE05E, 0x00)  \
    KEY(AUDIONEXT,     "audionext",     0xE019, 0xE04D, 0x93)  \
    KEY(AUDIOPREV,     "audioprev",     0xE010, 0xE015, 0x94)  \
    KEY(AUDIOSTOP,     "audiostop",     0xE024, 0xE03B, 0x98)  \
    KEY(AUDIOPLAY,     "audioplay",     0xE022, 0xE034, 0x00)  \
    KEY(AUDIOMUTE,     "audiomute",     0xE020, 0xE023, 0x9C)  \
    KEY(VOLUMEUP,      "volumeup",      0xE030, 0xE032, 0x95)  \
    KEY(VOLUMEDOWN,    "volumedown",    0xE02E, 0xE021, 0x9D)  \
    KEY(MAIL,          "mail",          0xE06C, 0xE048, 0x00)  \
    KEY(CALCULATOR,    "calculator",    0xE021, 0xE02B, 0x00)  \
    KEY(COMPUTER,      "computer",      0xE06B, 0xE040, 0x00)  \
    KEY(AC_HOME,       "ac_home",       0xE032, 0xE03A, 0x00)  \
    KEY(AC_BACK,       "ac_back",       0xE06A, 0xE038, 0x00)  \
    KEY(AC_FORWARD,    "ac_forward",    0xE069, 0xE030, 0x00)  \
    KEY(AC_REFRESH,    "ac_refresh",    0xE067, 0xE020, 0x00)  \
    KEY(AC_BOOKMARKS,  "ac_bookmarks",  0xE066, 0xE018, 0x00)  \
    KEY(PAUSE,         "pause",         0xE046, 0xE07E, 0x62)
// clang-format on

typedef enum KeyboardKey {
#define KEYBOARD_KEY_ENUMERATOR(id, name, set1, set2, set3) KEYBOARD_KEY_##id,
    KEYBOARD_KEYS(KEYBOARD_KEY_ENUMERATOR)
#undef KEYBOARD_KEY_ENUMERATOR
        KEYBOARD_KEY_COUNT
} KeyboardKey;

typedef struct KeyboardKeyInfo {
    const char *name;
    uint16_t code[3]; /* make codes of sets 1, 2 and 3 */
} KeyboardKeyInfo;

/* The number of the key of this name ("ret", "kp_1", also QEMU's other spellings like "control", or
 * a set 1 code in hexadecimal: "0x1c", "0xe01d"); -1 if there is none. */
int keyboard_key_find(const char *name);

/* What is known of a key; NULL for a number that is none. */
const KeyboardKeyInfo *keyboard_key_info(int key);

#endif
