#include "usb_tablet.h"
#include "allocate.h"
#include "little_endian.h"
#include "usb_hid.h"
#include <stdlib.h>
#include <string.h>

enum { WHEEL_MOST = 127, BUTTONS = 7 };
/* A report (the descriptor below says so, too). */
enum { AT_BUTTONS = 0, AT_X = 1, AT_Y = 3, AT_WHEEL = 5, REPORT_BYTES = 6 };

struct UsbTablet {
    UsbHidState state;
    UsbHid hid;
};

// clang-format off
static const uint8_t report_descriptor[] = {
    USB_HID_POINTER_BEGINNING
    0x26, 0xFF, 0x7F, /*     maximum 32767 */
    0x75, 0x10,       /*     size 16 */
    0x95, 0x02,       /*     count 2 */
    0x81, 0x02,       /*     input: data, variable, absolute */
    0x09, 0x38,       /*     usage: wheel */
    0x15, 0x81,       /*     minimum -127 */
    0x25, 0x7F,       /*     maximum 127 */
    0x75, 0x08,       /*     size 8 */
    0x95, 0x01,       /*     count 1 */
    0x81, 0x06,       /*     input: data, variable, relative */
    0xC0,             /*   end */
    0xC0,             /* end */
};
// clang-format on

/* Buttons make new reports, so that a quick click is not lost; the rest joins the last one. */
static bool join(uint8_t *last, const uint8_t *report, bool must) {
    if (!must && last[AT_BUTTONS] != report[AT_BUTTONS])
        return false;
    uint8_t wheel = last[AT_WHEEL];
    usb_hid_add(&wheel, report[AT_WHEEL], true);
    memcpy(last, report, REPORT_BYTES);
    last[AT_WHEEL] = wheel;
    return true;
}

static const UsbHidModel model = {
    .name = "USB Tablet",
    .interval_ms = 4,
    .report_descriptor = report_descriptor,
    .report_descriptor_bytes = sizeof(report_descriptor),
    .report_bytes = REPORT_BYTES,
    .join = join,
};

bool usb_tablet_is_used(const UsbTablet *tablet) {
    return usb_hid_is_used(&tablet->hid);
}

void usb_tablet_move(UsbTablet *tablet, uint32_t x, uint32_t y) {
    uint8_t *now = tablet->state.now;
    x = x < USB_TABLET_MOST ? x : USB_TABLET_MOST;
    y = y < USB_TABLET_MOST ? y : USB_TABLET_MOST;
    if (x == load_le16(now + AT_X) && y == load_le16(now + AT_Y))
        return;
    store_le16(now + AT_X, (uint16_t)x);
    store_le16(now + AT_Y, (uint16_t)y);
    usb_hid_tell(&tablet->hid, now);
}

/* The wheel of a HID device counts the other way than a PS/2 mouse's. */
void usb_tablet_turn(UsbTablet *tablet, int32_t dz) {
    uint8_t report[USB_HID_REPORT_BYTES];
    if (dz == 0)
        return;
    memcpy(report, tablet->state.now, sizeof(report));
    report[AT_WHEEL] = (uint8_t)(dz > WHEEL_MOST    ? -WHEEL_MOST
                                 : dz < -WHEEL_MOST ? WHEEL_MOST
                                                    : -dz);
    usb_hid_tell(&tablet->hid, report);
}

void usb_tablet_set_buttons(UsbTablet *tablet, uint32_t buttons) {
    uint8_t *now = tablet->state.now;
    if (now[AT_BUTTONS] == (buttons & BUTTONS))
        return;
    now[AT_BUTTONS] = buttons & BUTTONS;
    usb_hid_tell(&tablet->hid, now);
}

static void reset(void *opaque) {
    UsbTablet *tablet = opaque;
    usb_hid_reset(&tablet->hid);
}

static void restored(void *opaque) {
    UsbTablet *tablet = opaque;
    usb_hid_restored(&tablet->hid);
}

static const DeviceClass device_class = {"USB tablet", &usb_hid_fields, reset, restored};

UsbTablet *usb_tablet_create(const DeviceContext *context, UsbBus *bus) {
    UsbTablet *tablet = allocate_zeroed(sizeof(*tablet));
    usb_hid_init(&tablet->hid, &model, &tablet->state, context, bus);
    device_list_add(context->devices, &device_class, "usb-tablet", tablet, &tablet->state);
    reset(tablet);
    return tablet;
}

void usb_tablet_destroy(UsbTablet *tablet) {
    free(tablet);
}

UsbDevice *usb_tablet_device(UsbTablet *tablet) {
    return &tablet->hid.device;
}
