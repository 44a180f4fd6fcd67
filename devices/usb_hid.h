/* What the human interface devices on USB have in common: an endpoint that tells reports, and the
 * requests of their class. (Device Class Definition for Human Interface Devices 1.11.) */
#ifndef REPRISE_USB_HID_H
#define REPRISE_USB_HID_H

#include "device_context.h"
#include "usb_bus.h"
#include "usb_control.h"

enum { USB_HID_REPORT_BYTES = 8, USB_HID_REPORTS = 16, USB_HID_CONFIGURATION_BYTES = 34 };

/* How the report descriptor of a pointer begins. */
// clang-format off
#define USB_HID_POINTER_BEGINNING                                \
    0x05, 0x01,       /* usage page: generic desktop */          \
    0x09, 0x02,       /* usage: mouse */                         \
    0xA1, 0x01,       /* collection: application */              \
    0x09, 0x01,       /*   usage: pointer */                     \
    0xA1, 0x00,       /*   collection: physical */               \
    0x05, 0x09,       /*     usage page: buttons */              \
    0x19, 0x01,       /*     usages 1 */                         \
    0x29, 0x03,       /*     to 3 */                             \
    0x15, 0x00,       /*     logical minimum 0 */                \
    0x25, 0x01,       /*     maximum 1 */                        \
    0x75, 0x01,       /*     size 1 */                           \
    0x95, 0x03,       /*     count 3 */                          \
    0x81, 0x02,       /*     input: data, variable, absolute */  \
    0x75, 0x05,       /*     size 5 */                           \
    0x95, 0x01,       /*     count 1 */                          \
    0x81, 0x03,       /*     input: constant */                  \
    0x05, 0x01,       /*     usage page: generic desktop */      \
    0x09, 0x30,       /*     usage: X */                         \
    0x09, 0x31,       /*     usage: Y */
// clang-format on

typedef struct UsbHidState {
    int64_t told_ns;  /* when the last report was */
    int64_t asked_ns; /* when the host last asked for one */
    UsbControlState control;
    uint8_t now[USB_HID_REPORT_BYTES]; /* as a report would tell it */
    uint8_t reports[USB_HID_REPORTS][USB_HID_REPORT_BYTES];
    uint8_t first, count; /* of them that wait */
    uint8_t idle;         /* a report comes after so many units anyway; 0: never */
    uint8_t boots;        /* SET_PROTOCOL chose the boot protocol */
    uint8_t lights;       /* what the host set last: SET_REPORT */
    uint8_t socket;
    uint8_t padding[2];
} UsbHidState;

extern const FieldTable usb_hid_fields;

typedef struct UsbHidModel {
    const char *name;
    bool low_speed;
    uint8_t boot_protocol; /* 1: keyboard, 2: mouse, 0: a BIOS cannot use it */
    uint8_t interval_ms;   /* how often a report is asked for */
    const uint8_t *report_descriptor;
    uint8_t report_descriptor_bytes;
    uint8_t report_bytes, boot_bytes; /* the second by the boot protocol */
    /* Takes a report into the last one that waits; false: it has to be one of its own. 'must':
     * there is no room for that. */
    bool (*join)(uint8_t *last, const uint8_t *report, bool must);
} UsbHidModel;

typedef struct UsbHid {
    UsbHidState *state;
    const UsbHidModel *model;
    const VirtualClock *clock;
    UsbBus *bus;
    UsbDevice device;
    uint8_t configuration_descriptor[USB_HID_CONFIGURATION_BYTES];
    const char *strings[4]; /* manufacturer, product, serial number, NULL */
    bool used;              /* atomic: a copy of what the configuration says */
} UsbHid;

/* Makes it known to the bus, plugged in nowhere. */
void usb_hid_init(UsbHid *hid, const UsbHidModel *model, UsbHidState *state,
                  const DeviceContext *context, UsbBus *bus);
/* At the machine's reset, and after a restore. */
void usb_hid_reset(UsbHid *hid);
void usb_hid_restored(UsbHid *hid);

/* A driver has configured it: it listens. From any thread. */
bool usb_hid_is_used(const UsbHid *hid);
/* And it has asked for reports of late. */
bool usb_hid_is_asked(const UsbHid *hid);

/* Something happened that 'report' tells; nobody hears of it while no driver listens. */
void usb_hid_tell(UsbHid *hid, const uint8_t *report);
/* For a 'join': adds within -127 to 127; false if that is too much and nobody must. */
bool usb_hid_add(uint8_t *sum, uint8_t count, bool must);

#endif
