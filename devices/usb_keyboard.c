#include "usb_keyboard.h"
#include "allocate.h"
#include "usb_hid.h"
#include <stdlib.h>
#include <string.h>

/* A report: modifiers, a byte that is nothing, the keys that are down (appendix B.1). */
enum { AT_MODIFIERS = 0, AT_KEYS = 2, KEYS = 6, REPORT_BYTES = 8 };
enum { ROLL_OVER = 0x01, FIRST_MODIFIER = 0xE0, LAST_MODIFIER = 0xE7, LAST_KEY = 0xDD };

typedef struct UsbKeyboardState {
    UsbHidState hid;
    uint8_t down[32]; /* a bit for each usage */
} UsbKeyboardState;

static const Field state_fields[] = {
    FIELD_ONE_STRUCT(UsbKeyboardState, hid, &usb_hid_fields),
    FIELD_BYTES_OF(UsbKeyboardState, down),
    FIELD_END,
};
static const FieldTable usb_keyboard_fields = {"USB keyboard", 1, sizeof(UsbKeyboardState),
                                               state_fields};

struct UsbKeyboard {
    UsbKeyboardState state;
    UsbHid hid;
};

// clang-format off
/* Usages of page 7; 0: none. Keys of other pages (sound, programs) a keyboard of this kind lacks. */
static const uint8_t usages[KEYBOARD_KEY_COUNT] = {
    [KEYBOARD_KEY_A] = 0x04, [KEYBOARD_KEY_B] = 0x05, [KEYBOARD_KEY_C] = 0x06,
    [KEYBOARD_KEY_D] = 0x07, [KEYBOARD_KEY_E] = 0x08, [KEYBOARD_KEY_F] = 0x09,
    [KEYBOARD_KEY_G] = 0x0A, [KEYBOARD_KEY_H] = 0x0B, [KEYBOARD_KEY_I] = 0x0C,
    [KEYBOARD_KEY_J] = 0x0D, [KEYBOARD_KEY_K] = 0x0E, [KEYBOARD_KEY_L] = 0x0F,
    [KEYBOARD_KEY_M] = 0x10, [KEYBOARD_KEY_N] = 0x11, [KEYBOARD_KEY_O] = 0x12,
    [KEYBOARD_KEY_P] = 0x13, [KEYBOARD_KEY_Q] = 0x14, [KEYBOARD_KEY_R] = 0x15,
    [KEYBOARD_KEY_S] = 0x16, [KEYBOARD_KEY_T] = 0x17, [KEYBOARD_KEY_U] = 0x18,
    [KEYBOARD_KEY_V] = 0x19, [KEYBOARD_KEY_W] = 0x1A, [KEYBOARD_KEY_X] = 0x1B,
    [KEYBOARD_KEY_Y] = 0x1C, [KEYBOARD_KEY_Z] = 0x1D,
    [KEYBOARD_KEY_1] = 0x1E, [KEYBOARD_KEY_2] = 0x1F, [KEYBOARD_KEY_3] = 0x20,
    [KEYBOARD_KEY_4] = 0x21, [KEYBOARD_KEY_5] = 0x22, [KEYBOARD_KEY_6] = 0x23,
    [KEYBOARD_KEY_7] = 0x24, [KEYBOARD_KEY_8] = 0x25, [KEYBOARD_KEY_9] = 0x26,
    [KEYBOARD_KEY_0] = 0x27,
    [KEYBOARD_KEY_RET] = 0x28, [KEYBOARD_KEY_ESC] = 0x29, [KEYBOARD_KEY_BACKSPACE] = 0x2A,
    [KEYBOARD_KEY_TAB] = 0x2B, [KEYBOARD_KEY_SPC] = 0x2C, [KEYBOARD_KEY_MINUS] = 0x2D,
    [KEYBOARD_KEY_EQUAL] = 0x2E, [KEYBOARD_KEY_BRACKET_LEFT] = 0x2F,
    [KEYBOARD_KEY_BRACKET_RIGHT] = 0x30, [KEYBOARD_KEY_BACKSLASH] = 0x31,
    [KEYBOARD_KEY_SEMICOLON] = 0x33, [KEYBOARD_KEY_APOSTROPHE] = 0x34,
    [KEYBOARD_KEY_GRAVE_ACCENT] = 0x35, [KEYBOARD_KEY_COMMA] = 0x36, [KEYBOARD_KEY_DOT] = 0x37,
    [KEYBOARD_KEY_SLASH] = 0x38, [KEYBOARD_KEY_CAPS_LOCK] = 0x39,
    [KEYBOARD_KEY_F1] = 0x3A, [KEYBOARD_KEY_F2] = 0x3B, [KEYBOARD_KEY_F3] = 0x3C,
    [KEYBOARD_KEY_F4] = 0x3D, [KEYBOARD_KEY_F5] = 0x3E, [KEYBOARD_KEY_F6] = 0x3F,
    [KEYBOARD_KEY_F7] = 0x40, [KEYBOARD_KEY_F8] = 0x41, [KEYBOARD_KEY_F9] = 0x42,
    [KEYBOARD_KEY_F10] = 0x43, [KEYBOARD_KEY_F11] = 0x44, [KEYBOARD_KEY_F12] = 0x45,
    [KEYBOARD_KEY_PRINT] = 0x46, [KEYBOARD_KEY_SYSRQ] = 0x46, [KEYBOARD_KEY_SCROLL_LOCK] = 0x47,
    [KEYBOARD_KEY_PAUSE] = 0x48, [KEYBOARD_KEY_INSERT] = 0x49, [KEYBOARD_KEY_HOME] = 0x4A,
    [KEYBOARD_KEY_PGUP] = 0x4B, [KEYBOARD_KEY_DELETE] = 0x4C, [KEYBOARD_KEY_END] = 0x4D,
    [KEYBOARD_KEY_PGDN] = 0x4E, [KEYBOARD_KEY_RIGHT] = 0x4F, [KEYBOARD_KEY_LEFT] = 0x50,
    [KEYBOARD_KEY_DOWN] = 0x51, [KEYBOARD_KEY_UP] = 0x52, [KEYBOARD_KEY_NUM_LOCK] = 0x53,
    [KEYBOARD_KEY_KP_DIVIDE] = 0x54, [KEYBOARD_KEY_KP_MULTIPLY] = 0x55,
    [KEYBOARD_KEY_KP_SUBTRACT] = 0x56, [KEYBOARD_KEY_KP_ADD] = 0x57,
    [KEYBOARD_KEY_KP_ENTER] = 0x58, [KEYBOARD_KEY_KP_1] = 0x59, [KEYBOARD_KEY_KP_2] = 0x5A,
    [KEYBOARD_KEY_KP_3] = 0x5B, [KEYBOARD_KEY_KP_4] = 0x5C, [KEYBOARD_KEY_KP_5] = 0x5D,
    [KEYBOARD_KEY_KP_6] = 0x5E, [KEYBOARD_KEY_KP_7] = 0x5F, [KEYBOARD_KEY_KP_8] = 0x60,
    [KEYBOARD_KEY_KP_9] = 0x61, [KEYBOARD_KEY_KP_0] = 0x62, [KEYBOARD_KEY_KP_DECIMAL] = 0x63,
    [KEYBOARD_KEY_LESS] = 0x64, [KEYBOARD_KEY_COMPOSE] = 0x65, [KEYBOARD_KEY_POWER] = 0x66,
    [KEYBOARD_KEY_KP_EQUALS] = 0x67, [KEYBOARD_KEY_KP_COMMA] = 0x85, [KEYBOARD_KEY_RO] = 0x87,
    [KEYBOARD_KEY_HIRAGANA] = 0x88, [KEYBOARD_KEY_YEN] = 0x89, [KEYBOARD_KEY_HENKAN] = 0x8A,
    [KEYBOARD_KEY_MUHENKAN] = 0x8B,
    [KEYBOARD_KEY_AUDIOMUTE] = 0x7F, [KEYBOARD_KEY_VOLUMEUP] = 0x80,
    [KEYBOARD_KEY_VOLUMEDOWN] = 0x81,
    [KEYBOARD_KEY_CTRL] = 0xE0, [KEYBOARD_KEY_SHIFT] = 0xE1, [KEYBOARD_KEY_ALT] = 0xE2,
    [KEYBOARD_KEY_META_L] = 0xE3, [KEYBOARD_KEY_CTRL_R] = 0xE4, [KEYBOARD_KEY_SHIFT_R] = 0xE5,
    [KEYBOARD_KEY_ALT_R] = 0xE6, [KEYBOARD_KEY_META_R] = 0xE7,
};

static const uint8_t report_descriptor[] = {
    0x05, 0x01,       /* usage page: generic desktop */
    0x09, 0x06,       /* usage: keyboard */
    0xA1, 0x01,       /* collection: application */
    0x05, 0x07,       /*   usage page: keys */
    0x19, 0xE0,       /*   usages of the modifiers */
    0x29, 0xE7,
    0x15, 0x00,       /*   logical minimum 0 */
    0x25, 0x01,       /*   maximum 1 */
    0x75, 0x01,       /*   size 1 */
    0x95, 0x08,       /*   count 8 */
    0x81, 0x02,       /*   input: data, variable, absolute */
    0x75, 0x08,       /*   size 8 */
    0x95, 0x01,       /*   count 1 */
    0x81, 0x01,       /*   input: constant */
    0x05, 0x08,       /*   usage page: lights */
    0x19, 0x01,       /*   usages 1 */
    0x29, 0x05,       /*   to 5 */
    0x75, 0x01,       /*   size 1 */
    0x95, 0x05,       /*   count 5 */
    0x91, 0x02,       /*   output: data, variable, absolute */
    0x75, 0x03,       /*   size 3 */
    0x95, 0x01,       /*   count 1 */
    0x91, 0x01,       /*   output: constant */
    0x05, 0x07,       /*   usage page: keys */
    0x19, 0x00,       /*   usages 0 */
    0x2A, 0xFF, 0x00, /*   to 255 */
    0x26, 0xFF, 0x00, /*   maximum 255 */
    0x75, 0x08,       /*   size 8 */
    0x95, 0x06,       /*   count 6 */
    0x81, 0x00,       /*   input: data, array */
    0xC0,             /* end */
};
// clang-format on

/* Every change is told; the last one tells what is, should there be no room. */
static bool join(uint8_t *last, const uint8_t *report, bool must) {
    if (must)
        memcpy(last, report, REPORT_BYTES);
    return must;
}

static const UsbHidModel model = {
    .name = "USB Keyboard",
    .boot_protocol = 1,
    .interval_ms = 10,
    .report_descriptor = report_descriptor,
    .report_descriptor_bytes = sizeof(report_descriptor),
    .report_bytes = REPORT_BYTES,
    .boot_bytes = REPORT_BYTES,
    .join = join,
};

static bool is_down(const UsbKeyboardState *state, unsigned usage) {
    return (state->down[usage / 8] >> usage % 8 & 1) != 0;
}

/* With too many keys nobody can tell which are down. */
static void make_report(const UsbKeyboardState *state, uint8_t *report) {
    unsigned count = 0;
    memset(report, 0, REPORT_BYTES);
    for (unsigned usage = FIRST_MODIFIER; usage <= LAST_MODIFIER; usage++)
        if (is_down(state, usage))
            report[AT_MODIFIERS] |= (uint8_t)(1 << (usage - FIRST_MODIFIER));
    for (unsigned usage = 1; usage <= LAST_KEY; usage++) {
        if (!is_down(state, usage))
            continue;
        if (count == KEYS) {
            memset(report + AT_KEYS, ROLL_OVER, KEYS);
            return;
        }
        report[AT_KEYS + count++] = (uint8_t)usage;
    }
}

bool usb_keyboard_is_used(const UsbKeyboard *keyboard) {
    return usb_hid_is_asked(&keyboard->hid);
}

void usb_keyboard_set_key(UsbKeyboard *keyboard, int key, bool down) {
    UsbKeyboardState *state = &keyboard->state;
    unsigned usage = key >= 0 && key < KEYBOARD_KEY_COUNT ? usages[key] : 0;
    if (usage == 0 || is_down(state, usage) == down)
        return;
    state->down[usage / 8] ^= (uint8_t)(1 << usage % 8);
    make_report(state, state->hid.now);
    usb_hid_tell(&keyboard->hid, state->hid.now);
}

bool usb_keyboard_is_down(const UsbKeyboard *keyboard, int key) {
    return key >= 0 && key < KEYBOARD_KEY_COUNT && usages[key] != 0 &&
           is_down(&keyboard->state, usages[key]);
}

unsigned usb_keyboard_room(const UsbKeyboard *keyboard) {
    return USB_HID_REPORTS - keyboard->state.hid.count;
}

bool usb_keyboard_is_idle(const UsbKeyboard *keyboard) {
    return keyboard->state.hid.count == 0;
}

uint8_t usb_keyboard_lights(const UsbKeyboard *keyboard) {
    return keyboard->state.hid.lights & 7;
}

static void reset(void *opaque) {
    UsbKeyboard *keyboard = opaque;
    usb_hid_reset(&keyboard->hid);
}

static void restored(void *opaque) {
    UsbKeyboard *keyboard = opaque;
    usb_hid_restored(&keyboard->hid);
}

static const DeviceClass device_class = {"USB keyboard", &usb_keyboard_fields, reset, restored};

UsbKeyboard *usb_keyboard_create(const DeviceContext *context, UsbBus *bus) {
    UsbKeyboard *keyboard = allocate_zeroed(sizeof(*keyboard));
    usb_hid_init(&keyboard->hid, &model, &keyboard->state.hid, context, bus);
    device_list_add(context->devices, &device_class, "usb-kbd", keyboard, &keyboard->state);
    reset(keyboard);
    return keyboard;
}

void usb_keyboard_destroy(UsbKeyboard *keyboard) {
    free(keyboard);
}

UsbDevice *usb_keyboard_device(UsbKeyboard *keyboard) {
    return &keyboard->hid.device;
}
