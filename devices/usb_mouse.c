#include "usb_mouse.h"
#include "allocate.h"
#include "usb_hid.h"
#include <stdlib.h>
#include <string.h>

enum { COUNT_MOST = 127, BUTTONS = 7 };
/* A report (the descriptor below says so, too). */
enum { AT_BUTTONS = 0, AT_X = 1, AT_Y = 2, AT_WHEEL = 3, REPORT_BYTES = 4, BOOT_BYTES = 3 };
/* A movement of so many counts and more is not told to its end. */
#define MOVE_MOST 2000

struct UsbMouse {
    UsbHidState state;
    UsbHid hid;
};

// clang-format off
static const uint8_t report_descriptor[] = {
    USB_HID_POINTER_BEGINNING
    0x09, 0x38,       /*     usage: wheel */
    0x15, 0x81,       /*     minimum -127 */
    0x25, 0x7F,       /*     maximum 127 */
    0x75, 0x08,       /*     size 8 */
    0x95, 0x03,       /*     count 3 */
    0x81, 0x06,       /*     input: data, variable, relative */
    0xC0,             /*   end */
    0xC0,             /* end */
};
// clang-format on

static bool join(uint8_t *last, const uint8_t *report, bool must) {
    uint8_t sum[USB_HID_REPORT_BYTES];
    memcpy(sum, last, sizeof(sum));
    if (!must && last[AT_BUTTONS] != report[AT_BUTTONS])
        return false;
    for (unsigned i = AT_X; i <= AT_WHEEL; i++)
        if (!usb_hid_add(&sum[i], report[i], must))
            return false;
    sum[AT_BUTTONS] = report[AT_BUTTONS];
    memcpy(last, sum, sizeof(sum));
    return true;
}

static const UsbHidModel model = {
    .name = "USB Mouse",
    .boot_protocol = 2,
    .interval_ms = 10,
    .report_descriptor = report_descriptor,
    .report_descriptor_bytes = sizeof(report_descriptor),
    .report_bytes = REPORT_BYTES,
    .boot_bytes = BOOT_BYTES,
    .join = join,
};

static int32_t take_part(int32_t *left) {
    int32_t part = *left > COUNT_MOST ? COUNT_MOST : *left < -COUNT_MOST ? -COUNT_MOST : *left;
    *left -= part;
    return part;
}

static int32_t bound(int32_t counts) {
    return counts > MOVE_MOST ? MOVE_MOST : counts < -MOVE_MOST ? -MOVE_MOST : counts;
}

void usb_mouse_move(UsbMouse *mouse, int32_t dx, int32_t dy, int32_t dz) {
    dx = bound(dx);
    dy = bound(dy);
    dz = -bound(dz); /* the wheel of a HID device counts the other way */
    while (dx != 0 || dy != 0 || dz != 0) {
        uint8_t report[USB_HID_REPORT_BYTES] = {mouse->state.now[AT_BUTTONS]};
        report[AT_X] = (uint8_t)take_part(&dx);
        report[AT_Y] = (uint8_t)take_part(&dy);
        report[AT_WHEEL] = (uint8_t)take_part(&dz);
        usb_hid_tell(&mouse->hid, report);
    }
}

void usb_mouse_set_buttons(UsbMouse *mouse, uint32_t buttons) {
    uint8_t *now = mouse->state.now;
    if (now[AT_BUTTONS] == (buttons & BUTTONS))
        return;
    now[AT_BUTTONS] = buttons & BUTTONS;
    usb_hid_tell(&mouse->hid, now);
}

bool usb_mouse_is_used(const UsbMouse *mouse) {
    return usb_hid_is_used(&mouse->hid);
}

uint32_t usb_mouse_buttons(const UsbMouse *mouse) {
    return mouse->state.now[AT_BUTTONS];
}

bool usb_mouse_is_idle(const UsbMouse *mouse) {
    return mouse->state.count == 0;
}

static void reset(void *opaque) {
    UsbMouse *mouse = opaque;
    usb_hid_reset(&mouse->hid);
}

static void restored(void *opaque) {
    UsbMouse *mouse = opaque;
    usb_hid_restored(&mouse->hid);
}

static const DeviceClass device_class = {"USB mouse", &usb_hid_fields, reset, restored};

UsbMouse *usb_mouse_create(const DeviceContext *context, UsbBus *bus) {
    UsbMouse *mouse = allocate_zeroed(sizeof(*mouse));
    usb_hid_init(&mouse->hid, &model, &mouse->state, context, bus);
    device_list_add(context->devices, &device_class, "usb-mouse", mouse, &mouse->state);
    reset(mouse);
    return mouse;
}

void usb_mouse_destroy(UsbMouse *mouse) {
    free(mouse);
}

UsbDevice *usb_mouse_device(UsbMouse *mouse) {
    return &mouse->hid.device;
}
